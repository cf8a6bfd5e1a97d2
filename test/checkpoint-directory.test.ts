import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModelDirectory, type ModelDirectory } from '../src/checkpoint/model-directory.js';
import { WeightMap } from '../src/checkpoint/weights.js';
import { editJson, golden, rejection, temporaryFolder } from './support/checkpoint-files.js';
import { skip } from './support/skip.js';

const t = suite('checkpoint directory');

async function withModel<T>(directory: string, use: (model: ModelDirectory) => T | Promise<T>): Promise<T> {
  const model = await openModelDirectory(directory);
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

const tinyCopy = (name: string): string => temporaryFolder(golden('tiny', name));
const sentenceCopy = (name: string): string => temporaryFolder(golden('sentence', name));

/** Opening `directory` must fail with this code and leave no file open. */
async function rejects(code: string, directory: string, text = /./): Promise<void> {
  const countOpen = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
  const before = countOpen();
  const error = await rejection(() => openModelDirectory(directory));
  assert.is(error.code, code, error.message);
  assert.match(error.message, text);
  assert.is(countOpen(), before, 'open files');
}

// ------------------------------------------------------------------------------------------------------------------ golden models

for (const name of readdirSync(golden('tiny'))) {
  t(`opens tiny/${name}`, () =>
    withModel(golden('tiny', name), async (model) => {
      const { config } = model;
      const words = [...model.tensors.values()].find((tensor) => tensor.name.endsWith('embeddings.word_embeddings.weight'))!;
      assert.equal(words.shape, [config.vocabSize, config.embeddingSize]);
      assert.is(model.sentenceTransformers, undefined);
      assert.is(model.maxLength, config.maxSequenceLength);
      assert.ok(model.tokenizerFiles.tokenizerJson !== undefined && model.tokenizerFiles.vocab !== undefined);
      await model.verifyUnchanged();
    }),
  );
}

for (const name of readdirSync(golden('sentence'))) {
  t(`reads the modules of sentence/${name}`, () =>
    withModel(golden('sentence', name), (model) => {
      const sentence = model.sentenceTransformers!;
      const modes = {
        'pooling-cls-mean': ['cls', 'mean'],
        'new-layout': ['cls', 'max'],
        'pooling-mean-sqrt-len': ['mean_sqrt_len_tokens'],
      };
      const single = /^pooling-(cls|max|lasttoken|weightedmean|mean)$/.exec(name)?.[1] ?? 'mean';
      assert.equal(sentence.pooling.modes, modes[name as keyof typeof modes] ?? [single]);
      assert.is(sentence.pooling.includePrompt, name !== 'prompt-not-pooled');
      const types = { dense: ['dense'], normalize: ['normalize'], prompts: ['normalize'], 'new-layout': ['dense', 'normalize'] };
      assert.equal(
        sentence.modules.map((module) => module.type),
        types[name as keyof typeof types] ?? [],
      );
      assert.is(sentence.similarity, 'cosine');
      assert.not(sentence.doLowerCase);
    }),
  );
}

t('describes a Dense module and hands out its weights', () =>
  withModel(golden('sentence/new-layout'), async ({ sentenceTransformers }) => {
    const dense = sentenceTransformers!.modules[0]!;
    assert.ok(dense.type === 'dense');
    assert.equal([dense.inFeatures, dense.outFeatures, dense.bias, dense.activation], [60, 19, true, 'tanh']);
    const weights = new WeightMap(dense.tensors, { prefixes: [] });
    const weight = weights.take('linear.weight', [19, 60]);
    weights.take('linear.bias', [19]);
    assert.equal(weights.finish().surplus, []);
    assert.is((await weight.file.readFloat32(weight.name)).length, 19 * 60);
  }),
);

t('reads prompts and the default prompt', () =>
  withModel(golden('sentence/prompts'), ({ sentenceTransformers }) => {
    assert.equal({ ...sentenceTransformers!.prompts }, { query: 'query: ', passage: 'passage: ' });
    assert.is(sentenceTransformers!.defaultPromptName, 'query');
  }),
);

// ------------------------------------------------------------------------------------------------------------------- length limit

t('takes the length limit from sentence_bert_config, then the tokenizer, then the positions', async () => {
  const folder = sentenceCopy('dense');
  const limit = (): Promise<number> => withModel(folder, (model) => model.maxLength);
  assert.is(await limit(), 48);
  editJson(`${folder}/sentence_bert_config.json`, { max_seq_length: null });
  editJson(`${folder}/tokenizer_config.json`, { model_max_length: 50 });
  assert.is(await limit(), 50);
  editJson(`${folder}/tokenizer_config.json`, { model_max_length: 1e30 });
  assert.is(await limit(), 64);
  rmSync(`${folder}/tokenizer_config.json`);
  assert.is(await limit(), 64);
  editJson(`${folder}/sentence_bert_config.json`, { max_seq_length: 512 });
  assert.is(await limit(), 64);
});

t('rejects a length limit that is none', async () => {
  for (const value of [0, -1, 1.5, '512', true]) {
    const folder = sentenceCopy('dense');
    editJson(`${folder}/sentence_bert_config.json`, { max_seq_length: value });
    await rejects('CONFIG', folder, /max_seq_length/);
    editJson(`${folder}/sentence_bert_config.json`, { max_seq_length: null });
    editJson(`${folder}/tokenizer_config.json`, { model_max_length: value });
    await rejects('TOKENIZER', folder, /model_max_length/);
  }
});

// ------------------------------------------------------------------------------------------------- directories that are no models

t('rejects paths that are no directories', async () => {
  await rejects('IO', path.join(temporaryFolder(), 'missing'), /ENOENT/);
  await rejects('IO', golden('README.md'), /directory/);
  await rejects('IO', '/dev/zero');
  await rejects('IO', 'nul\0');
});

t('says what it expected in a directory without model', async () => {
  await rejects('CONFIG', temporaryFolder(), /config\.json/);
  const folder = tinyCopy('bert-relu');
  rmSync(`${folder}/model.safetensors`);
  await rejects('MODEL_NOT_FOUND', folder, /"vocab\.txt"/);
});

t('rejects pickles and says how to convert them', async () => {
  for (const name of ['pytorch_model.bin', 'model.pt', 'pytorch_model-00001-of-00002.bin', 'last.ckpt', 'weights.pth']) {
    const folder = tinyCopy('bert-relu');
    renameSync(`${folder}/model.safetensors`, `${folder}/${name}`);
    const escaped = name.replaceAll('.', '\\.');
    await rejects('UNSAFE_FORMAT', folder, new RegExp(`"${escaped}".*torch\\.load\\('${escaped}'.*save_file.*pip install`));
  }
});

t('does not take a trainer’s leavings for a model', async () => {
  const folder = tinyCopy('bert-relu');
  renameSync(`${folder}/model.safetensors`, `${folder}/training_args.bin`);
  await rejects('MODEL_NOT_FOUND', folder);
});

t('ignores a pickle beside safetensors', () => {
  const folder = tinyCopy('bert-relu');
  writeFileSync(`${folder}/pytorch_model.bin`, 'never read');
  return withModel(folder, (model) => assert.is(model.tensors.size, 71));
});

t('rejects a FIFO or a folder in place of any file without waiting', async () => {
  if (process.platform === 'win32') return skip('mkfifo');
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json', 'vocab.txt', 'tokenizer_config.json']) {
    const folder = tinyCopy('bert-relu');
    rmSync(path.join(folder, name));
    execFileSync('mkfifo', [path.join(folder, name)]);
    await rejects('IO', folder, /FIFO/);
    rmSync(path.join(folder, name));
    mkdirSync(path.join(folder, name));
    await rejects('IO', folder, /directory/);
  }
});

t('rejects files that are too large or not UTF-8 with the code of their part', async () => {
  const files: readonly (readonly [string, number, string])[] = [
    ['config.json', 16 << 20, 'CONFIG'],
    ['vocab.txt', 64 << 20, 'VOCAB'],
    ['tokenizer.json', 128 << 20, 'TOKENIZER'],
  ];
  for (const [name, limit, code] of files) {
    const folder = tinyCopy('bert-relu');
    truncateSync(path.join(folder, name), limit + 1);
    await rejects(code, folder, /at most/);
    writeFileSync(path.join(folder, name), Buffer.of(0x22, 0xff, 0x22));
    await rejects(code, folder, /UTF-8/);
  }
});

t('rejects a truncated download at every length', async () => {
  const folder = tinyCopy('bert-relu');
  const file = `${folder}/model.safetensors`;
  const whole = readFileSync(file);
  for (const length of [0, 7, 8, 100, whole.length >> 1, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, length));
    const error = await rejection(() => openModelDirectory(folder));
    assert.ok(['HEADER_TOO_SMALL', 'HEADER_LENGTH', 'NOT_COVERED'].includes(error.code), `${length}: ${error.code}`);
  }
});

t('wants tokenizer.json where only an old added_tokens.json describes tokens', async () => {
  const folder = tinyCopy('bert-relu');
  writeFileSync(`${folder}/added_tokens.json`, '{"[NEW]":1982}');
  await withModel(folder, (model) => assert.ok(model.tokenizerFiles.tokenizerJson));
  rmSync(`${folder}/tokenizer.json`);
  await rejects('TOKENIZER', folder, /AutoTokenizer/);
  writeFileSync(`${folder}/added_tokens.json`, '{}');
  await withModel(folder, (model) => assert.is(model.tokenizerFiles.tokenizerJson, undefined));
});

// -------------------------------------------------------------------------------------------------------------------------- shards

t('merges shards into the tensors of the single file', () =>
  withModel(golden('tiny/bert-sharded'), (sharded) =>
    withModel(golden('tiny/bert-f16'), (single) => {
      assert.equal([...sharded.tensors.keys()].sort(), [...single.tensors.keys()].sort());
      assert.is(new Set([...sharded.tensors.values()].map((tensor) => tensor.file.path)).size, 3);
    }),
  ),
);

type WeightMapJson = Record<string, unknown>;

/** A sharded model whose index has been changed. */
function shardedWith(change: (weightMap: WeightMapJson, folder: string) => void): string {
  const folder = tinyCopy('bert-sharded');
  const index = `${folder}/model.safetensors.index.json`;
  const { weight_map: weightMap } = JSON.parse(readFileSync(index, 'utf8')) as { weight_map: WeightMapJson };
  change(weightMap, folder);
  editJson(index, { weight_map: weightMap });
  return folder;
}
const FIRST = 'embeddings.LayerNorm.bias';
const SHARD_1 = 'model-00001-of-00003.safetensors';
const SHARD_2 = 'model-00002-of-00003.safetensors';

t('rejects shard names that leave the directory', async () => {
  const outside = golden('tiny/bert-relu/model.safetensors');
  const names = [
    '../../etc/passwd',
    '../model.safetensors',
    'a/../../model.safetensors',
    '..',
    outside,
    '/etc/passwd',
    '..\\model.safetensors',
    'C:\\model.safetensors',
    'c:model.safetensors',
    'model.safetensors\0.safetensors',
  ];
  for (const name of names)
    await rejects(
      'INDEX_PATH',
      shardedWith((weightMap) => (weightMap[FIRST] = name)),
    );
});

t('rejects a shard that is a link out of the directory', async () => {
  const outside = path.join(temporaryFolder(), 'outside.safetensors');
  const folder = shardedWith((_, copy) => {
    renameSync(path.join(copy, SHARD_1), outside);
    symlinkSync(outside, path.join(copy, SHARD_1));
  });
  await rejects('INDEX_PATH', folder, /link/);
});

t('follows a shard that is a link inside the directory, and a link to the directory', () => {
  const folder = shardedWith((_, copy) => {
    mkdirSync(`${copy}/data`);
    renameSync(path.join(copy, SHARD_1), `${copy}/data/one`);
    symlinkSync('data/one', path.join(copy, SHARD_1));
  });
  const link = path.join(temporaryFolder(), 'model');
  symlinkSync(folder, link);
  return withModel(link, (model) => assert.is(model.tensors.size, 39));
});

t('rejects an index that does not fit its shards', async () => {
  await rejects(
    'INDEX',
    shardedWith((_, folder) => rmSync(path.join(folder, SHARD_2))),
    /00002/,
  );
  await rejects(
    'INDEX',
    shardedWith((weightMap) => (weightMap['extra.weight'] = SHARD_1)),
    /extra\.weight/,
  );
  await rejects(
    'INDEX',
    shardedWith((weightMap) => (weightMap[FIRST] = SHARD_2)),
    /LayerNorm\.bias/,
  );
  await rejects(
    'INDEX',
    shardedWith((weightMap, folder) => {
      copyFileSync(path.join(folder, SHARD_1), `${folder}/copy.safetensors`);
      weightMap[FIRST] = 'copy.safetensors';
    }),
    /one shard/,
  );
  await rejects(
    'INDEX',
    shardedWith((weightMap) => (weightMap[FIRST] = 3)),
  );
  await rejects(
    'INDEX',
    shardedWith((weightMap) => (weightMap[FIRST] = 'vocab.txt')),
  );
});

t('rejects an index that is no index', async () => {
  for (const text of ['', '[]', '{}', '{"weight_map":[]}', '{"weight_map":{}}', '{"weight_map":null}']) {
    const folder = tinyCopy('bert-sharded');
    writeFileSync(`${folder}/model.safetensors.index.json`, text);
    await rejects('INDEX', folder);
  }
});

t('rejects an index with too many shards before opening one', async () => {
  const folder = shardedWith((weightMap) => {
    for (let i = 0; i < 600; i++) weightMap[`t${i}`] = `${i}.safetensors`;
  });
  await rejects('INDEX', folder, /1\.\.512/);
});

t('prefers model.safetensors to an index, as transformers does', () => {
  const folder = tinyCopy('bert-relu');
  writeFileSync(`${folder}/model.safetensors.index.json`, 'not read');
  return withModel(folder, (model) => assert.is(model.tensors.size, 71));
});

// ---------------------------------------------------------------------------------------------------------------------- Hub cache

/** A model in the layout of the Hub's cache: snapshot files are links to ../../blobs. Returns the snapshot. */
function hubCache(source: string): string {
  const repository = path.join(temporaryFolder(), 'models--org--name');
  const snapshot = path.join(repository, 'snapshots', '0123456789abcdef0123456789abcdef01234567');
  cpSync(source, path.join(repository, 'blobs'), { recursive: true });
  const link = (folder: string): void => {
    mkdirSync(path.join(snapshot, folder), { recursive: true });
    for (const entry of readdirSync(path.join(repository, 'blobs', folder), { withFileTypes: true })) {
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) link(name);
      else symlinkSync(path.relative(path.join(snapshot, folder), path.join(repository, 'blobs', name)), path.join(snapshot, name));
    }
  };
  link('');
  return snapshot;
}

t('opens snapshots of the Hub’s cache, whose files are links to blobs', async () => {
  await withModel(hubCache(golden('tiny/bert-sharded')), (model) => assert.is(model.tensors.size, 39));
  await withModel(hubCache(golden('sentence/new-layout')), (model) => assert.is(model.sentenceTransformers!.modules.length, 2));
});

t('rejects a shard of a snapshot that links out of its repository', async () => {
  const snapshot = hubCache(golden('tiny/bert-sharded'));
  rmSync(path.join(snapshot, SHARD_1));
  symlinkSync(golden('tiny/bert-sharded', SHARD_1), path.join(snapshot, SHARD_1));
  await rejects('INDEX_PATH', snapshot);
});

t('does not extend the Hub’s rule to other directories named snapshots', async () => {
  const root = temporaryFolder();
  const snapshot = path.join(root, 'other', 'snapshots', 'x');
  cpSync(golden('tiny/bert-sharded'), snapshot, { recursive: true });
  renameSync(path.join(snapshot, SHARD_1), path.join(root, 'other', 'blob'));
  symlinkSync('../../blob', path.join(snapshot, SHARD_1));
  await rejects('INDEX_PATH', snapshot);
});

// ------------------------------------------------------------------------------------------------------------ sentence-transformers

function withModules(change: (modules: Record<string, unknown>[], folder: string) => unknown): string {
  const folder = sentenceCopy('dense');
  const file = `${folder}/modules.json`;
  const modules = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[];
  writeFileSync(file, JSON.stringify(change(modules, folder) ?? modules));
  return folder;
}

t('opens early directories that keep the model in 0_Transformer', () => {
  const folder = withModules((modules, copy) => {
    mkdirSync(`${copy}/0_Transformer`);
    for (const name of readdirSync(copy).filter((entry) => /^(config|tokenizer|vocab|special|model|sentence_bert)/.test(entry))) {
      if (name !== 'config_sentence_transformers.json') renameSync(`${copy}/${name}`, `${copy}/0_Transformer/${name}`);
    }
    modules[0]!['path'] = '0_Transformer';
  });
  return withModel(folder, (model) => {
    assert.is(model.maxLength, 48);
    assert.is(model.tensors.size, 55);
    assert.ok(model.tokenizerFiles.vocab);
  });
});

t('rejects module paths that leave the directory', async () => {
  for (const escape of ['..', '../1_Pooling', '/tmp', '1_Pooling/../../x', '..\\x', 'C:\\x']) {
    for (const index of [0, 1, 2]) {
      await rejects(
        'INDEX_PATH',
        withModules((modules) => {
          modules[index]!['path'] = escape;
        }),
        /modules\.json/,
      );
    }
  }
  const linked = withModules((_, folder) => {
    rmSync(`${folder}/1_Pooling`, { recursive: true });
    symlinkSync(golden('sentence/dense/1_Pooling'), `${folder}/1_Pooling`);
  });
  await rejects('INDEX_PATH', linked, /link/);
});

t('rejects modules it would leave out silently', async () => {
  const retyped = (index: number, type: unknown): string =>
    withModules((modules) => {
      modules[index]!['type'] = type;
    });
  await rejects('CONFIG_UNSUPPORTED', retyped(2, 'sentence_transformers.models.LSTM'), /LSTM/);
  await rejects('CONFIG_UNSUPPORTED', retyped(2, 'custom_st.Dense'), /custom_st/);
  await rejects('CONFIG_UNSUPPORTED', retyped(0, 'sentence_transformers.models.CLIPModel'));
  await rejects('POOLING', retyped(1, 'sentence_transformers.models.WeightedLayerPooling'));
  await rejects('POOLING', retyped(2, 'sentence_transformers.models.Pooling'));
  await rejects('CONFIG', retyped(2, 7));
  await rejects(
    'POOLING',
    withModules((modules) => modules.slice(0, 1)),
  );
  await withModel(retyped(2, 'sentence_transformers.models.Dropout'), (model) => assert.equal(model.sentenceTransformers!.modules, []));
});

t('rejects a modules.json that is no list of modules', async () => {
  for (const value of [{}, [], [1], [null], Array(65).fill({ type: 'sentence_transformers.models.Transformer', path: '' })]) {
    await rejects(
      'CONFIG',
      withModules(() => value),
    );
  }
});

t('rejects pooling that is missing or does not fit the model', async () => {
  const folder = sentenceCopy('dense');
  editJson(`${folder}/1_Pooling/config.json`, { word_embedding_dimension: 384 });
  await rejects('POOLING', folder, /word_embedding_dimension/);
  rmSync(`${folder}/1_Pooling/config.json`);
  await rejects('POOLING', folder, /1_Pooling\/config\.json/);
  rmSync(`${folder}/1_Pooling`, { recursive: true });
  await rejects('POOLING', folder);
});

t('rejects Dense modules it would compute wrongly', async () => {
  const changes: readonly (readonly [string, string, unknown])[] = [
    ['CONFIG', 'in_features', 27],
    ['CONFIG', 'out_features', 0],
    ['CONFIG', 'bias', 'true'],
    ['CONFIG_UNSUPPORTED', 'activation_function', 'os.system'],
    ['CONFIG_UNSUPPORTED', 'activation_function', 'torch.nn.modules.activation.Softmax'],
    ['CONFIG_UNSUPPORTED', 'use_residual', true],
    ['CONFIG_UNSUPPORTED', 'module_input_name', 'token_embeddings'],
  ];
  for (const [code, field, value] of changes) {
    const folder = sentenceCopy('dense');
    editJson(`${folder}/2_Dense/config.json`, { [field]: value });
    await rejects(code, folder, new RegExp(field));
  }
  const folder = sentenceCopy('dense');
  renameSync(`${folder}/2_Dense/model.safetensors`, `${folder}/2_Dense/pytorch_model.bin`);
  await rejects('UNSAFE_FORMAT', folder, /2_Dense/);
});

t('rejects prompts and similarities that make no sense', async () => {
  const changes: readonly (readonly [string, string, unknown])[] = [
    ['CONFIG', 'prompts', { query: 7 }],
    ['CONFIG', 'prompts', ['query: ']],
    ['CONFIG', 'default_prompt_name', 'missing'],
    ['CONFIG', 'default_prompt_name', 'constructor'],
    ['CONFIG_UNSUPPORTED', 'similarity_fn_name', 'maxsim'],
    ['CONFIG', 'truncate_dim', 0],
  ];
  for (const [code, field, value] of changes) {
    const folder = sentenceCopy('dense');
    editJson(`${folder}/config_sentence_transformers.json`, { [field]: value });
    await rejects(code, folder, new RegExp(field));
  }
});

t('keeps prompts with hostile names apart from the prototype', () => {
  const folder = sentenceCopy('dense');
  writeFileSync(
    `${folder}/config_sentence_transformers.json`,
    '{"prompts":{"__proto__":"x: ","q":null},"truncate_dim":8,"similarity_fn_name":"dot_product"}',
  );
  return withModel(folder, ({ sentenceTransformers }) => {
    assert.is(Object.getPrototypeOf(sentenceTransformers!.prompts), null);
    assert.equal(Object.entries(sentenceTransformers!.prompts), [
      ['__proto__', 'x: '],
      ['q', ''],
    ]);
    assert.is(sentenceTransformers!.truncateDim, 8);
    assert.is(sentenceTransformers!.similarity, 'dot');
  });
});

t('opens one directory many times at once', async () => {
  const models = await Promise.all(Array.from({ length: 20 }, () => openModelDirectory(golden('sentence/dense'))));
  await Promise.all(models.map((model) => model.close()));
  await Promise.all(models.map((model) => model.close()));
  for (const model of models) assert.is((await rejection(() => model.verifyUnchanged())).code, 'DISPOSED');
});

t('reports weights that change between opening and verifying', () => {
  const folder = tinyCopy('bert-relu');
  return withModel(folder, async (model) => {
    await model.verifyUnchanged();
    writeFileSync(`${folder}/model.safetensors`, readFileSync(golden('tiny/bert-silu/model.safetensors')));
    assert.is((await rejection(() => model.verifyUnchanged())).code, 'IO');
  });
});

t.run();
