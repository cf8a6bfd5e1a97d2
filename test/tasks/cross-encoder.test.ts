import { rmSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inspectModel, loadEmbedder, loadModel, pipeline, rerank } from '../../src/index.js';
import { editJson, golden, rejection, sentenceCopy, temporaryFolder, tinyCopy } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';

const t = suite(`cross-encoder ${instructionSet}`);

const kTransformer = { idx: 0, name: '0', path: '', type: 'sentence_transformers.base.modules.transformer.Transformer' };

/** A tiny cross-encoder as CrossEncoder.save_pretrained of sentence-transformers 6.2 writes it. */
function saved(config: object, modules: readonly object[] = [kTransformer]): string {
  const folder = tinyCopy('bert-cross-encoder');
  editJson(`${folder}/config.json`, { sentence_transformers: undefined, sbert_ce_default_activation_function: undefined });
  writeFileSync(`${folder}/modules.json`, JSON.stringify(modules));
  writeFileSync(
    `${folder}/sentence_bert_config.json`,
    JSON.stringify({
      transformer_task: 'sequence-classification',
      modality_config: { text: { method: 'forward', method_output_name: 'logits' } },
      module_output_name: 'scores',
    }),
  );
  writeFileSync(
    `${folder}/config_sentence_transformers.json`,
    JSON.stringify({ model_type: 'CrossEncoder', prompts: {}, default_prompt_name: null, ...config }),
  );
  return folder;
}

async function rank(folder: string, query = 'Where?'): Promise<(readonly [number, number])[]> {
  const model = await loadModel(folder);
  try {
    return (await rerank(model, query, ['Here.', 'There.'])).map(({ index, score }) => [index, score] as const);
  } finally {
    model.dispose();
  }
}

/** sentence-transformers 6.2: `CrossEncoder(golden, activation_fn=torch.nn.NAME()).rank('Where?', ['Here.', 'There.'])`. */
const kRanks: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  Identity: [
    [1, 0.8710088464270207],
    [0, 0.44464371775517164],
  ],
  Sigmoid: [
    [1, 0.7049555745854206],
    [0, 0.6093649777569203],
  ],
  Tanh: [
    [1, 0.7018863373090991],
    [0, 0.41748620476923837],
  ],
  GELU: [
    [1, 0.7038843189242471],
    [0, 0.2986722433281397],
  ],
  Softplus: [
    [1, 1.2206293393548564],
    [0, 0.9399816018783208],
  ],
  Hardsigmoid: [
    [1, 0.6451681410711702],
    [0, 0.5741072862925286],
  ],
  Softshrink: [
    [1, 0.3710088464270207],
    [0, 0.0],
  ],
  SELU: [
    [1, 0.9151698549362287],
    [0, 0.4671875932667704],
  ],
};

for (const [name, expected] of Object.entries(kRanks)) {
  t(`ranks with the activation ${name} of config_sentence_transformers.json`, async () => {
    const packageName = name === 'Identity' ? 'linear' : 'activation';
    for (const activation_fn of [`torch.nn.modules.${packageName}.${name}`, `torch.nn.${name}`]) {
      const actual = await rank(saved({ activation_fn }));
      assert.equal(
        actual.map(([index]) => index),
        expected.map(([index]) => index),
      );
      actual.forEach(([, score], i) => assert.ok(Math.abs(score - expected[i]![1]) < 1e-5, `${score}, expected ${expected[i]![1]}`));
    }
  });
}

t('asks config.json for the activation where the new file names none, and then takes the sigmoid', async () => {
  const plain = await rank(saved({ activation_fn: null }));
  assert.equal(plain, await rank(saved({ activation_fn: 'torch.nn.Sigmoid' })));
  const folder = saved({});
  editJson(`${folder}/config.json`, { sentence_transformers: { activation_fn: 'torch.nn.modules.linear.Identity' } });
  assert.equal(await rank(folder), await rank(saved({ activation_fn: 'torch.nn.Identity' })));
  // Beside modules of a SentenceTransformer the file's fields are not a cross-encoder's.
  const other = saved({ model_type: 'SentenceTransformer', activation_fn: 'torch.nn.Identity' });
  assert.equal(await rank(other), plain);
  const unknown = await rejection(() => rank(saved({ activation_fn: 'my.Activation' })));
  assert.equal([unknown.code, unknown.message.includes('my.Activation')], ['CONFIG_UNSUPPORTED', true]);
});

t('puts the default prompt before the query', async () => {
  const prompted = saved({ prompts: { q: 'query: ', d: 'x' }, default_prompt_name: 'q' });
  assert.equal(await rank(prompted), await rank(saved({}), 'query: Where?'));
});

t('embeds with a cross-encoder by mean, as sentence-transformers converts it', async () => {
  const folder = saved({ prompts: { q: 'query: ' }, default_prompt_name: 'q' });
  const bare = tinyCopy('bert-cross-encoder');
  const vectors = [];
  for (const each of [folder, bare]) {
    const embedder = await loadEmbedder(each);
    vectors.push((await embedder.embed('Here.')).vector);
    embedder.dispose();
  }
  assert.equal(vectors[0], vectors[1]);
  const { loadable, problems, crossEncoder } = await inspectModel(folder);
  assert.equal([loadable, problems, crossEncoder?.prompt], [true, [], 'query: ']);
});

t('reads the length limit that CrossEncoder saved', async () => {
  const folder = saved({});
  editJson(`${folder}/sentence_bert_config.json`, { max_seq_length: 9 });
  const model = await loadModel(folder);
  assert.is(model.maxTokens, 9);
  model.dispose();
});

t('refuses scores of a cross-encoder with modules after its classifier', async () => {
  const pooling = { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' };
  assert.is((await rejection(() => rank(saved({}, [kTransformer, pooling])))).code, 'CONFIG_UNSUPPORTED');
});

const of = (kind: string, path = ''): object => ({ idx: 0, name: '0', path, type: `sentence_transformers.models.${kind}` });

t('no modules.json keeps the encoder and heads of a directory from being used', async () => {
  const lists: readonly unknown[] = [
    [of('Transformer')],
    [of('Transformer'), of('Normalize', '1_Normalize')],
    [of('Transformer'), of('Dense', '2_Dense')],
    [of('Transformer'), of('WordWeights', '1_WordWeights'), of('Pooling', '1_Pooling')],
    [of('WordEmbeddings', '0_WordEmbeddings'), of('Pooling', '1_Pooling')],
    [of('StaticEmbedding')],
    [{ ...of('Transformer'), type: 'custom.Transformer' }],
    [{ path: '' }],
    [7],
    [],
    {},
    null,
    'not a list',
  ];
  const plain = await loadModel(golden('tiny/bert-nli'));
  const expected = await plain.forward(plain.tokenizer.encode('x'));
  for (const list of [...lists.map((each) => JSON.stringify(each)), '', '[', '\ufeff[]']) {
    const folder = tinyCopy('bert-nli');
    writeFileSync(`${folder}/modules.json`, list);
    const model = await loadModel(folder);
    assert.equal(await model.forward(model.tokenizer.encode('x')), expected, list);
    assert.is((await (await pipeline('text-classification', model))('x', { top_k: null })).length, 3);
    const extract = await pipeline('feature-extraction', folder);
    assert.is((await extract('x')).dims.length, 3);
    assert.match((await rejection(() => loadEmbedder(folder))).code, /^(POOLING|CONFIG|CONFIG_UNSUPPORTED)$/, list);
    assert.match((await rejection(() => extract('x', { pooling: 'model' }))).code, /^(POOLING|CONFIG|CONFIG_UNSUPPORTED)$/);
    model.dispose();
  }
  plain.dispose();
});

t('what is wrong with a module behind the pooling is told to who embeds', async () => {
  const folder = sentenceCopy('dense');
  rmSync(`${folder}/2_Dense/model.safetensors`);
  const model = await loadModel(folder);
  assert.is((await model.forward(model.tokenizer.encode('x'))).lastHiddenState.dims.length, 2);
  assert.throws(() => model.values.sentenceEmbedding, /2_Dense/);
  model.dispose();
  assert.is((await rejection(() => loadEmbedder(folder))).code, 'MODEL_NOT_FOUND');
  const { loadable, problems } = await inspectModel(folder);
  assert.equal([loadable, problems.map(({ code }) => code)], [true, ['MODEL_NOT_FOUND']]);
  const overTokens = temporaryFolder(golden('sentence/new-layout'));
  writeFileSync(`${overTokens}/3_Normalize/config.json`, JSON.stringify({ module_input_name: 'token_embeddings' }));
  assert.is((await rejection(() => loadEmbedder(overTokens))).code, 'CONFIG_UNSUPPORTED');
});

t.run();
