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

t('hidden vectors that share negatives get their own gradients, as float64 has them', () => {
  const random = new Random(11);
  for (const dimensions of [5, 37, 100, 300]) {
    for (const [centres, negatives] of [
      [1, 5],
      [2, 5],
      [2, 0],
      [2, 6],
      [2, 7],
      [3, 14],
    ] as const) {
      const [hidden, output] = [random.floats(centres * dimensions, 1), random.floats(20 * dimensions, 1)];
      const sources = Int32Array.from({ length: centres }, (_, i) => i);
      // Of 20 targets some are drawn twice; the centre words may be the same.
      const targets = Int32Array.from({ length: centres + negatives }, () => Math.floor(random.next() * 20));
      const labels = Float32Array.from(targets, (_, j) => (j < centres ? 1 : 0));
      const rate = 0.3;
      const [gradients, after] = [new Float64Array(hidden.length), Float64Array.from(output)];
      for (let i = 0; i < centres; i++) {
        const own = hidden.subarray(i * dimensions, (i + 1) * dimensions);
        for (const [j, target] of targets.entries()) {
          if (j < centres && j !== i) continue;
          const row = output.subarray(target * dimensions, (target + 1) * dimensions);
          const product = own.reduce((sum, x, z) => sum + x * row[z]!, 0);
          const error = rate * (labels[j]! - 1 / (1 + Math.exp(-product)));
          for (let z = 0; z < dimensions; z++) {
            gradients[i * dimensions + z]! += error * row[z]!;
            after[target * dimensions + z]! += error * own[z]!;
          }
        }
      }
      const got = wordOps.windowStep(hidden, output, dimensions, sources, targets, labels, rate, true);
      const farthest = (a: Float32Array, b: Float64Array): number => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
      const name = `${dimensions} numbers, ${centres} centre words, ${negatives} negatives`;
      assert.ok(farthest(got.input, gradients) <= 2e-6, `gradients of ${name}: ${farthest(got.input, gradients)}`);
      assert.ok(farthest(got.output, after) <= 2e-6, `targets of ${name}: ${farthest(got.output, after)}`);
    }
  }
});

t('numbers of rows end below 2^31: one more n-gram is refused', () => {
  const most = 2 ** 31 - 1;
  assert.equal(wordOps.ngramRows(10, Int32Array.of(7, 9, 7, 8)), [10, 11, 10, 12]);
  assert.equal(wordOps.ngramRows(most - 2, Int32Array.of(7, 9, 7)), [most - 2, most - 1, most - 2]);
  assert.throws(() => wordOps.ngramRows(most - 2, Int32Array.of(7, 9, 8)), /less than 2\^31 rows of words and n-grams/);
});

t.run();
