import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { WeightMap } from '../../src/checkpoint/weights/weights.js';
import { editJson, golden, refusesSentences, rejectsModel, sentenceCopy, withModel } from '../support/checkpoint-files.js';

const t = suite('checkpoint sentence-transformers');

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
    await rejectsModel('CONFIG', folder, /max_seq_length/);
    editJson(`${folder}/sentence_bert_config.json`, { max_seq_length: null });
    editJson(`${folder}/tokenizer_config.json`, { model_max_length: value });
    await rejectsModel('TOKENIZER', folder, /model_max_length/);
  }
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
    assert.ok(model.tokenizerFiles.tokenizerJson);
  });
});

t('rejects module paths that leave the directory', async () => {
  for (const escape of ['..', '../1_Pooling', '/tmp', '1_Pooling/../../x', '..\\x', 'C:\\x']) {
    for (const index of [0, 1, 2]) {
      await rejectsModel(
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
  await rejectsModel('INDEX_PATH', linked, /link/);
});

t('rejects modules it would leave out silently', async () => {
  const retyped = (index: number, type: unknown): string =>
    withModules((modules) => {
      modules[index]!['type'] = type;
    });
  await refusesSentences('CONFIG_UNSUPPORTED', retyped(2, 'sentence_transformers.models.LSTM'), /LSTM/);
  await refusesSentences('CONFIG_UNSUPPORTED', retyped(2, 'custom_st.Dense'), /custom_st/);
  await refusesSentences('CONFIG_UNSUPPORTED', retyped(0, 'sentence_transformers.models.CLIPModel'));
  await refusesSentences('POOLING', retyped(1, 'sentence_transformers.models.WeightedLayerPooling'));
  await refusesSentences('POOLING', retyped(2, 'sentence_transformers.models.Pooling'));
  await refusesSentences('CONFIG', retyped(2, 7));
  await refusesSentences(
    'POOLING',
    withModules((modules) => modules.slice(0, 1)),
  );
  await withModel(retyped(2, 'sentence_transformers.models.Dropout'), (model) => assert.equal(model.sentenceTransformers!.modules, []));
});

t('rejects a modules.json that is no list of modules', async () => {
  for (const value of [{}, [], [1], [null], Array(65).fill({ type: 'sentence_transformers.models.Transformer', path: '' })]) {
    await refusesSentences(
      'CONFIG',
      withModules(() => value),
    );
  }
});

t('rejects pooling that is missing or does not fit the model', async () => {
  const folder = sentenceCopy('dense');
  editJson(`${folder}/1_Pooling/config.json`, { word_embedding_dimension: 384 });
  await refusesSentences('POOLING', folder, /word_embedding_dimension/);
  rmSync(`${folder}/1_Pooling/config.json`);
  await refusesSentences('POOLING', folder, /1_Pooling\/config\.json/);
  rmSync(`${folder}/1_Pooling`, { recursive: true });
  await refusesSentences('POOLING', folder);
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
    await refusesSentences(code, folder, new RegExp(field));
  }
  for (const [code, weights] of [
    ['MODEL_MISMATCH', golden('sentence/new-layout/2_Dense/model.safetensors')],
    ['MODEL_MISMATCH', golden('tiny/bert-relu/model.safetensors')],
    ['NOT_COVERED', golden('safetensors/047')],
  ] as const) {
    const other = sentenceCopy('dense');
    copyFileSync(weights, `${other}/2_Dense/model.safetensors`);
    await refusesSentences(code, other);
  }
  const folder = sentenceCopy('dense');
  renameSync(`${folder}/2_Dense/model.safetensors`, `${folder}/2_Dense/pytorch_model.bin`);
  await refusesSentences('UNSAFE_FORMAT', folder, /2_Dense/);
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
    await refusesSentences(code, folder, new RegExp(field));
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

t.run();
