import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { assertSameBits } from '../support/compare.js';
import { Random } from '../support/random.js';
import { loadTestAddon } from '../support/test-addon.js';

const t = suite('steps of word vectors');
const { wordOps } = loadTestAddon();

t('a hidden vector that follows its gradient behind each context gives what a step for each context gives', () => {
  const random = new Random(7);
  for (const [dimensions, negatives] of [
    [5, 2],
    [100, 5],
    [37, 9],
  ] as const) {
    const [input, output] = [random.floats(6 * dimensions, 1), random.floats(20 * dimensions, 1)];
    const sources = Int32Array.of(0, 2, 3, 5); // a word and its n-grams
    // Of 20 targets some are drawn twice, within a context and in two.
    const contexts = Array.from({ length: 4 }, () => Int32Array.from({ length: 1 + negatives }, () => Math.floor(random.next() * 20)));
    const labelsOf = (targets: Int32Array): Float32Array => Float32Array.from(targets, (_, i) => (i === 0 ? 1 : 0));
    let [wantedInput, wantedOutput] = [input, output];
    for (const targets of contexts) {
      const after = wordOps.hiddenStep(wantedInput, wantedOutput, dimensions, sources, targets, labelsOf(targets), 0.3);
      [wantedInput, wantedOutput] = [after.input as typeof input, after.output as typeof output];
    }
    const targets = Int32Array.from(contexts.flatMap((own) => [...own]));
    const labels = Float32Array.from(contexts.flatMap((own) => [...labelsOf(own)]));
    const ends = Int32Array.from(contexts, (_, i) => (i + 1) * (1 + negatives));
    const got = wordOps.hiddenStep(input, output, dimensions, sources, targets, labels, 0.3, ends);
    // Each step rounds the mean once more than the vector that moves.
    const isNear = (a: Float32Array, b: Float32Array): boolean => a.every((value, i) => Math.abs(value - b[i]!) <= 4e-6);
    assert.ok(isNear(got.input, wantedInput) && isNear(got.output, wantedOutput), `${dimensions} numbers, ${negatives} negatives`);
    const together = wordOps.hiddenStep(input, output, dimensions, sources, targets, labels, 0.3);
    assert.not.ok(isNear(together.input, wantedInput), 'one step for all contexts is another thing');
    const single = wordOps.hiddenStep(input, output, dimensions, sources, contexts[0]!, labelsOf(contexts[0]!), 0.3, ends.subarray(0, 1));
    const plain = wordOps.hiddenStep(input, output, dimensions, sources, contexts[0]!, labelsOf(contexts[0]!), 0.3);
    assertSameBits(single.output, plain.output, 'targets of a single context');
  }
});

t('centre words that share negatives step as float64 does, by hidden vectors and by windows', () => {
  const random = new Random(11);
  for (const dimensions of [5, 37, 100, 300])
    for (const [centres, negatives, contexts] of [
      [1, 5, 1],
      [2, 5, 9],
      [2, 0, 3],
      [2, 6, 4],
      [2, 7, 10],
      [3, 14, 7],
    ] as const)
      for (const isHidden of [true, false]) {
        const inputs = isHidden ? centres : contexts;
        const [input, output] = [random.floats(inputs * dimensions, 1), random.floats(20 * dimensions, 1)];
        const sources = Int32Array.from({ length: inputs }, (_, i) => i);
        // Of 20 targets some are drawn twice; the centre words may be the same.
        const targets = Int32Array.from({ length: centres + negatives }, () => Math.floor(random.next() * 20));
        const labels = Float32Array.from(targets, (_, j) => (j < centres ? 1 : 0));
        const times = new Float32Array(inputs * targets.length);
        for (let i = 0; i < inputs; i++) {
          const met = Array.from({ length: centres }, (_, j) => (isHidden ? Number(i === j) : Math.floor(random.next() * 2)));
          const all = met.reduce((sum, one) => sum + one, 0);
          times.set(
            labels.map((_, j) => met[j] ?? all),
            i * targets.length,
          );
        }
        const rate = 0.3;
        const [wanted, after] = [Float64Array.from(input, (x) => (isHidden ? 0 : x)), Float64Array.from(output)];
        for (let i = 0; i < inputs; i++) {
          const own = input.subarray(i * dimensions, (i + 1) * dimensions);
          for (const [j, target] of targets.entries()) {
            const row = output.subarray(target * dimensions, (target + 1) * dimensions);
            const product = own.reduce((sum, x, z) => sum + x * row[z]!, 0);
            const error = times[i * targets.length + j]! * rate * (labels[j]! - 1 / (1 + Math.exp(-product)));
            for (let z = 0; z < dimensions; z++) {
              wanted[i * dimensions + z]! += error * row[z]!;
              after[target * dimensions + z]! += error * own[z]!;
            }
          }
        }
        const got = wordOps.windowStep(input, output, dimensions, sources, targets, labels, rate, times, isHidden);
        const farthest = (a: Float32Array, b: Float64Array): number =>
          a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!) / Math.max(1, Math.abs(b[i]!))), 0);
        const name = `${dimensions} numbers, ${centres} centre words, ${negatives} negatives, ${inputs} inputs`;
        // A sigmoid's rounding counts as often as its pair does.
        const most = 2e-6 * times.reduce((a, b) => Math.max(a, b), 1);
        assert.ok(farthest(got.input, wanted) <= most, `inputs of ${name}: ${farthest(got.input, wanted)}`);
        assert.ok(farthest(got.output, after) <= most, `targets of ${name}: ${farthest(got.output, after)}`);
      }
});

t('numbers of rows end below 2^31: one more n-gram is refused', () => {
  const most = 2 ** 31 - 1;
  assert.equal(wordOps.ngramRows(10, Int32Array.of(7, 9, 7, 8)), [10, 11, 10, 12]);
  assert.equal(wordOps.ngramRows(most - 2, Int32Array.of(7, 9, 7)), [most - 2, most - 1, most - 2]);
  assert.throws(() => wordOps.ngramRows(most - 2, Int32Array.of(7, 9, 8)), /less than 2\^31 rows of words and n-grams/);
});

t.run();
