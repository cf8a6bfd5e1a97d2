import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import * as bertha from '../../src/index.js';

const t = suite('public API');
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Classes for code that was written for transformers, by the names it uses. */
const pythonClass = /^(Auto\w+|[A-Z]\w+(For[A-Z]\w+|Model|Decoder|Tokenizer(Fast)?))$/;

t('exports these names', () => {
  const names = Object.keys(bertha).sort();
  assert.equal(
    names.filter((name) => !pythonClass.test(name)),
    [
      'BerthaError',
      'LogLevel',
      'Tensor',
      'TextStreamer',
      'answerQuestion',
      'calibrate',
      'cat',
      'chunkText',
      'classifyText',
      'classifyZeroShot',
      'communityDetection',
      'compare',
      'comparisonHtml',
      'comparisonSvg',
      'configure',
      'cos_sim',
      'dequantizeVectors',
      'detectReplacedTokens',
      'dot',
      'downloadModel',
      'embedWindows',
      'embedderOf',
      'env',
      'evaluateBinary',
      'evaluateReranking',
      'evaluateRetrieval',
      'evaluateSimilarity',
      'evaluateTriplets',
      'extractFeatures',
      'fillMask',
      'fillMasks',
      'formatVectors',
      'full',
      'full_like',
      'generate',
      'generateStream',
      'inspectModel',
      'layer_norm',
      'loadEmbedder',
      'loadModel',
      'loadTokenizer',
      'loadVectors',
      'log_softmax',
      'matmul',
      'maxSim',
      'mean',
      'mean_pooling',
      'metrics',
      'multipleChoice',
      'ones',
      'ones_like',
      'pairwiseSimilarity',
      'paraphraseMining',
      'permute',
      'pipeline',
      'predictNextSentence',
      'predictPairs',
      'pseudoLogLikelihood',
      'quantizeModel',
      'quantizeVectors',
      'quantize_embeddings',
      'quantizedSimilarity',
      'rand',
      'randn',
      'recognizeEntities',
      'rerank',
      'rescore',
      'saveVectors',
      'semanticSearch',
      'sentenceSimilarity',
      'setMaxStateBytes',
      'setQueueLimit',
      'similarity',
      'similarityMatrix',
      'slice',
      'softmax',
      'sparseDot',
      'stack',
      'stats',
      'std_mean',
      'summarize',
      'systemInfo',
      'toRows',
      'topk',
      'translate',
      'zeros',
      'zeros_like',
    ],
  );
  for (const name of ['AutoModel', 'AutoTokenizer', 'BertForMaskedLM', 'BertModel', 'BertTokenizer']) assert.ok(names.includes(name), name);
});

t('loadModel gives a forward with shapes', async () => {
  const model = await bertha.loadModel(`${root}test/golden/tiny/bert-base-noprefix`);
  const encodings = ['hello', 'hello guitar'].map((text) => model.tokenizer.encode(text));
  const [first, second] = await model.forward(encodings, { hiddenStates: true, attentions: true });
  const { hiddenSize, numLayers, numHeads } = model.config;
  assert.equal(first!.lastHiddenState.dims, [3, hiddenSize]);
  assert.equal(second!.lastHiddenState.dims, [4, hiddenSize]);
  assert.is(second!.lastHiddenState.data.length, 4 * hiddenSize);
  assert.is(first!.hiddenStates!.length, numLayers + 1);
  assert.equal(second!.attentions![0]!.dims, [numHeads, 4, 4]);
  assert.equal(first!.poolerOutput!.dims, [hiddenSize]);
  assert.equal((await model.forward(encodings[0]!)).lastHiddenState.data, first!.lastHiddenState.data);
  model.dispose();
});

t('forward refuses what is no encoding, and ids and lengths that the model lacks', async () => {
  const model = await bertha.loadModel(`${root}test/golden/tiny/bert-base-noprefix`);
  const refusal = (encoding: unknown, options?: object) =>
    model.forward(encoding as { ids: Int32Array }, options).then(
      () => 'no error',
      (error: unknown) => (error as bertha.BerthaError).code,
    );
  const ids = (...values: number[]) => ({ ids: Int32Array.from(values) });
  assert.is(await refusal(ids(-1)), 'INVALID_IDS');
  assert.is(await refusal([ids(1), ids(model.config.vocabSize)]), 'INVALID_IDS');
  for (const values of [[1.5], [2 ** 32], 'abc', null]) assert.is(await refusal({ ids: values }), 'INVALID_IDS');
  for (const encoding of [null, undefined, 3, [null]]) assert.is(await refusal(encoding), 'INVALID_IDS');
  assert.is(await refusal({ ...ids(1, 2), typeIds: Int32Array.of(0) }), 'INVALID_ARG');
  assert.is(await refusal({ ...ids(1, 2), typeIds: Int32Array.of(0, 9) }), 'INVALID_IDS');
  assert.is(await refusal(ids()), 'INVALID_ARG');
  assert.is(await refusal({ ids: new Int32Array(model.config.maxSequenceLength + 1) }), 'INVALID_ARG');
  assert.is(await refusal(ids(1), { hidden_states: true }), 'INVALID_OPTION');
  assert.equal(await model.forward([]), []);
  assert.is((await model.forward(ids(1))).lastHiddenState.dims[0], 1);
  model.dispose();
  model.dispose();
  assert.is(await refusal(ids(1)), 'DISPOSED');
  const loading = (directory: unknown, options?: object) =>
    bertha.loadModel(directory as string, options).then(
      () => 'no error',
      (error: unknown) => (error as bertha.BerthaError).message,
    );
  assert.match(await loading(undefined, { thread: 2 }), 'Did you mean "threads"?');
  assert.match(await loading(3), 'Expected a model directory');
});

t('loadTokenizer needs the tokenizer files only, and knows the limit of the model', async () => {
  const tokenizer = await bertha.loadTokenizer();
  assert.equal([...tokenizer.encode('Hello world').ids], [101, 7592, 2088, 102]);
  const { ids, truncated } = tokenizer.encode('word '.repeat(1000), { truncation: true });
  assert.equal([ids.length, truncated], [256, true]);
});

t('inspectModel finds every golden BERT loadable, and agrees with loadModel about the others', async () => {
  for (const folder of ['sentence', 'tiny']) {
    for (const name of readdirSync(`${root}test/golden/${folder}`)) {
      const directory = `${root}test/golden/${folder}/${name}`;
      const { loadable, problems } = await bertha.inspectModel(directory);
      const outcome = await bertha.loadModel(directory).then(
        (model) => (model.dispose(), 'loaded'),
        (error: unknown) => (error as bertha.BerthaError).code,
      );
      assert.is(loadable ? 'loaded' : problems[0]!.code, outcome, directory);
      if (name.startsWith('bert-') || folder === 'sentence') assert.is(outcome, 'loaded', directory);
    }
  }
});

t('systemInfo says what computes', () => {
  const { addon, isa, threads, cuda, device } = bertha.systemInfo();
  assert.ok(['node-gyp', 'cmake-js', process.env['BERTHA_SANITIZER']].includes(addon.builder));
  assert.ok(isa.available.includes(isa.chosen) && isa.available.includes('scalar'));
  assert.is(isa.forced, process.env['BERTHA_ISA'] !== undefined);
  assert.ok(threads.pool >= 1 && threads.reason.length > 0);
  assert.is(cuda.available, cuda.problem === '');
  assert.is(device.asked, 'auto');
  assert.is(device.chosen, cuda.available ? 'cuda' : 'cpu');
});

t('every error code in the sources is documented, and every documented one exists', () => {
  const sources = ['src', 'packages/jobs/src', 'native'].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|cc|h|cu|cuh)$/.test(name))
      .map((name) => readFileSync(`${root}${folder}/${name}`, 'utf8')),
  );
  const all = sources.join('\n');
  const thrown = [/BerthaError\(\s*'([A-Z][A-Z0-9_]+)'/g, /\b(?:fail|make_error|Error|BERTHA_CHECK)\([^;"]*?"([A-Z][A-Z0-9_]+)"/g].flatMap(
    (pattern) => Array.from(all.matchAll(pattern), (match) => match[1]!),
  );
  const documented = readFileSync(`${root}docs/errors.md`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => Array.from(line.split('|')[1]!.matchAll(/`([A-Z0-9_]+)`/g), (match) => match[1]!));
  assert.ok(documented.length > 30);
  for (const code of new Set(thrown)) assert.ok(documented.includes(code), `${code} is not in docs/errors.md`);
  for (const code of documented)
    assert.ok(all.includes(`'${code}'`) || all.includes(`"${code}"`), `${code} is in docs/errors.md but not in the sources`);
});

t.run();
