// Queries that see no later key.
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { termArguments, type AttentionTerms } from '../support/attention-terms.js';
import { assertSameBits, assertWithin, dotError } from '../support/compare.js';
import { instructionSet, ops } from '../support/devices.js';
import { Random } from '../support/random.js';
import { attention, type AttentionInputs } from '../support/reference.js';

const t = suite(`causal attention ${instructionSet}`);

function draw(random: Random, lengths: readonly number[], heads: number, headDim: number, terms: AttentionTerms): AttentionInputs {
  const cuSeqlens = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => (cuSeqlens[i + 1] = cuSeqlens[i]! + length));
  const qkv = random.floats(cuSeqlens.at(-1)! * 3 * heads * headDim, 1.5);
  return { qkv, cuSeqlens, heads, headDim, scale: 1 / Math.sqrt(headDim), relativeBias: null, terms: { causal: true, ...terms } };
}

function run({ qkv, cuSeqlens, heads, headDim, scale, relativeBias, terms }: AttentionInputs) {
  return ops.attention(qkv, cuSeqlens, heads, headDim, scale, relativeBias, false, ...termArguments(terms ?? {}));
}

function check(inputs: AttentionInputs, what: string): void {
  const expected = attention(inputs, dotError);
  const actual = run(inputs);
  assertWithin(actual.scores, expected.scores, (i) => expected.scoreTolerance[i]!, `${what}: scores`);
  assertWithin(actual.output, expected.output, (i) => expected.outputTolerance[i]!, `${what}: output`);
}

t('matches the float64 reference for every length from 1 to 67', () => {
  const random = new Random(1);
  for (let length = 1; length <= 67; length++) check(draw(random, [length], 2, random.pick([4, 9, 16, 33]), {}), `s=${length}`);
});

t('matches it at 130 and 300 tokens, in several sequences', () => check(draw(new Random(2), [130, 1, 300, 17], 1, 32, {}), 'long'));

t('matches it beside a window, slopes, turns, a relative bias and large scores', () => {
  const random = new Random(3);
  for (const terms of [{ window: 3 }, { window: 40 }, { slopes: [0.5, 0.1] }, { inverseFrequencies: [1, 0.25, 0.01] }])
    check(draw(random, [70, 33], 2, 12, terms), JSON.stringify(terms));
  check({ ...draw(random, [50], 2, 12, {}), relativeBias: random.floats(32 * 2) }, 'relative bias');
  check({ ...draw(random, [50], 2, 12, {}), scale: 20 }, 'large scores');
});

t('gives a prefix the bits that it has alone, whatever comes later', () => {
  const inputs = draw(new Random(4), [90], 2, 17, {});
  const other = Float32Array.from(inputs.qkv);
  other.fill(3, 40 * 3 * 34);
  assertSameBits(run({ ...inputs, qkv: other }).output.slice(0, 40 * 34), run(inputs).output.slice(0, 40 * 34), 'first 40 rows');
  const { scores } = run(inputs);
  for (let head = 0; head < 2; head++)
    for (let query = 0; query < 90; query++)
      for (let key = query + 1; key < 90; key++) assert.is(scores[(head * 90 + query) * 90 + key], 0);
});

t.run();
