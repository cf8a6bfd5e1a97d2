import { readFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  type BerthaError,
  dequantizeVectors,
  loadEmbedder,
  quantizedSimilarity,
  quantizeVectors,
  rescore,
  similarity,
  type VectorFormat,
} from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';
import { Random } from '../support/random.js';

const t = suite('quantized vectors');
const random = new Random(1);
/** Around few centres, so that there are neighbours. */
const centres = Array.from({ length: 40 }, () => random.floats(100));
const vectors = Array.from({ length: 2000 }, () => random.pick(centres).map((value) => value + random.normal(0, 0.6)));
const queries = Array.from({ length: 40 }, () => random.pick(centres).map((value) => value + random.normal(0, 0.6)));

const codeOf = (call: () => unknown) => {
  try {
    call();
    return 'no error';
  } catch (error) {
    return (error as BerthaError).code;
  }
};

t('int8 is within half a step of every component, in a byte each', () => {
  const stored = quantizeVectors(vectors, 'int8');
  assert.is(stored.codes.byteLength, 2000 * 100);
  assert.equal([stored.count, stored.dimensions, stored.scales.length], [2000, 100, 2000]);
  dequantizeVectors(stored).forEach((back, i) => {
    const half = stored.scales[i]! / 2;
    back.forEach((value, j) => assert.ok(Math.abs(value - vectors[i]![j]!) <= half * 1.0001, `${i}, ${j}`));
  });
});

t('int8 uses -127 to 127 and never wraps, whatever the magnitude', () => {
  for (const magnitude of [1e-38, 1e-20, 1, 3.3, 1e30, 3e38]) {
    const { codes, scales } = quantizeVectors([Float32Array.of(magnitude, -magnitude, 0)], 'int8');
    assert.equal([...codes], [127, -127, 0], String(magnitude));
    assert.ok(Math.abs(scales[0]! * 127 - magnitude) <= 1e-2 * magnitude);
  }
});

t('zeros, lists without vectors and vectors without numbers stay what they are', () => {
  const zeros = quantizeVectors([new Float32Array(5)], 'int8');
  assert.equal([...zeros.codes, ...zeros.scales], [0, 0, 0, 0, 0, 0]);
  assert.equal([...quantizedSimilarity(Float32Array.of(1, 2, 3, 4, 5), zeros)], [0]);
  for (const format of ['int8', 'binary'] as const) {
    assert.is(quantizeVectors([], format).count, 0);
    assert.equal(dequantizeVectors(quantizeVectors([], format)), []);
  }
});

t('binary has the bytes of numpy.packbits and of sentence-transformers', () => {
  const cases = JSON.parse(readFileSync(golden('vectors/quantized.json'), 'utf8')) as {
    vectors: number[][];
    ubinary: number[][];
    binary: number[][];
  }[];
  assert.ok(cases.length > 4);
  for (const { vectors, ubinary, binary } of cases) {
    const { codes, version } = quantizeVectors(vectors, 'binary');
    assert.is(version, 2);
    assert.equal([...codes], ubinary.flat());
    assert.equal(
      [...codes].map((byte) => byte - 128),
      binary.flat(),
    );
    const single = vectors.map((vector) => Float32Array.from(vector));
    assert.equal(quantizeVectors(single, 'binary').codes, codes);
  }
});

t('binary vectors of another version are refused, those of other programs are not', () => {
  const { version: _, ...bare } = quantizeVectors(vectors, 'binary');
  assert.equal(quantizedSimilarity(queries[0]!, bare), quantizedSimilarity(queries[0]!, { ...bare, version: 2 }));
  const old = { ...bare, version: 1 } as never;
  for (const call of [
    () => quantizedSimilarity(queries[0]!, old),
    () => dequantizeVectors(old),
    () => rescore(queries[0]!, old, vectors),
  ]) {
    assert.is(codeOf(call), 'INVALID_ARG');
  }
});

t('binary keeps the signs, a bit each, the highest first; 0 counts as negative', () => {
  const { codes } = quantizeVectors([Float32Array.of(1, -1, 0, -2, 5, -1, -1, 1, 1, -3)], 'binary');
  assert.equal([...codes], [0b10001001, 0b10000000]);
  const [back] = dequantizeVectors(quantizeVectors([Float32Array.of(3, -4, 5, 0)], 'binary'));
  assert.equal([...back!], [0.5, -0.5, 0.5, -0.5]);
});

t('similarities are those of the vectors that were kept', () => {
  for (const format of ['int8', 'binary'] as const) {
    const stored = quantizeVectors(vectors, format);
    const kept = dequantizeVectors(stored);
    for (const query of queries.slice(0, 5)) {
      const expected = similarity(query, kept);
      quantizedSimilarity(query, stored).forEach((score, i) => assert.ok(Math.abs(score - expected[i]!) < 1e-6, `${format} ${i}`));
    }
  }
});

t('a binary query gives 1 - 2 * differing bits / dimensions', () => {
  const stored = quantizeVectors(vectors, 'binary');
  const query = quantizeVectors([queries[0]!], 'binary');
  const scores = quantizedSimilarity(query, stored);
  vectors.forEach((vector, i) => {
    const differing = vector.filter((value, j) => value > 0 !== queries[0]![j]! > 0).length;
    assert.ok(Math.abs(scores[i]! - (1 - differing / 50)) < 1e-6);
  });
});

t('rescoring finds the neighbours that binary search alone loses', () => {
  const binary = quantizeVectors(vectors, 'binary');
  const int8 = quantizeVectors(vectors, 'int8');
  const best = (scores: Float32Array) => [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 10);
  const nearest = new Map(queries.map((query) => [query, best(similarity(query, vectors))]));
  const recall = (search: (query: Float32Array) => readonly number[]) => {
    const found = queries.map((query) => search(query).filter((index) => nearest.get(query)!.includes(index)).length);
    return found.reduce((sum, count) => sum + count, 0) / (10 * queries.length);
  };
  const alone = recall((query) => best(quantizedSimilarity(query, binary)));
  const indices = (precise: Parameters<typeof rescore>[2], compare: 'query' | 'hamming') =>
    recall((query) => rescore(query, binary, precise, { compare, candidates: 100 }).map(({ index }) => index));
  assert.ok(recall((query) => best(quantizedSimilarity(query, int8))) > 0.95);
  assert.ok(alone < 0.8, `binary alone ${alone}`);
  assert.ok(indices(int8, 'query') > 0.95);
  assert.ok(indices(vectors, 'query') > 0.97);
  assert.ok(indices(int8, 'hamming') > alone);
});

t('rescore gives the scores of the second pass in falling order', () => {
  const found = rescore(queries[0]!, quantizeVectors(vectors, 'binary'), vectors, { top: 7 });
  assert.is(found.length, 7);
  found.forEach(({ index, score }, i) => {
    assert.ok(Math.abs(score - similarity(queries[0]!, vectors[index]!)) < 1e-6);
    assert.ok(i === 0 || found[i - 1]!.score >= score);
  });
  assert.is(rescore(queries[0]!, quantizeVectors(vectors.slice(0, 3), 'binary'), vectors.slice(0, 3), { top: 7 }).length, 3);
});

t('what does not go together is INVALID_ARG', () => {
  const [a, b] = [Float32Array.of(1, 2), Float32Array.of(1, 2, 3)];
  assert.is(
    codeOf(() => quantizeVectors([a, b], 'int8')),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => quantizeVectors([Float32Array.of(NaN)], 'binary')),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => quantizeVectors([Float32Array.of(1, Infinity)], 'int8')),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => quantizeVectors([a], 'int4' as VectorFormat)),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => quantizeVectors(a as never, 'int8')),
    'INVALID_ARG',
  );
  const stored = quantizeVectors([a, a], 'int8');
  const bits = quantizeVectors([a, a], 'binary');
  assert.is(
    codeOf(() => quantizedSimilarity(b, stored)),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => quantizedSimilarity(bits, bits)),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => quantizedSimilarity(a, { ...stored, count: 3 })),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => dequantizeVectors({} as never)),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => rescore(a, bits, [a])),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => rescore(b, bits, stored)),
    'INVALID_ARG',
  );
  assert.is(
    codeOf(() => rescore(a, bits, stored, { top: 0 })),
    'INVALID_OPTION',
  );
});

t('embed gives quantised vectors when asked', async () => {
  const embedder = await loadEmbedder();
  const { vector, quantized } = await embedder.embed('a cat', { quantize: 'int8' });
  assert.equal(quantized, quantizeVectors([vector], 'int8'));
  assert.is(embedder.embedSync('a cat', { quantize: 'binary' }).quantized!.codes.length, 48);
  assert.is((await embedder.embed('a cat')).quantized, undefined);
  embedder.dispose();
});

t.run();
