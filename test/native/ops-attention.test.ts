import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { assertSameBits, assertWithin, dotError, unitRoundoff } from '../support/compare.js';
import { termArguments } from '../support/attention-terms.js';
import { instructionSet, ops } from '../support/devices.js';
import { Random } from '../support/random.js';
import { attention, type AttentionInputs } from '../support/reference.js';

const t = suite(`attention ${instructionSet}`);

function run({ qkv, cuSeqlens, heads, headDim, scale, relativeBias, terms }: AttentionInputs, bf16 = false) {
  return ops.attention(qkv, cuSeqlens, heads, headDim, scale, relativeBias, bf16, ...termArguments(terms ?? {}));
}

/** `deviation` is that of queries and keys: about the deviation of the logits, squared. */
function draw(random: Random, lengths: readonly number[], heads: number, headDim: number, deviation = 1.5): AttentionInputs {
  const cuSeqlens = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => (cuSeqlens[i + 1] = cuSeqlens[i]! + length));
  const qkv = random.floats(cuSeqlens.at(-1)! * 3 * heads * headDim, deviation);
  return { qkv, cuSeqlens, heads, headDim, scale: 1 / Math.sqrt(headDim), relativeBias: null };
}

function check(inputs: AttentionInputs, what: string, error = dotError): void {
  const expected = attention(inputs, error);
  const actual = run(inputs);
  assertWithin(actual.scores, expected.scores, (i) => expected.scoreTolerance[i]!, `${what}: scores`);
  assertWithin(actual.output, expected.output, (i) => expected.outputTolerance[i]!, `${what}: output`);
}

const rigorous = (k: number) => (k + 2) * unitRoundoff;

t('matches the float64 reference for every length from 1 to 67', () => {
  const random = new Random(1);
  for (let length = 1; length <= 67; length++) {
    const [heads, headDim] = random.pick([
      [1, 4],
      [2, 9],
      [3, 12],
      [2, 32],
      [1, 25],
    ] as const);
    check(draw(random, [length], heads, headDim), `s=${length} heads=${heads} d=${headDim}`);
  }
});

for (const headDim of [1, 4, 7, 8, 9, 12, 15, 16, 17, 20, 24, 25, 32, 33, 40, 48, 64, 65, 80, 96, 128]) {
  t(`matches the float64 reference at head_dim ${headDim}`, () => {
    check(draw(new Random(headDim), [1, 30, 17, 5], 3, headDim), 'random');
  });
}

t('matches the float64 reference at 130, 257 and 512 tokens', () => {
  const random = new Random(2);
  check(draw(random, [130], 2, 32), '130');
  check(draw(random, [257], 1, 64), '257');
  check(draw(random, [512], 1, 32), '512');
});

t('reads nothing across sequence boundaries', () => {
  const random = new Random(3);
  const inputs = draw(random, [7, 20, 1, 33], 2, 12);
  const row = 3 * 24;
  const clean = run(inputs).output;
  const other = Float32Array.from(inputs.qkv);
  const isSecond = (i: number) => i >= 7 * row && i < 27 * row;
  inputs.qkv.forEach((_, i) => (other[i] = isSecond(i) ? inputs.qkv[i]! : i % 5 === 0 ? NaN : random.normal(0, 100)));
  assertSameBits(run({ ...inputs, qkv: other }).output.slice(7 * 24, 27 * 24), clean.slice(7 * 24, 27 * 24), 'second sequence');
});

t('gives a sequence the same bits alone and at any place in a batch', () => {
  const inputs = draw(new Random(4), [5, 64, 1, 31, 100], 2, 17);
  const together = run(inputs);
  let scores = 0;
  for (let i = 0; i + 1 < inputs.cuSeqlens.length; i++) {
    const [begin, end] = [inputs.cuSeqlens[i]!, inputs.cuSeqlens[i + 1]!];
    const alone = run({ ...inputs, qkv: inputs.qkv.slice(begin * 102, end * 102), cuSeqlens: Int32Array.of(0, end - begin) });
    assertSameBits(alone.output, together.output.slice(begin * 34, end * 34), `sequence ${i}: output`);
    assertSameBits(alone.scores, together.scores.slice(scores, scores + alone.scores.length), `sequence ${i}: scores`);
    scores += alone.scores.length;
  }
  assert.is(scores, together.scores.length);
});

t('adds the relative bias of each distance to the scaled scores', () => {
  const random = new Random(5);
  for (const lengths of [[1], [40], [3, 150], [300]]) {
    const inputs = { ...draw(random, lengths, 2, 16), relativeBias: random.floats(32 * 2) };
    check(inputs, `lengths ${lengths.join(' ')}`);
  }
});

t('gives equal keys equal scores', () => {
  const inputs = draw(new Random(6), [37], 1, 20);
  for (let token = 0; token < 37; token++) inputs.qkv.fill(0.25, token * 60 + 20, token * 60 + 40);
  assertWithin(run(inputs).scores, new Float64Array(37 * 37).fill(1 / 37), 4e-7 / 37, 'scores');
});

t('survives scores of 1e4 and -1e4, one dominant key, and tiny values', () => {
  const random = new Random(7);
  const extreme = draw(random, [21], 2, 8);
  extreme.qkv.forEach((_, i) => (extreme.qkv[i] = random.pick([60, -60, 1e-20, 0])));
  check({ ...extreme, scale: 1 }, 'extreme', rigorous);
  const dominant = draw(random, [50], 1, 32);
  dominant.qkv[7 * 96 + 32] = 1e3;
  check(dominant, 'dominant', rigorous);
  const tiny = draw(random, [19], 1, 32, 1e-19);
  check(tiny, 'tiny');
});

t('keeps a softmax of 200 apart from its neighbour without overflow', () => {
  const logits = Float32Array.from({ length: 67 }, (_, i) => (i === 40 ? 200 : i - 33));
  const qkv = new Float32Array(67 * 3);
  logits.forEach((logit, token) => qkv.set([1, logit, token], token * 3));
  check({ qkv, cuSeqlens: Int32Array.of(0, 67), heads: 1, headDim: 1, scale: 1, relativeBias: null }, 'one query over all logits');
});

t('takes large scores without a maximum as it takes small ones', () => {
  const random = new Random(9);
  for (const scale of [0.1, 4, 8, 16, 1000]) check({ ...draw(random, [70], 2, 32), scale }, `scale ${scale}`, rigorous);
});

if (instructionSet === 'avx512_bf16') {
  // Both factors of a product are rounded by 2^-9 of themselves; the power is off by 7.5e-5, far less.
  const rounded = () => 2 ** -8 * 1.1;
  const checkBf16 = (inputs: AttentionInputs, what: string) => {
    const expected = attention(inputs, rounded);
    assertWithin(run(inputs, true).output, expected.output, (i) => expected.outputTolerance[i]!, `${what}: output`);
  };

  t('in bf16 matches the float64 reference', () => {
    const random = new Random(10);
    for (const headDim of [1, 8, 17, 31, 32, 33, 64, 65, 128])
      for (const lengths of [[1], [16, 2, 33], [5, 26, 31, 32], [67], [130, 7]])
        checkBf16(draw(random, lengths, 2, headDim), `lengths ${lengths.join(' ')} d=${headDim}`);
    checkBf16(draw(random, [512], 1, 32), '512');
    checkBf16({ ...draw(random, [40, 70], 2, 16), relativeBias: random.floats(32 * 2) }, 'relative bias');
  });

  t('in bf16 takes large scores, and gives probabilities', () => {
    const logits = Float32Array.from({ length: 67 }, (_, i) => (i === 40 ? 256 : i - 33));
    const qkv = new Float32Array(67 * 3);
    logits.forEach((logit, token) => qkv.set([1, logit, token], token * 3));
    const large = { qkv, cuSeqlens: Int32Array.of(0, 67), heads: 1, headDim: 1, scale: 1, relativeBias: null };
    const { output, scores } = run(large, true);
    assertWithin(output, new Float64Array(67).fill(40), 1e-6, 'output');
    for (let query = 0; query < 67; query++) assert.is(scores[query * 67 + 40], 1, `query ${query}`);
    const small = draw(new Random(11), [50], 1, 32);
    const reference = attention(small, dotError).scores;
    run(small, true).scores.forEach((score, i) => assert.ok(Math.abs(score - reference[i]!) < 0.05 * reference[i]! + 1e-6, `score ${i}`));
  });

  t('in bf16 gives a sequence the same bits alone and at any place in a batch', () => {
    const inputs = draw(new Random(12), [5, 64, 1, 31, 100], 2, 17);
    const together = run(inputs, true).output;
    for (let i = 0; i + 1 < inputs.cuSeqlens.length; i++) {
      const [begin, end] = [inputs.cuSeqlens[i]!, inputs.cuSeqlens[i + 1]!];
      const alone = run({ ...inputs, qkv: inputs.qkv.slice(begin * 102, end * 102), cuSeqlens: Int32Array.of(0, end - begin) }, true);
      assertSameBits(alone.output, together.slice(begin * 34, end * 34), `sequence ${i}`);
    }
  });
} else {
  t('refuses bf16 where the processor has none', () => {
    assert.throws(() => run(draw(new Random(10), [4], 1, 8), true), /bf16/);
  });
}

t('refuses bounds that do not fit the rows', () => {
  const inputs = draw(new Random(8), [4, 4], 1, 8);
  for (const bounds of [[0, 4], [0, 4, 9], [1, 8], [0, 4, 4, 8], [0, 6, 4, 8], []]) {
    assert.throws(() => run({ ...inputs, cuSeqlens: Int32Array.from(bounds) }), /cuSeqlens/, String(bounds));
  }
});

t.run();
