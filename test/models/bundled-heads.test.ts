import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { BerthaError } from '../../src/errors.js';
import {
  classifyText,
  configure,
  fillMask,
  loadEmbedder,
  loadModel,
  pipeline,
  predictNextSentence,
  recognizeEntities,
  type BundledTask,
} from '../../src/index.js';
import { bundledHead, bundledTasks } from '../../src/models/bundled-heads.js';
import { suite } from '../support/suite.js';

const test = suite('bundled heads');
const weights = fileURLToPath(new URL('../../weights/', import.meta.url));
const bundled = join(weights, 'all-MiniLM-L6-v2');
const tiny = fileURLToPath(new URL('../golden/tiny/bert-sequence-classification', import.meta.url));

const failure = (loading: Promise<unknown>): Promise<BerthaError> =>
  loading.then(
    () => assert.unreachable('it loads') as never,
    (error: unknown) => error as BerthaError,
  );

test('sentiment: clear texts get the label that they have', async () => {
  const model = await loadModel(undefined, { task: 'text-classification' });
  const texts = ['A moving, funny film.', 'A dull, lifeless mess.', 'Wonderful service, we will come back.', 'The worst phone I ever had.'];
  const labels = (await classifyText(model, texts)).map(({ labels: [best] }) => best!.label);
  assert.equal(labels, ['positive', 'negative', 'positive', 'negative']);
  assert.equal(model.config.id2label, ['negative', 'positive']);
  model.dispose();
});

test('entities: people and places are found', async () => {
  const model = await loadModel(undefined, { task: 'token-classification' });
  const text = 'Angela Merkel met Tim Cook in Berlin.';
  const { entities: found } = await recognizeEntities(model, text, { aggregationStrategy: 'simple' });
  const entities = found.map(({ entityGroup, start, end }) => `${entityGroup}: ${text.slice(start, end)}`);
  assert.equal(entities, ['person: Angela Merkel', 'person: Tim Cook', 'location: Berlin']);
  model.dispose();
});

test('next sentence: what goes on is told from what does not', async () => {
  const model = await loadModel(undefined, { task: 'next-sentence-prediction' });
  const [castle, book] = ['The castle was built in the 12th century.', 'She opened the old book.'];
  const follows = await predictNextSentence(model, [
    { text: castle, textPair: 'It was destroyed by fire in 1689.' },
    { text: castle, textPair: 'Photosynthesis converts light into chemical energy.' },
    { text: book, textPair: 'Its pages smelled of dust.' },
    { text: book, textPair: 'Cobalt is mined in the Congo.' },
  ]);
  assert.equal(
    follows.map(({ isNext }) => isNext > 0.5),
    [true, false, true, false],
  );
  model.dispose();
});

test('masked words: gaps get the words that their neighbours ask for', async () => {
  const model = await loadModel(undefined, { task: 'fill-mask' });
  const gaps = [
    ['It was built in the 12th [MASK].', 'century'],
    ['He was born in the United [MASK] of America.', 'states'],
    ['She is one [MASK] the best players.', 'of'],
  ] as const;
  for (const [text, word] of gaps) {
    const { masks } = await fillMask(model, text);
    assert.ok(
      masks[0]!.candidates.some(({ tokenStr }) => tokenStr === word),
      `${text} ${masks[0]!.candidates.map(({ tokenStr }) => tokenStr).join()}`,
    );
  }
  model.dispose();
});

test('every head is there, no larger than 2.5 MB, with a card that says its licence and what it is good for', async () => {
  const scores = JSON.parse(readFileSync(join(weights, 'scores.json'), 'utf8')) as Record<
    string,
    { bundled: boolean; floors: object; adapter: object }
  >;
  for (const task of bundledTasks) {
    const folder = (await bundledHead(bundled, task))!;
    assert.ok(statSync(join(folder, 'adapter_model.safetensors')).size <= 2.5 * 2 ** 20, task);
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const part of ['license:', '**Good for**', '**Not for**', '## Scores', '## Training data']) assert.match(card, part, task);
    assert.is(/license: cc-by-sa-4.0/.test(card), folder.includes('heads-cc-by-sa-4.0'), 'what is share-alike lies by itself');
  }
  const shipped = Object.entries(scores).filter(([, { bundled: isShipped }]) => isShipped);
  assert.ok(shipped.length > 0);
  for (const [name, { adapter, floors }] of shipped) {
    for (const [metric, floor] of Object.entries(floors)) {
      assert.ok((adapter as Record<string, number>)[metric]! >= (floor as number), `${name}: ${metric}`);
    }
  }
});

test('all heads and the embedder hold the weights of the model once', async () => {
  const embedder = await loadEmbedder();
  const { weights: whole } = embedder.memoryUsage();
  const models = await Promise.all(bundledTasks.map((task) => loadModel(undefined, { task })));
  for (const [i, model] of models.entries()) {
    const { weights: all, sharedWeights } = model.memoryUsage();
    // A decoder reads the word table as a matrix: that is laid out once more.
    const { vocabSize, hiddenSize } = model.config;
    const decoder = bundledTasks[i] === 'fill-mask' ? 4 * vocabSize * hiddenSize : 0;
    assert.ok(all - sharedWeights - decoder < 0.1 * whole, `${all - sharedWeights} bytes of its own`);
    model.dispose();
  }
  embedder.dispose();
});

test('a pipeline without a model has the bundled head', async () => {
  const classify = await pipeline('sentiment-analysis');
  const [found] = (await classify('I love it.')) as { label: string; score: number }[];
  assert.is(found!.label, 'positive');
  await classify.dispose();
});

test('a task beside a model or an adapter, and one without a head, are errors', async () => {
  const task = 'text-classification';
  assert.is((await failure(loadModel(tiny, { task }))).code, 'INVALID_OPTION');
  const adapter = (await bundledHead(bundled, task))!;
  assert.is((await failure(loadModel(undefined, { task, adapter }))).code, 'INVALID_OPTION');
  const unknown = await failure(loadModel(undefined, { task: 'zero-shot-classification' as BundledTask }));
  assert.is(unknown.code, 'INVALID_OPTION');
  assert.match(unknown.message, 'text-classification');
});

test('another default model has its own heads', async () => {
  configure({ modelDirectory: tiny });
  try {
    const model = await loadModel(undefined, { task: 'text-classification' });
    assert.is(model.directory, tiny);
    assert.ok(model.values.heads.sequenceClassification);
    model.dispose();
  } finally {
    configure({});
  }
});

test('what lies in the folders of heads is known', () => {
  const folders = ['heads', 'heads-cc-by-sa-4.0'].filter((name) => existsSync(join(bundled, name)));
  const found = folders.flatMap((name) =>
    readdirSync(join(bundled, name), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [`${name}/${entry.name}`] : [])),
  );
  assert.is(new Set(found).size, found.length);
  for (const folder of found) {
    assert.equal(readdirSync(join(bundled, folder)).sort(), [
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'config.json',
    ]);
    const { base_model_name_or_path: base } = JSON.parse(readFileSync(join(bundled, folder, 'adapter_config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    assert.is(base, 'sentence-transformers/all-MiniLM-L6-v2');
  }
});

test.run();
