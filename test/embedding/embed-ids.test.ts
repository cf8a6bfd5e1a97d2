import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { embedderOf, loadEmbedder, loadModel, rerank, type BerthaError, type CallReport } from '../../src/index.js';
import { suite } from '../support/suite.js';

const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
const t = suite('embedIds');
const texts = ['hello', 'the guitar and the band', ''];

t('gives the ids of a text the bits of its vector, whatever else is in the call', async () => {
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const ids = texts.map((text) => embedder.tokenizer.encode(text).ids);
  const [expected, found] = await Promise.all([embedder.embed(texts, { dimensions: 5 }), embedder.embedIds(ids, { dimensions: 5 })]);
  assert.equal(found, expected);
  embedder.dispose();
});

t('cuts at the limit as embed cuts ids, or refuses, naming the index', async () => {
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const { ids } = embedder.tokenizer.encode(texts[1]!);
  const [cut, whole] = await embedder.embedIds([ids, ids.slice(0, 4)], { maxLength: 4 });
  assert.equal([cut!.tokens, cut!.truncated, whole!.truncated], [4, true, false]);
  assert.equal(cut!.vector, whole!.vector);
  await embedder.embedIds([ids.slice(0, 4), ids], { maxLength: 4, onTruncate: 'error' }).then(
    () => assert.unreachable(),
    (error: BerthaError) => {
      assert.equal([error.code, /at index 1/.test(error.message)], ['MAX_LENGTH', true]);
    },
  );
  embedder.dispose();
});

t('refuses ids beyond the vocabulary and what is no list of ids', async () => {
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const codeOf = (ids: unknown): Promise<string> => embedder.embedIds(ids as Int32Array[]).then(String, (error: BerthaError) => error.code);
  assert.equal(await Promise.all([[Int32Array.of(1e6)], [Int32Array.of(0), Int32Array.of(-1)]].map(codeOf)), [
    'INVALID_IDS',
    'INVALID_IDS',
  ]);
  assert.equal(await Promise.all(['x', [[1]], Int32Array.of(1)].map(codeOf)), ['INVALID_ARG', 'INVALID_ARG', 'INVALID_ARG']);
  embedder.dispose();
});

t('an embedder over a loaded model has the bits of loadEmbedder, and its calls tell their size', async () => {
  const directory = golden('tiny/bert-cross-encoder');
  const [model, own] = await Promise.all([loadModel(directory), loadEmbedder(directory)]);
  assert.equal(await embedderOf(model).embed(texts), await own.embed(texts));
  let heard: CallReport | undefined;
  await rerank(model, 'hello', texts, { onTimings: (report) => (heard = report) });
  assert.equal([heard!.texts, heard!.tokens > 9], [3, true]);
  own.dispose();
  model.dispose();
});

t.run();
