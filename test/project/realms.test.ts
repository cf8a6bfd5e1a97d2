import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { checkout, runNode } from '../support/mini-checkout.js';

const dist = pathToFileURL(join(checkout, 'dist', 'index.js')).href;
const foreign = pathToFileURL(join(checkout, 'test', 'support', 'foreign-realm.mjs')).href;
const golden = (name: string): string => JSON.stringify(join(checkout, 'test', 'golden', name));

/** Runs a module's body with `library`, the library of another realm, `globals`, that realm's, and `own`, the library of this realm. */
async function evaluate(body: string): Promise<unknown> {
  const source = `
    import { importForeign } from ${JSON.stringify(foreign)};
    const { library, globals } = await importForeign(${JSON.stringify(dist)});
    const own = await import(${JSON.stringify(dist)});
    const failure = (promise) => promise.then(() => undefined, (error) => error);
    const result = await (async () => { ${body} })();
    console.log('result ' + JSON.stringify(result));
  `;
  const env = process.env['BERTHA_ADDON'] ? { BERTHA_ADDON: process.env['BERTHA_ADDON'] } : {};
  const { code, output } = await runNode(checkout, ['--experimental-vm-modules', '--input-type=module', '--eval', source], env);
  const line = output.split('\n').find((each) => each.startsWith('result '));
  assert.ok(code === 0 && line !== undefined, output);
  return JSON.parse(line.slice('result '.length)) as unknown;
}

const t = suite('realms');

t('loads and runs models in another realm', async () => {
  const lengths = await evaluate(`
    const lengths = [];
    for (const directory of [undefined, ${golden('tiny/bert-mlm')}]) {
      const embedder = await library.loadEmbedder(directory);
      lengths.push((await embedder.embed('a cat')).vector.length, embedder.embedSync('a cat').vector.length);
      embedder.dispose();
    }
    return lengths;
  `);
  assert.is((lengths as number[])[0], 384);
  assert.is((lengths as number[])[1], 384);
  assert.ok((lengths as number[]).slice(2).every((length) => length > 0));
});

t('returns vectors of the realm that asks', async () => {
  const facts = await evaluate(`
    const embedder = await library.loadEmbedder(${golden('sentence/normalize')});
    const { Float32Array } = globals;
    const vectors = [(await embedder.embed('a')).vector, (await embedder.embed(['a', 'b']))[1].vector, embedder.embedSync('a').vector];
    const { lastHiddenState } = await (await library.loadModel(${golden('tiny/bert-mlm')})).forward({ ids: Int32Array.of(2, 3) });
    return [...vectors, lastHiddenState.data].map((vector) => vector instanceof Float32Array);
  `);
  assert.equal(facts, [true, true, true, true]);
});

t('throws BerthaErrors with their codes for errors of the system and of the addon', async () => {
  const facts = await evaluate(`
    const model = await library.loadModel(${golden('tiny/bert-mlm')});
    const errors = [
      await failure(model.forward({ ids: Int32Array.of(999999) })),
      await failure(library.loadModel(${golden('tiny/none')})),
      await failure(library.loadTokenizer(${golden('tiny')})),
    ];
    return errors.map((error) => [error instanceof library.BerthaError, error.code]);
  `);
  assert.equal((facts as unknown[][])[0], [true, 'INVALID_IDS']);
  for (const [isBerthaError] of facts as unknown[][]) assert.is(isBerthaError, true);
});

t('knows the errors of another realm by their brand', async () => {
  const facts = await evaluate(`
    const error = await failure(library.loadModel(7));
    class Narrower extends own.BerthaError {}
    return [error instanceof own.BerthaError, error instanceof Error, error instanceof Narrower, new Narrower('A', '') instanceof Narrower,
      new Narrower('A', '') instanceof library.BerthaError, ...[undefined, null, 7, {}, new Error('x')].map((value) => value instanceof own.BerthaError)];
  `);
  assert.equal(facts, [true, false, false, true, true, false, false, false, false, false]);
});

t('takes vectors of another realm wherever vectors are taken', async () => {
  const facts = await evaluate(`
    const there = await library.loadEmbedder(${golden('sentence/normalize')});
    const numbers = (await there.embed(['a cat', 'a dog', 'snow'])).map(({ vector }) => [...vector]);
    const uses = async (library, { Float32Array, Float64Array }) => {
      const vectors = numbers.map((each) => Float32Array.from(each));
      const doubles = numbers.map((each) => Float64Array.from(each));
      const matrix = { data: Float32Array.from(numbers.flat()), dimensions: numbers[0].length };
      const found = [];
      for (const corpus of [vectors, doubles, matrix]) found.push((await library.semanticSearch(vectors[1], corpus, { topK: 1 }))[0].index);
      const codes = library.quantizeVectors(vectors, 'int8');
      const bits = library.quantizeVectors(doubles, 'binary');
      found.push(library.quantizedSimilarity(vectors[1], codes).indexOf(Math.max(...library.quantizedSimilarity(vectors[1], codes))));
      found.push(library.rescore(vectors[1], bits, codes)[0].index, library.rescore(vectors[1], bits, vectors)[0].index);
      found.push(Math.round(library.similarity(vectors[0], vectors)[0]), Math.round(library.pairwiseSimilarity(vectors, doubles)[1]));
      const rows = await library.similarityMatrix(vectors, vectors);
      return [...found, ...rows.map((row, i) => Math.round(row[i]))];
    };
    return [await uses(own, globals), await uses(library, globalThis)];
  `);
  assert.equal(facts, [
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  ]);
});

t('returns arrays of the realm that asks from whatever computes', async () => {
  const facts = await evaluate(`
    const { Float32Array } = globals;
    const embedder = await library.loadEmbedder(${golden('sentence/normalize')});
    const vectors = (await embedder.embed(['a cat', 'a dog'])).map(({ vector }) => vector);
    const codes = library.quantizeVectors(vectors, 'int8');
    const features = await library.extractFeatures(await library.loadModel(${golden('tiny/bert-mlm')}), 'a cat');
    const arrays = [
      (await library.similarityMatrix(vectors, vectors))[0], library.similarity(vectors[0], vectors), library.quantizedSimilarity(vectors[0], codes),
      library.dequantizeVectors(codes)[0], features.data ?? features[0].data,
    ];
    return arrays.map((array) => array instanceof Float32Array);
  `);
  assert.equal(facts, [true, true, true, true, true]);
});

t.run();
