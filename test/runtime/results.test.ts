import * as assert from 'uvu/assert';
import { loadModel, loadEmbedder } from '../../src/index.js';
import { loadAddon } from '../../src/runtime/addon.js';
import { messageOf, smallModel, startWorker } from '../support/library.js';
import { suite } from '../support/suite.js';

const t = suite('results');
const addon = loadAddon();

t('a large result has no native memory: it is computed into its array', async () => {
  const model = await loadModel(smallModel);
  const encoding = model.tokenizer.encode('hello guitar '.repeat(20));
  const texts = Array.from({ length: 400 }, () => encoding);
  const before = addon.allocatedBytes();
  const call = model.forward(texts);
  const workspaces = addon.allocatedBytes() - before;
  const results = await call;
  const bytes = results.reduce((sum, { lastHiddenState }) => sum + lastHiddenState.data.byteLength, 0);
  assert.ok(workspaces < bytes / 2, `${workspaces} bytes of native memory for a result of ${bytes}`);
  const alone = await model.forward(encoding);
  for (const { lastHiddenState } of results) assert.equal(lastHiddenState.data, alone.lastHiddenState.data);
  model.dispose();
});

t("a single text's tensors have memory of their own, of their size", async () => {
  const model = await loadModel(smallModel);
  const encoding = model.tokenizer.encode('hello guitar');
  const { lastHiddenState, hiddenStates, attentions } = await model.forward(encoding, { hiddenStates: true, attentions: true });
  const tensors = [...hiddenStates!, ...attentions!];
  for (const { data } of tensors) assert.is(data.buffer.byteLength, data.byteLength);
  assert.is(new Set(tensors.map(({ data }) => data.buffer)).size, tensors.length);
  const kept = lastHiddenState.data.slice();
  (await model.forward(encoding)).lastHiddenState.data.fill(0);
  assert.equal(lastHiddenState.data, kept);
  model.dispose();
});

t("a single text's vector is the memory that it was computed into, and its alone", async () => {
  const embedder = await loadEmbedder(smallModel);
  for (const embed of [async () => embedder.embedSync('hello'), () => embedder.embed('hello')]) {
    const { vector } = await embed();
    assert.is(vector.buffer.byteLength, vector.byteLength);
    const kept = vector.slice();
    (await embed()).vector.fill(0);
    assert.equal(vector, kept);
  }
  const [first, second] = embedder.embedSync(['hello', 'guitar']);
  assert.is.not(first!.vector.buffer, second!.vector.buffer);
  embedder.dispose();
});

t('threads write no more into the results of a worker that was terminated', async () => {
  const work = `const model = await loadModel(smallModel);
    const texts = new Array(150).fill(model.tokenizer.encode('hello guitar '.repeat(25)));
    parentPort.postMessage('ready');
    for (;;) await Promise.all([1, 2, 3].map((i) => model.forward(texts, { hiddenStates: i === 1, attentions: i === 2 })));`;
  for (let i = 0; i < 12; i++) {
    const worker = startWorker(work);
    await messageOf(worker);
    await new Promise((resolve) => setTimeout(resolve, (i * 7) % 40));
    const begin = performance.now();
    await worker.terminate();
    assert.ok(performance.now() - begin < 5000, 'a worker ends soon');
  }
  const embedder = await loadEmbedder(smallModel);
  assert.is((await embedder.embed('hello')).tokens, 3);
  embedder.dispose();
});

t.run();
