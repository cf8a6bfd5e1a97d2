// Attention with what positions change: rotary embedding, windows, slopes.
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { assertSameBits, assertWithin, dotError, unitRoundoff } from '../support/compare.js';
import { termArguments, type AttentionTerms } from '../support/attention-terms.js';
import { instructionSet, ops } from '../support/devices.js';
import { Random } from '../support/random.js';
import { attention, type AttentionInputs } from '../support/reference.js';

const t = suite(`attention by position ${instructionSet}`);

function run({ qkv, cuSeqlens, heads, headDim, scale, relativeBias, terms }: AttentionInputs, bf16 = false) {
  return ops.attention(qkv, cuSeqlens, heads, headDim, scale, relativeBias, bf16, ...termArguments(terms ?? {}));
}

function draw(random: Random, lengths: readonly number[], heads: number, headDim: number, terms: AttentionTerms): AttentionInputs {
  const cuSeqlens = Int32Array.from([0, ...lengths]);
  lengths.forEach((length, i) => (cuSeqlens[i + 1] = cuSeqlens[i]! + length));
  const qkv = random.floats(cuSeqlens.at(-1)! * 3 * heads * headDim, 1.5);
  return { qkv, cuSeqlens, heads, headDim, scale: 1 / Math.sqrt(headDim), relativeBias: null, terms };
}

/** Frequencies of a rotary embedding of base theta over `dims` columns. */
const frequencies = (dims: number, theta = 10000): number[] =>
  Array.from({ length: dims >> 1 }, (_, i) => Math.fround(1 / theta ** ((2 * i) / dims)));

function check(inputs: AttentionInputs, what: string, error = dotError): void {
  const expected = attention(inputs, error);
  const actual = run(inputs);
  assertWithin(actual.scores, expected.scores, (i) => expected.scoreTolerance[i]!, `${what}: scores`);
  assertWithin(actual.output, expected.output, (i) => expected.outputTolerance[i]!, `${what}: output`);
}

const rigorous = (k: number) => (k + 2) * unitRoundoff;

/** The combinations that families ask for, at any head_dim. */
const kinds: Readonly<Record<string, (heads: number, headDim: number) => AttentionTerms>> = {
  rotary: (_, headDim) => ({ inverseFrequencies: frequencies(headDim & ~1) }),
  'rotary of a part': (_, headDim) => ({ inverseFrequencies: frequencies(headDim >> 1) }),
  'window 3': () => ({ window: 3 }),
  'rotary, window 17': (_, headDim) => ({ inverseFrequencies: frequencies(headDim & ~1, 1000), window: 17 }),
  slopes: (heads) => ({ slopes: Array.from({ length: heads }, (_, i) => 2 ** (-2 * (i + 1))) }),
  'slopes, window 40': (heads) => ({ slopes: Array.from({ length: heads }, (_, i) => 0.3 / (i + 1)), window: 40 }),
};

/** DeBERTa's buckets of distances -n .. n: exact to span / 2, then by logarithms; a row each. */
function logBuckets(n: number, span: number): number[] {
  const near = span / 2;
  return Array.from({ length: 2 * n + 1 }, (_, i) => {
    const distance = Math.abs(i - n);
    const far = Math.ceil((Math.log(distance / near) / Math.log(511 / near)) * (near - 1)) + near;
    return Math.min(2 * span - 1, Math.max(0, Math.sign(i - n) * (distance <= near ? distance : far) + span));
  });
}

const n = 160;
const relativeRows = Array.from({ length: 2 * n + 1 }, (_, i) => i);
const tables = new Random(99);
const disentangled: typeof kinds = {
  'disentangled scores': (heads, headDim) => {
    const buckets = logBuckets(n, 24);
    const size = (buckets.at(-1)! + 1) * heads * headDim;
    return { buckets, contentToPosition: tables.floats(size), positionToContent: tables.floats(size) };
  },
  'content to position alone': (heads, headDim) => {
    const buckets = logBuckets(n, 8);
    return { buckets, contentToPosition: tables.floats((buckets.at(-1)! + 1) * heads * headDim) };
  },
  'relative keys of all heads': (_, headDim) => {
    const table = tables.floats((2 * n + 1) * headDim, 0.3);
    return { buckets: relativeRows, contentToPosition: table, positionToContent: table };
  },
};

for (const [kind, terms] of Object.entries({ ...kinds, ...disentangled })) {
  t(`with ${kind} matches the float64 reference at odd sizes`, () => {
    const random = new Random(kind.length);
    for (const headDim of [2, 7, 20, 33])
      for (const lengths of [[1], [50, 1, 17], [97]])
        check(draw(random, lengths, 2, headDim, terms(2, headDim)), `d=${headDim} ${lengths.join(' ')}`);
    check(draw(random, [150], 1, 64, terms(1, 64)), '150');
  });

  t(`with ${kind} gives a sequence the same bits alone and at any place in a batch`, () => {
    const inputs = draw(new Random(4), [5, 64, 1, 31, 150], 2, 18, terms(2, 18));
    const together = run(inputs);
    let scores = 0;
    for (let i = 0; i + 1 < inputs.cuSeqlens.length; i++) {
      const [begin, end] = [inputs.cuSeqlens[i]!, inputs.cuSeqlens[i + 1]!];
      const alone = run({ ...inputs, qkv: inputs.qkv.slice(begin * 108, end * 108), cuSeqlens: Int32Array.of(0, end - begin) });
      assertSameBits(alone.output, together.output.slice(begin * 36, end * 36), `sequence ${i}: output`);
      assertSameBits(alone.scores, together.scores.slice(scores, scores + alone.scores.length), `sequence ${i}: scores`);
      scores += alone.scores.length;
    }
  });
}

t('turns by angles that are rounded to float32', () => {
  const length = 1201; // the product of 1/3 and a position near it is rounded by up to 1.5e-5
  const frequency = Math.fround(1 / 3);
  const qkv = new Float32Array(length * 6);
  for (let token = 0; token < length; token++) qkv.set([1, 0, 0.5, 0.5, token === 0 ? 1 : 0, 0], token * 6);
  const inputs = { qkv, cuSeqlens: Int32Array.of(0, length), heads: 1, headDim: 2, scale: 1, relativeBias: null };
  const own = Math.fround(frequency * (length - 1));
  const powers = Array.from({ length }, (_, key) => {
    const angle = own - Math.fround(frequency * key);
    return Math.exp(0.5 * Math.cos(angle) + 0.5 * Math.sin(angle));
  });
  const { output } = run({ ...inputs, terms: { inverseFrequencies: [frequency] } });
  const expected = powers[0]! / powers.reduce((sum, power) => sum + power);
  assert.ok(Math.abs(output.at(-2)! / expected - 1) < 2e-6, `${output.at(-2)} for ${expected}`);
});

t('with a window of 64 takes scores of hundreds inside, and those outside do not count', () => {
  const random = new Random(9);
  for (const scale of [4, 16, 1000]) check({ ...draw(random, [200], 2, 32, { window: 64 }), scale }, `scale ${scale}`, rigorous);
  const inputs = draw(random, [150], 1, 8, { window: 5 });
  const other = Float32Array.from(inputs.qkv);
  for (let token = 0; token < 150; token++) if (Math.abs(token - 100) > 5) other.subarray(token * 24 + 8, token * 24 + 16).fill(60);
  assertWithin(
    run({ ...inputs, qkv: other }).output.slice(800, 808),
    run(inputs).output.slice(800, 808),
    2e-7,
    'a query whose own window is as it was',
  );
});

t('with a window as long as the sequence sees every key', () => {
  const inputs = draw(new Random(12), [70], 2, 16, { window: 69 });
  const { output } = run({ ...inputs, terms: {} });
  assertWithin(run(inputs).output, output, 1e-6, 'output');
});

t('with a window reads the tiles beside it alone, so that its cost is linear in the length', () => {
  const [length, window, planted] = [1500, 40, 700];
  for (const bf16 of instructionSet === 'avx512_bf16' ? [false, true] : [false]) {
    const inputs = draw(new Random(21), [length], 1, 16, { window });
    // A value that is masked but read makes its query's output no number: nothing times it is none.
    inputs.qkv.fill(NaN, planted * 48 + 32, planted * 48 + 48);
    const { output } = run(inputs, bf16);
    const isReached = Array.from({ length }, (_, token) => Number.isNaN(output[token * 16]!));
    const [first, last] = [isReached.indexOf(true), isReached.lastIndexOf(true)];
    assert.ok(first <= planted - window && last >= planted + window, `${first} to ${last}`);
    // A tile of queries and one of keys, of at most 128 tokens each.
    assert.ok(first >= planted - window - 256 && last <= planted + window + 256, `${first} to ${last}`);
  }
});

if (instructionSet === 'avx512_bf16') {
  for (const [kind, terms] of Object.entries(kinds)) {
    t(`in bf16 with ${kind} matches the float64 reference`, () => {
      const random = new Random(20);
      for (const headDim of [8, 33, 64])
        for (const lengths of [[1], [16, 2, 33], [100]]) {
          const inputs = draw(random, lengths, 2, headDim, terms(2, headDim));
          const expected = attention(inputs, () => 2 ** -8 * 1.1);
          const actual = run(inputs, true);
          assertWithin(
            actual.output,
            expected.output,
            (i) => expected.outputTolerance[i]!,
            `lengths ${lengths.join(' ')} d=${headDim}: output`,
          );
          actual.scores.forEach((score, i) =>
            assert.ok(score > 0 || expected.scores[i]! < 1e-30 || expected.scores[i] === 0, `score ${i}`),
          );
          expected.scores.forEach((score, i) => assert.ok(score > 0 || actual.scores[i] === 0, `score ${i} beyond the window`));
        }
    });

    t(`in bf16 with ${kind} gives a sequence the same bits alone and at any place in a batch`, () => {
      const inputs = draw(new Random(12), [5, 64, 1, 31, 100], 2, 18, terms(2, 18));
      const together = run(inputs, true).output;
      for (let i = 0; i + 1 < inputs.cuSeqlens.length; i++) {
        const [begin, end] = [inputs.cuSeqlens[i]!, inputs.cuSeqlens[i + 1]!];
        const alone = run({ ...inputs, qkv: inputs.qkv.slice(begin * 108, end * 108), cuSeqlens: Int32Array.of(0, end - begin) }, true);
        assertSameBits(alone.output, together.slice(begin * 36, end * 36), `sequence ${i}`);
      }
    });
  }
}

t.run();
