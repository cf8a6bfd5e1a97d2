import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { generate, loadModel, summarize, translate, type Model } from '../../src/index.js';
import { serve, serverSuite, tinyModels, type Serving } from './support/serving.js';

const t = serverSuite('server: generation');
const folder = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
let server: Serving;
let marian: Model;
let causal: Model;
t.before(async () => {
  const writers = ['marian-separate', 'bertgen-lm'].map((name) => ({ name, model: folder(name) }));
  server = await serve({ models: [tinyModels[0]!, ...writers] });
  [marian, causal] = (await Promise.all(writers.map(({ model }) => loadModel(model)))) as [Model, Model];
});
t.after(async () => {
  await server.close();
  marian.dispose();
  causal.dispose();
});
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const texts = ['The house is small.', 'Where is the station? It rains.'];

t('/tasks/translate and /tasks/summarize answer as the library does', async () => {
  const options = { numBeams: 3, maxNewTokens: 9 };
  const translated = await server.post('/tasks/translate', { inputs: texts, model: 'marian-separate', split: 'sentences', ...options });
  assert.equal([translated.status, translated.json], [200, plain(await translate(marian, texts, { split: 'sentences', ...options }))]);
  const { json } = await server.post('/tasks/summarize', { inputs: texts[0], model: 'marian-separate', ...options });
  const { text, score, tokens } = await summarize(marian, texts[0]!, options);
  const found = json as { text: string; score: number; tokens: number };
  assert.equal([found.text, found.score, found.tokens], [text, score, tokens]);
});

t('/tasks/generate gives the draws of a seed, a list for each input', async () => {
  const options = { doSample: true, topP: 0.9, topK: 20, seed: 7, numReturnSequences: 2, maxNewTokens: 6 };
  const expected = await generate(causal, texts, options);
  const { status, json } = await server.post('/tasks/generate', { inputs: texts, model: 'bertgen-lm', ...options });
  assert.is(status, 200);
  assert.equal(
    (json as { generated: { text: string; ids: number[]; seed: number }[] }[]).map(({ generated }) =>
      generated.map((each) => [each.text, each.ids, each.seed]),
    ),
    expected.map((all) => all.map((each) => [each.text, [...each.ids], 7])),
  );
});

t('refuses what cannot be, and a model that does not write', async () => {
  const cases: [string, object, number, RegExp][] = [
    ['generate', { inputs: 'a', model: 'bertgen-lm', temperature: 0, doSample: true }, 422, /above 0/],
    ['generate', { inputs: 'a', model: 'bertgen-lm', beams: 2 }, 422, /beams/],
    ['generate', { inputs: [], model: 'bertgen-lm' }, 400, /at least one input/],
    ['translate', { inputs: 'a', model: 'marian-separate', targetLanguage: 'fr' }, 422, /fr/],
    ['translate', { inputs: 'a', model: tinyModels[0]!.name }, 424, /a model that writes texts/],
  ];
  for (const [task, body, status, message] of cases) {
    const answer = await server.post(`/tasks/${task}`, body);
    assert.match(answer.text, message);
    assert.is(answer.status, status, answer.text);
  }
});

t.run();
