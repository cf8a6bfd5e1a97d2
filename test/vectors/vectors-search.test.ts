import vm from 'node:vm';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { semanticSearch, similarity, similarityMatrix, systemInfo, type VectorMatrix } from '../../src/index.js';
import { rejection } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';
import { messageOf, runChild, startWorker } from '../support/library.js';
import { Random } from '../support/random.js';
import { skip } from '../support/skip.js';
import { canMeasureTurns, measureTurns } from '../support/turns.js';

const t = suite(`vector search ${instructionSet}`);
const random = new Random(12);
const vectors = (count: number, width: number): Float32Array[] => Array.from({ length: count }, () => random.floats(width));
const wide = (count: number, width: number): Float64Array[] =>
  Array.from({ length: count }, () => Float64Array.from({ length: width }, () => random.normal()));
const matrix = (rows: readonly Float32Array[]): VectorMatrix => ({
  data: Float32Array.from(rows.flatMap((row) => [...row])),
  dimensions: rows[0]!.length,
});

type Vector = Float32Array | Float64Array;
function best(query: Vector, corpus: readonly Vector[], topK: number, score: (a: Vector, b: Vector) => number = similarity) {
  const scored = corpus.map((vector, index) => ({ index, score: score(query, vector) }));
  return scored.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, topK);
}
function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

for (const [corpus, queries, width] of [
  [1, 1, 1],
  [3, 2, 5],
  [100, 3, 17],
  [1000, 7, 33],
  [3000, 150, 40],
  [9, 700, 384],
] as const) {
  t(`finds what sorting all similarities finds, to the bit: ${corpus} vectors, ${queries} queries, width ${width}`, async () => {
    const [list, wanted] = [vectors(corpus, width), vectors(queries, width)];
    const [wideList, wideWanted] = [wide(corpus, width), wide(queries, width)];
    const found = await semanticSearch(wanted, list, { topK: 7 });
    assert.equal(await semanticSearch(wanted, matrix(list), { topK: 7 }), found);
    const products = await semanticSearch(wanted, list, { topK: 7, score: 'dot' });
    const wideFound = await semanticSearch(wideWanted, wideList, { topK: 7 });
    for (let q = 0; q < queries; q += 11) {
      assert.equal(found[q], best(wanted[q]!, list, 7));
      assert.equal(products[q], best(wanted[q]!, list, 7, dot));
      assert.equal(wideFound[q], best(wideWanted[q]!, wideList, 7));
    }
  });
}

t('similarityMatrix gives what similarity gives, to the bit', async () => {
  for (const [m, n, width] of [
    [1, 1, 1],
    [300, 5, 31],
    [2, 5000, 300],
    [270, 270, 16],
  ] as const) {
    const [a, b] = [vectors(m, width), vectors(n, width)];
    a[0]!.fill(0);
    const expected = similarity(a, b);
    assert.equal(await similarityMatrix(a, b), expected);
    assert.equal(await similarityMatrix(matrix(a), matrix(b)), expected);
    const products = await similarityMatrix(a, b, { score: 'dot' });
    assert.is(products[m - 1]![n - 1], Math.fround(dot(a[m - 1]!, b[n - 1]!)));
  }
  assert.equal(await similarityMatrix([], []), []);
  assert.equal(await similarityMatrix([], vectors(2, 3)), []);
  assert.equal(await similarityMatrix(vectors(2, 3), []), [new Float32Array(0), new Float32Array(0)]);
});

t('scores have the same bits on every instruction set', async () => {
  const source = `const { semanticSearch, similarityMatrix } = await import(library);
    let seed = 1;
    const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) | 0) / 2 ** 31;
    const list = (count, Type) => Array.from({ length: count }, () => Type.from({ length: 77 }, next));
    for (const Type of [Float32Array, Float64Array]) {
      const [a, b] = [list(19, Type), list(2000, Type)];
      console.log(JSON.stringify(await semanticSearch(a, b)), (await similarityMatrix(a, b)).join());
    }`;
  const outputs: string[] = [];
  // One by one where a set is asked for: each of them has a run of its own.
  const { forced, chosen, available } = systemInfo().isa;
  for (const isa of forced ? ['scalar', chosen] : available) {
    const { code, output } = await runChild(source, { environment: { BERTHA_ISA: isa } });
    assert.is(code, 0, output);
    outputs.push(output);
  }
  assert.ok(outputs[0]!.length > 10_000);
  for (const output of outputs) assert.ok(output === outputs[0]);
});

t('equal scores come in the order of the indices, over all blocks and units', async () => {
  const one = random.floats(64);
  const list = Array.from({ length: 20_000 }, () => one);
  const found = await semanticSearch([one, one], list, { topK: 300 });
  const expected = Array.from({ length: 300 }, (_, index) => index);
  for (const results of found) {
    assert.equal(
      results.map(({ index }) => index),
      expected,
    );
  }
});

t('a threshold leaves out what is less similar; it is met by what equals it', async () => {
  const list = vectors(500, 8);
  const [query] = vectors(1, 8);
  const sorted = best(query!, list, 500);
  const threshold = sorted[20]!.score;
  assert.equal(await semanticSearch(query!, list, { topK: 500, threshold }), sorted.slice(0, 21));
  assert.equal(await semanticSearch(query!, list, { topK: 5, threshold }), sorted.slice(0, 5));
  assert.equal(await semanticSearch(query!, list, { threshold: 1.5 }), []);
  assert.is((await semanticSearch(query!, list, { topK: 1000, threshold: -1 })).length, 500);
  assert.is((await rejection(() => semanticSearch(query!, list, { threshold: NaN }))).code, 'INVALID_OPTION');
});

t('takes plain numbers, other realms, embeddings and lists of mixed kinds', async () => {
  const list = [[1, 0], Float64Array.of(0, 2), vm.runInNewContext('Float32Array.of(3, 3)') as Float32Array, { vector: [0, -1] }];
  const expected = [
    { index: 1, score: 1 },
    { index: 2, score: Math.SQRT1_2 },
    { index: 0, score: 0 },
    { index: 3, score: -1 },
  ];
  for (const query of [[0, 1], { vector: [0, 5] }, vm.runInNewContext('[0, 1]') as number[]]) {
    const found = await semanticSearch(query, list);
    assert.equal(
      found.map(({ index }) => index),
      expected.map(({ index }) => index),
    );
    found.forEach(({ score }, i) => assert.ok(Math.abs(score - expected[i]!.score) < 1e-15));
  }
  assert.equal(await semanticSearch([[0, 1]], list, { topK: 1 }), [[expected[0]]]);
  assert.equal(await similarityMatrix([[1, 0]], [[1, 0], Float32Array.of(0, 1)]), [Float32Array.of(1, 0)]);
  assert.is(similarity([3, 4], [6, 8]), 1);
});

t('what is no vector, has another length or is not finite is INVALID_ARG and names the place', async () => {
  const list: unknown[] = vectors(3000, 4);
  list[2999] = Float32Array.of(1, 2, NaN, 4);
  const search = (query: unknown, corpus: unknown): Promise<unknown> => semanticSearch(query as number[], corpus as number[][]);
  assert.match((await rejection(() => search([1, 2, 3, 4], list))).message, 'index 2999');
  list[2999] = Float32Array.of(1, 2, 3);
  assert.match((await rejection(() => search([1, 2, 3, 4], list))).message, /4 numbers.*index 2999.*received 3/);
  list[2999] = 'vector';
  for (const [query, corpus] of [
    [[1, 2, 3, 4], list],
    [[1, 2, 3, Infinity], list.slice(0, 5)],
    [[1, 2, 3], list.slice(0, 5)],
    [[1, 2, 3, '4'], list.slice(0, 5)],
    [null, list.slice(0, 5)],
    [[1], null],
    [[1], { data: Float32Array.of(1, 2, 3), dimensions: 2 }],
    [[1], { data: [1, 2], dimensions: 1 }],
    [[1], { data: Int8Array.of(1), dimensions: 1 }],
    [[1], [[]]],
    [new Float32Array(0), [[]]],
  ] as const) {
    assert.is((await rejection(() => search(query, corpus))).code, 'INVALID_ARG');
    if (query?.[3] === Infinity) continue; // a number like others for similarity: the result is NaN
    assert.is((await rejection(() => similarityMatrix([query] as never, corpus as never))).code, 'INVALID_ARG', String(query));
  }
});

t('an array that is transferred while it is searched makes the call fail, and nothing else', async () => {
  const { data, dimensions } = { data: new Float32Array(5_000_000).fill(1), dimensions: 100 };
  const running = [
    semanticSearch(data.slice(0, 100), { data, dimensions }),
    similarityMatrix([[...data.slice(0, 100)]], { data, dimensions }),
  ];
  await new Promise(setImmediate);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  for (const call of await Promise.allSettled(running)) {
    assert.match(call.status === 'rejected' ? (call.reason as Error).message : 'found', 'transferred');
  }
});

t('an abort ends a search at once, with its reason', async () => {
  const list = vectors(2000, 256);
  const reason = new Error('no longer wanted');
  const options = { signal: AbortSignal.abort(reason) };
  assert.is(await semanticSearch(list, list, options).catch((error: unknown) => error), reason);
  for (const call of [semanticSearch, similarityMatrix]) {
    const controller = new AbortController();
    const running = call(list, list, { signal: controller.signal }).catch((error: unknown) => error);
    setImmediate(() => controller.abort(reason));
    assert.is(await running, reason);
  }
  assert.is((await semanticSearch(list[5]!, list, { topK: 1 }))[0]!.index, 5);
});

t('the event loop turns while vectors are searched', async () => {
  if (!canMeasureTurns()) return skip('the time of one thread in steps below a millisecond (Linux, /proc)');
  const data = new Float32Array(30_000_000).fill(0.5);
  const corpora = [{ data, dimensions: 300 }, Array.from({ length: 100_000 }, (_, i) => data.subarray(i * 300, (i + 1) * 300))];
  const query = data.slice(0, 300);
  for (const corpus of corpora) {
    for (const call of [() => semanticSearch(query, corpus), () => similarityMatrix([query], corpus)]) {
      let least = Infinity;
      // The garbage collector makes long turns as well: it may try again.
      for (let i = 0; i < 5 && least > 10; i++) {
        const { turns, longest } = await measureTurns(call);
        assert.ok(turns > 10, `${turns} turns`);
        least = Math.min(least, longest);
      }
      if (process.env['BERTHA_SANITIZER'] === undefined) assert.ok(least <= 10, `a turn of the event loop takes ${least.toFixed(1)} ms`);
    }
  }
});

t('a worker that is terminated while it searches harms nobody', async () => {
  const source = `const { semanticSearch } = await import(library);
    const data = new Float32Array(4_000_000).fill(1);
    parentPort.postMessage('ready');
    for (;;) await semanticSearch(data.slice(0, 200), { data, dimensions: 200 });`;
  for (let i = 0; i < 5; i++) {
    const worker = startWorker(source);
    await messageOf(worker);
    await new Promise((resolve) => setTimeout(resolve, 5 * i));
    await worker.terminate();
  }
  const list = vectors(50, 20);
  assert.equal(await semanticSearch(list[3]!, list, { topK: 4 }), best(list[3]!, list, 4));
});

t.run();
