// What `npm run check:runtimes` runs in each runtime: an application's use of the packages. Prints one line of JSON, { steps: { NAME: values } }, where equal
// steps of two runtimes are equal texts: numbers by their bits, but for scores, which JavaScript computes by Math.exp: engines differ in its last bit. A step that
// fails has { error }, and then the exit code is 1.
//   program.mjs MASKED_MODEL CLASSIFIER OUTPUT: a tiny masked-word model, a tiny classifier, and a folder to train into
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import {
  classifyText,
  fillMask,
  inspectModel,
  loadEmbedder,
  loadModel,
  loadTokenizer,
  recognizeEntities,
  systemInfo,
} from 'bertha-encoder';
import { train } from 'bertha-encoder/training';

const [maskedModel, classifier, output] = process.argv.slice(2);
const texts = ['A cat sits on the mat.', 'Stocks fell sharply on Monday, and bonds with them.', 'Grüße aus München: 東京 🙂'];
const hash = (...arrays) =>
  arrays
    .reduce((sum, array) => sum.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)), createHash('sha256'))
    .digest('hex');

/** The code of the error that a call ends with. */
const codeOf = (call) =>
  call.then(
    () => 'no error',
    (error) => `${error.name} ${error.code} ${error instanceof Error}`,
  );

async function vectorsIn(precision) {
  const embedder = await loadEmbedder(undefined, { precision });
  const together = await embedder.embed(texts);
  const sync = embedder.embedSync(texts[0]);
  embedder.dispose();
  return {
    vectors: hash(...together.map(({ vector }) => vector)),
    first: Array.from(together[0].vector.slice(0, 2)),
    sync: hash(sync.vector),
  };
}

const { isa } = systemInfo();
const { parametersByDtype } = await inspectModel();
// Weights that are stored as int8 refuse what is not int8.
const isRefused = (precision) => precision !== 'int8' && parametersByDtype.has('I8');
const embedIn = (precision) => (isRefused(precision) ? codeOf(loadEmbedder(undefined, { precision })) : vectorsIn(precision));
const steps = {
  isa: () => ({ chosen: isa.chosen, precisions: isa.precisions }),
  ...Object.fromEntries(isa.precisions.map((precision) => [`embed in ${precision}`, () => embedIn(precision)])),
  async tokenizer() {
    const tokenizer = await loadTokenizer();
    const { ids } = tokenizer.encode(texts[2]);
    return { ids: Array.from(ids), text: tokenizer.decode(ids) };
  },
  async classify() {
    const model = await loadModel(undefined, { task: 'text-classification' });
    const { labels } = await classifyText(model, 'What a lovely, moving film.');
    model.dispose();
    return labels;
  },
  async entities() {
    const model = await loadModel(undefined, { task: 'token-classification' });
    const { entities } = await recognizeEntities(model, 'Clara Jensen works for Redwood Airways in Rome.', {
      aggregationStrategy: 'first',
    });
    model.dispose();
    return entities;
  },
  async 'fill mask'() {
    const model = await loadModel(maskedModel);
    const { masks } = await fillMask(model, '[MASK]', { topK: 3 });
    model.dispose();
    return masks;
  },
  async 'worker thread'() {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData: texts });
    const message = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    return hash(...message);
  },
  async abort() {
    const embedder = await loadEmbedder();
    const controller = new AbortController();
    const call = embedder.embed(Array(4000).fill(texts[1]), { signal: controller.signal });
    controller.abort(new Error('enough'));
    const message = await call.then(
      () => 'no error',
      (error) => error.message,
    );
    const { vector } = await embedder.embed(texts[0]);
    embedder.dispose();
    return { message, afterwards: hash(vector) };
  },
  async dispose() {
    const embedder = await loadEmbedder();
    embedder.dispose();
    return codeOf(embedder.embed(texts[0]));
  },
  async 'typed errors'() {
    return [await codeOf(loadModel('./not-there')), await codeOf(loadEmbedder(undefined, { precision: 'int3' }))];
  },
  async require() {
    const { loadEmbedder: required } = createRequire(import.meta.url)('bertha-encoder');
    const embedder = await required();
    const { vector } = await embedder.embed(texts[0]);
    embedder.dispose();
    return hash(vector);
  },
  'command line'() {
    const cli = fileURLToPath(new URL('./node_modules/bertha-encoder/dist/cli/main.js', import.meta.url));
    const flags = 'Deno' in globalThis ? ['run', '--allow-all', '--node-modules-dir=manual'] : [];
    return execFileSync(process.execPath, [...flags, cli, 'embed', texts[0], '--format', 'jsonl'], { encoding: 'utf8' })
      .trim()
      .slice(0, 300);
  },
  async training() {
    const rows = Array.from({ length: 8 }, (_, i) => ({
      text: ['hello', 'guitar', 'hello hello', 'a guitar'][i % 4],
      label: i % 2 === 0 ? 'a' : 'b',
    }));
    const { model, metrics } = await train(classifier, rows, {
      task: 'text-classification',
      maxSteps: 4,
      seed: 7,
      outputDir: output,
      progress: false,
    });
    const { labels } = await classifyText(model, 'hello');
    model.dispose();
    return { loss: metrics.train_loss, labels };
  },
};

const results = {};
for (const [name, step] of Object.entries(steps)) {
  try {
    results[name] = await step();
  } catch (error) {
    results[name] = { error: String(error?.stack ?? error) };
    process.exitCode = 1;
  }
}
const kDigits = 12;
console.log(JSON.stringify({ steps: results }, (key, value) => (key === 'score' ? Number(value.toPrecision(kDigits)) : value)));
