import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from './support/suite.js';
import * as assert from 'uvu/assert';
import { checkout, runNode } from './support/mini-checkout.js';

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

t('takes vectors of another realm in semanticSearch and similarity', async () => {
  const facts = await evaluate(`
    const there = await library.loadEmbedder(${golden('sentence/normalize')});
    const foreignVectors = (await there.embed(['a cat', 'a dog', 'snow'])).map(({ vector }) => new globals.Float32Array(vector));
    const doubles = foreignVectors.map((vector) => globals.Float64Array.from(vector));
    const matrix = { data: globals.Float32Array.from(foreignVectors.flatMap((vector) => [...vector])), dimensions: foreignVectors[0].length };
    const best = [];
    for (const corpus of [foreignVectors, doubles, matrix]) best.push((await own.semanticSearch(foreignVectors[1], corpus, { topK: 1 }))[0].index);
    best.push(Math.round(own.similarity(foreignVectors[0], foreignVectors[0])));
    best.push(Object.keys(own.quantizeVectors(foreignVectors, 'int8')).length > 0);
    return best;
  `);
  assert.equal(facts, [1, 1, 1, 1, true]);
});

t.run();
