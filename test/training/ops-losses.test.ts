import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { centralDifference } from '../support/central-difference.js';
import { assertSameBits, assertWithin, largestRelativeDifference } from '../support/compare.js';
import { instructionSet, trainingOps } from '../support/devices.js';
import { Random } from '../support/random.js';
import { logSumExp } from '../support/reference.js';
import { readTensors } from '../../scripts/golden/files.js';

const t = suite(`losses ${instructionSet}`);

const golden = async (name: string) => {
  const tensors = await readTensors(goldenTraining(`numerics/${name}.safetensors`).pathname);
  return { values: (key: string) => tensors.get(key)!.values, floats: (key: string) => Float32Array.from(tensors.get(key)!.values) };
};

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** Rows of an array, `width` numbers each. */
const rowsOf = (x: ArrayLike<number>, width: number) =>
  Array.from({ length: x.length / width }, (_, row) => Array.from({ length: width }, (_, i) => x[row * width + i]!));

/** torch.nn.CrossEntropyLoss before the division: Σ over the rows that count. */
function crossEntropy(logits: ArrayLike<number>, labels: Int32Array, weights: ArrayLike<number> | null, smoothing: number): number {
  const width = logits.length / labels.length;
  const weight = (column: number) => weights?.[column] ?? 1;
  return total(
    rowsOf(logits, width).map((row, i) => {
      const label = labels[i]!;
      if (label < 0) return 0;
      const all = logSumExp(row);
      const spread = total(row.map((x, column) => weight(column) * (all - x)));
      return (1 - smoothing) * weight(label) * (all - row[label]!) + (smoothing / width) * spread;
    }),
  );
}

function check(
  actual: { loss: number; grad: Float32Array },
  loss: (x: Float64Array) => number,
  x: Float32Array,
  scale: number,
  what: string,
): void {
  const expected = loss(Float64Array.from(x));
  assert.ok(Math.abs(actual.loss - expected) <= 1e-5 * Math.max(1, Math.abs(expected)), `${what}: ${actual.loss} but ${expected} expected`);
  const slopes = centralDifference(loss, x);
  assertWithin(
    actual.grad,
    slopes.map((slope) => scale * slope),
    (i) => scale * 1e-5 * Math.max(1, Math.abs(slopes[i]!)),
    what,
  );
}

// --- rows of logits

t('cross entropy is within 1e-5 of the golden numbers: logits of ±1e4, equal, near -1e4, labels of -100, smoothing', async () => {
  const { values, floats } = await golden('cross_entropy');
  for (const width of [2, 5, 301]) {
    const labels = Int32Array.from(values(`${width}.labels`));
    const counts = labels.filter((label) => label >= 0).length;
    for (const [name, smoothing] of [
      ['plain', 0],
      ['smoothing', 0.1],
    ] as const) {
      const { loss, grad } = trainingOps.crossEntropy(floats(`${width}.logits`), labels, null, smoothing, 1 / counts);
      const expected = values(`${width}.${name}.loss`)[0]!;
      assert.ok(
        Math.abs(loss / counts - expected) <= 1e-5 * Math.max(1, expected),
        `${width} ${name}: ${loss / counts} but ${expected} expected`,
      );
      assert.ok(largestRelativeDifference(grad, values(`${width}.${name}.grad`)) < 1e-6, `${width} ${name}`);
    }
  }
});

t('cross entropy with class weights and smoothing is that of torch', () => {
  for (const width of [1, 2, 3, 7, 17, 33, 65]) {
    const random = new Random(width);
    const [logits, labels] = [random.floats(4 * width, 3), random.integers(4, 0, width - 1)];
    labels[2] = -100;
    const weights = random.floats(width, 1, 2).map(Math.abs);
    for (const smoothing of [0, 0.2, 1]) {
      for (const classWeights of [null, weights]) {
        const actual = trainingOps.crossEntropy(logits, labels, classWeights, smoothing, 0.25);
        check(actual, (x) => crossEntropy(x, labels, classWeights, smoothing), logits, 0.25, `width ${width}, smoothing ${smoothing}`);
        assertSameBits(actual.grad.slice(2 * width, 3 * width), new Float32Array(width), 'a row that does not count');
      }
    }
  }
});

t('divided by the weights of the labels it has the value of torch.nn.CrossEntropyLoss', () => {
  // torch.nn.CrossEntropyLoss(weight=[0.5, 2, 1], label_smoothing=0.1), torch 2.13, float64
  const [logits, labels] = [Float32Array.of(1, -0.5, 0.25, 0, 2, -1, 0.5, 0.5, 3), Int32Array.of(0, 1, -100)];
  const { loss } = trainingOps.crossEntropy(logits, labels, Float32Array.of(0.5, 2, 1), 0.1, 1);
  assert.ok(Math.abs(loss / 2.5 - 0.35322311693368924) < 1e-6, `${loss / 2.5}`);
});

t('distillation is α of cross entropy and (1 - α) T² of the divergence', () => {
  for (const width of [2, 3, 17, 40]) {
    const random = new Random(width);
    const [logits, teacher, labels] = [random.floats(3 * width, 2), random.floats(3 * width, 2), random.integers(3, 0, width - 1)];
    labels[1] = -100;
    for (const [alpha, temperature] of [
      [0.3, 2],
      [0, 1],
      [1, 4],
    ] as const) {
      const softened = (row: readonly number[]) => row.map((x) => x / temperature - logSumExp(row.map((y) => y / temperature)));
      const loss = (x: Float64Array) => {
        const hard = crossEntropy(x, labels, null, 0);
        const soft = rowsOf(x, width).map((row, i) => {
          if (labels[i]! < 0) return 0;
          const [ours, theirs] = [softened(row), softened(rowsOf(teacher, width)[i]!)];
          return total(theirs.map((log, column) => Math.exp(log) * (log - ours[column]!)));
        });
        return alpha * hard + (1 - alpha) * temperature ** 2 * total(soft);
      };
      const actual = trainingOps.distill(logits, labels, null, 0, 0.5, teacher, alpha, temperature);
      check(actual, loss, logits, 0.5, `width ${width}, α ${alpha}, T ${temperature}`);
    }
  }
});

t('binary cross entropy and squared error are within 1e-5 of the golden numbers, logits of ±1e4 and soft targets', async () => {
  const { values, floats } = await golden('other_losses');
  for (const [kind, name] of [
    ['binary_cross_entropy', 'bce'],
    ['mean_squared_error', 'mse'],
  ] as const) {
    const { loss, grad } = trainingOps.elementLoss(kind, floats('logits'), floats('targets'), 1 / 24);
    const expected = values(`${name}.loss`)[0]!;
    assert.ok(Math.abs(loss / 24 - expected) <= 1e-6 * expected, `${name}: ${loss / 24}`);
    assert.ok(largestRelativeDifference(grad, values(`${name}.grad`)) < 1e-6, name);
  }
});

t('elements whose target is not a number do not count', () => {
  for (const kind of ['binary_cross_entropy', 'mean_squared_error'] as const) {
    const all = trainingOps.elementLoss(kind, Float32Array.of(1, -2, 3), Float32Array.of(0, NaN, 1), 1);
    const two = trainingOps.elementLoss(kind, Float32Array.of(1, 3), Float32Array.of(0, 1), 1);
    assert.is(all.loss, two.loss);
    assert.equal([...all.grad], [two.grad[0], 0, two.grad[1]]);
  }
});

t('a logit that is not finite makes the loss so, wherever it stands', () => {
  for (const bad of [NaN, Infinity]) {
    for (const at of [0, 5, 16, 33]) {
      const logits = new Random(1).floats(34);
      logits[at] = bad;
      const labels = Int32Array.of(3);
      assert.not.ok(Number.isFinite(trainingOps.crossEntropy(logits, labels, null, 0, 1).loss), `cross entropy, ${bad} at ${at}`);
      const teacher = new Random(2).floats(34);
      assert.not.ok(Number.isFinite(trainingOps.distill(logits, labels, null, 0, 1, teacher, 0.5, 2).loss), `distill, ${bad} at ${at}`);
      for (const kind of ['binary_cross_entropy', 'mean_squared_error'] as const)
        assert.not.ok(Number.isFinite(trainingOps.elementLoss(kind, logits, new Float32Array(34), 1).loss), `${kind}, ${bad} at ${at}`);
    }
  }
});

// --- neighbouring rows

t('choices: cross entropy over neighbours, the label at the first of each group', () => {
  const random = new Random(3);
  for (const choices of [1, 2, 3, 5, 20]) {
    const logits = random.floats(4 * choices, 2);
    const labels = new Int32Array(4 * choices).fill(99);
    [0, choices - 1, -100, 0].forEach((label, group) => (labels[group * choices] = label));
    const grouped = Int32Array.of(0, choices - 1, -100, 0);
    const actual = trainingOps.choiceCrossEntropy(logits, labels, choices, 0.5);
    check(actual, (x) => crossEntropy(x, grouped, null, 0), logits, 0.5, `${choices} choices`);
  }
});

t('spans: softmax over the own tokens of a sequence; a position outside does not count', () => {
  const random = new Random(4);
  const bounds = Int32Array.of(0, 1, 6, 19, 23);
  const spans = Int32Array.of(0, 0, 1, 4, 13, 2, -1, 3);
  const logits = random.floats(2 * 23, 3);
  const loss = (x: Float64Array) => {
    let sum = 0;
    for (let sequence = 0; sequence < 4; sequence++) {
      const tokens = Array.from({ length: bounds[sequence + 1]! - bounds[sequence]! }, (_, i) => bounds[sequence]! + i);
      for (const column of [0, 1]) {
        const [row, label] = [tokens.map((token) => x[2 * token + column]!), spans[2 * sequence + column]!];
        if (label >= 0 && label < row.length) sum += (logSumExp(row) - row[label]!) / 2;
      }
    }
    return sum;
  };
  check(trainingOps.spanCrossEntropy(logits, spans, bounds, 0.75), loss, logits, 0.75, 'spans');
  logits[3] = NaN;
  assert.not.ok(Number.isFinite(trainingOps.spanCrossEntropy(logits, spans, bounds, 1).loss));
});
t.run();

// --- sentences

const sentences = suite(`losses of sentences ${instructionSet}`);
const dot = (a: readonly number[], b: readonly number[]) => total(a.map((x, i) => x * b[i]!));
const cosine = (a: readonly number[], b: readonly number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

sentences('in-batch softmax, with hard negatives, is the cross entropy of the scaled cosines', () => {
  for (const [count, columns, width] of [
    [1, 2, 3],
    [5, 2, 17],
    [4, 3, 9],
    [7, 4, 5],
  ] as const) {
    const embeddings = new Random(count).floats(columns * count * width);
    const loss = (x: Float64Array) => {
      const rows = rowsOf(x, width);
      const scores = rows.slice(0, count).flatMap((anchor) => rows.slice(count).map((text) => 20 * cosine(anchor, text)));
      return crossEntropy(
        scores,
        Int32Array.from({ length: count }, (_, i) => i),
        null,
        0,
      );
    };
    const actual = trainingOps.sentenceLoss('in_batch_softmax', embeddings, columns, width, 0.5, 20, null);
    check(actual, loss, embeddings, 0.5, `${count} × ${columns} × ${width}`);
  }
});

sentences('in-batch softmax over more anchors than a block: the loss of each, and gradients that leave the lengths alone', () => {
  const [count, width] = [300, 12];
  const embeddings = new Random(5).floats(2 * count * width);
  const { loss, grad } = trainingOps.sentenceLoss('in_batch_softmax', embeddings, 2, width, 1 / count, 5, null);
  const lengths = rowsOf(embeddings, width).map((row) => Math.sqrt(dot(row, row)));
  const unit = rowsOf(embeddings, width).map((row, i) => row.map((x) => x / lengths[i]!));
  const [anchors, texts] = [unit.slice(0, count), unit.slice(count)];
  const scores = anchors.map((a) => texts.map((b) => 5 * dot(a, b)));
  const all = scores.map(logSumExp);
  const expected = total(all.map((value, i) => value - scores[i]![i]!));
  assert.ok(Math.abs(loss - expected) < 1e-5 * expected, `${loss} but ${expected} expected`);
  const probability = (i: number, j: number) => (Math.exp(scores[i]![j]! - all[i]!) - (i === j ? 1 : 0)) * (5 / count);
  const wanted = [
    ...anchors.map((_, i) => anchors[0]!.map((_, k) => total(texts.map((b, j) => probability(i, j) * b[k]!)))),
    ...texts.map((_, j) => texts[0]!.map((_, k) => total(anchors.map((a, i) => probability(i, j) * a[k]!)))),
  ].flatMap((slope, row) => {
    const along = dot(slope, unit[row]!);
    return slope.map((x, k) => (x - unit[row]![k]! * along) / lengths[row]!);
  });
  assertWithin(grad, wanted, 1e-5 * Math.max(...wanted.map(Math.abs)), 'gradient');
});

sentences('cosine similarity is the squared error of the cosine', () => {
  const embeddings = new Random(6).floats(2 * 5 * 13);
  const scores = Float32Array.of(0, 0.25, 1, -0.5, NaN);
  const loss = (x: Float64Array) => {
    const rows = rowsOf(x, 13);
    return total([0, 1, 2, 3].map((i) => (cosine(rows[i]!, rows[5 + i]!) - scores[i]!) ** 2));
  };
  check(trainingOps.sentenceLoss('cosine_similarity', embeddings, 2, 13, 0.2, 1, scores), loss, embeddings, 0.2, 'cosine similarity');
});

sentences('cosent compares every two pairs of different scores', () => {
  for (const scores of [[0.5], [1, 1, 1], [0.2, 0.8, 0.2, 0.5, 1, 0.5, 0], [0.1, NaN, 0.9, 0.4]]) {
    const count = scores.length;
    const embeddings = new Random(count).floats(2 * count * 9);
    const loss = (x: Float64Array) => {
      const rows = rowsOf(x, 9);
      const cosines = scores.map((_, i) => 20 * cosine(rows[i]!, rows[count + i]!));
      const terms = scores.flatMap((low, i) => scores.flatMap((high, j) => (low < high ? [cosines[i]! - cosines[j]!] : [])));
      return logSumExp([0, ...terms]);
    };
    const actual = trainingOps.sentenceLoss('cosent', embeddings, 2, 9, 0.5, 20, Float32Array.from(scores));
    check(actual, loss, embeddings, 0.5, `scores ${scores.join(' ')}`);
  }
});

sentences('triplet is the difference of two distances and a margin, at least 0', () => {
  const embeddings = new Random(7).floats(3 * 6 * 11);
  const distance = (a: readonly number[], b: readonly number[]) => Math.sqrt(total(a.map((x, i) => (x - b[i]! + 1e-6) ** 2)));
  for (const margin of [0, 0.5, 5]) {
    const loss = (x: Float64Array) => {
      const rows = rowsOf(x, 11);
      return total(
        [0, 1, 2, 3, 4, 5].map((i) => Math.max(0, distance(rows[i]!, rows[6 + i]!) - distance(rows[i]!, rows[12 + i]!) + margin)),
      );
    };
    check(trainingOps.sentenceLoss('triplet', embeddings, 3, 11, 0.5, margin, null), loss, embeddings, 0.5, `margin ${margin}`);
  }
});

sentences('an embedding that is not a number makes every loss so', () => {
  const embeddings = new Random(8).floats(3 * 4 * 8);
  embeddings[50] = NaN;
  const scores = Float32Array.of(0, 0.3, 0.6, 1);
  for (const [kind, columns] of [
    ['in_batch_softmax', 3],
    ['triplet', 3],
    ['cosine_similarity', 2],
    ['cosent', 2],
  ] as const) {
    const part = embeddings.slice(0, columns * 4 * 8);
    assert.not.ok(Number.isFinite(trainingOps.sentenceLoss(kind, part, columns, 8, 1, 20, columns === 2 ? scores : null).loss), kind);
  }
});
sentences.run();
