import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { centralDifference } from '../support/central-difference.js';
import { assertSameBits, assertWithin, largestRelativeDifference } from '../support/compare.js';
import { instructionSet, ops, trainingOps } from '../support/devices.js';
import { Random } from '../support/random.js';
import { activations } from '../support/reference.js';
import { readTensors } from '../../scripts/golden/files.js';

const golden = async (name: string) => {
  const tensors = await readTensors(goldenTraining(`numerics/${name}.safetensors`).pathname);
  return { values: (key: string) => tensors.get(key)!.values, floats: (key: string) => Float32Array.from(tensors.get(key)!.values) };
};

/** |actual - expected| as a share of the largest |expected| of the row. */
function assertRows(actual: Float32Array, expected: ArrayLike<number>, width: number, limit: number, what: string): void {
  const peak = (i: number) => {
    const row = Array.from({ length: width }, (_, column) => Math.abs(expected[i - (i % width) + column]!));
    return limit * Math.max(1e-30, ...row);
  };
  assertWithin(actual, expected, peak, what);
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

// --- activations

const acts = suite(`derivatives of activations ${instructionSet}`);
const huggingFaceNames = { gelu: 'gelu', gelu_pytorch_tanh: 'gelu_tanh', relu: 'relu', silu: 'silu', tanh: 'tanh', sigmoid: 'sigmoid' };
const others = { quick_gelu: 'quick_gelu', relu6: 'relu6', relu2: 'relu_squared', leaky_relu: 'leaky_relu', mish: 'mish' };

acts('are within 1e-5 of the golden numbers, edges of ±0, ±1e-30 … ±1e4', async () => {
  const { values, floats } = await golden('activations');
  for (const [theirs, ours] of Object.entries({ ...huggingFaceNames, ...others })) {
    const actual = trainingOps.activationGrad(ours, floats('input'), floats('dy')).input;
    assert.ok(largestRelativeDifference(actual, values(`grad.${theirs}`)) < 1e-5, theirs);
  }
});

for (const [name, activation] of Object.entries(activations)) {
  acts(`${name}: within 1e-6 of the derivative in float64, and the activation again, to the bit`, () => {
    const random = new Random(1);
    const x = Float32Array.of(...random.floats(997, 4), 0.1, -0.1, 30, -30, 87, -89, 150, -150, 1e4, -1e4);
    const { input, recomputed } = trainingOps.activationGrad(name, x, new Float32Array(x.length).fill(1));
    const expected = Array.from(x, (at) => centralDifference(([y]) => activation(y!), [at])[0]!);
    const twice = name === 'relu_squared' ? 2e-7 : 0; // 2 x has the error of x
    assertWithin(input, expected, (i) => 1e-6 + twice * Math.abs(x[i]!), name);
    assertSameBits(recomputed, ops.activation(name, x), name);
  });
}

acts('are 0 or 1 far out, and what is not a number stays so', () => {
  const far = Float32Array.of(1e30, -1e30, 3e38, -3e38);
  for (const name of ['gelu', 'gelu_tanh', 'silu', 'quick_gelu', 'mish'] as const) {
    assertWithin(trainingOps.activationGrad(name, far, Float32Array.of(1, 1, 1, 1)).input, [1, 0, 1, 0], 1e-6, name);
    assert.ok(Number.isNaN(trainingOps.activationGrad(name, Float32Array.of(NaN), Float32Array.of(1)).input[0]), name);
  }
});
acts.run();

// --- layer_norm

const norms = suite(`gradient of layer_norm ${instructionSet}`);

function layerNormOutputs(x: ArrayLike<number>, weight: ArrayLike<number>, eps: number): number[] {
  const row = Array.from(x);
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value, i) => ((value - mean) / Math.sqrt(variance + eps)) * weight[i]!);
}

norms('is within 1e-5 of the golden numbers: means of 1e4, equal numbers, one large one', async () => {
  const { values, floats } = await golden('layer_norm');
  for (const width of [1, 7, 36, 130]) {
    const of = (name: string) => floats(`${width}.${name}`);
    const actual = trainingOps.layerNormGrad(of('input'), of('weight'), of('dy'), null, 9, width, 1e-12, 0, true);
    assertRows(actual.input, values(`${width}.grad.input`), width, 1e-5, `width ${width}: input`);
    assertRows(actual.weight, values(`${width}.grad.weight`), width, 1e-5, `width ${width}: weight`);
    assertRows(actual.bias, values(`${width}.grad.bias`), width, 1e-5, `width ${width}: bias`);
  }
});

norms('is within 1e-5 of central differences at odd widths, and adds the residual', () => {
  for (const width of [2, 3, 5, 8, 9, 15, 17, 31, 33, 47, 65, 100]) {
    const random = new Random(width);
    const [x, weight, dy] = [random.floats(3 * width, 2, 0.5), random.floats(width, 0.3, 1), random.floats(3 * width)];
    const residual = random.floats(3 * width);
    const expected = [0, 1, 2].flatMap((row) => {
      const [from, to] = [row * width, (row + 1) * width];
      const g = dy.subarray(from, to);
      return Array.from(centralDifference((moved) => dot(layerNormOutputs(moved, weight, 1e-3), g), x.subarray(from, to)));
    });
    const plain = trainingOps.layerNormGrad(x, weight, dy, null, 3, width, 1e-3, 0, true);
    assertWithin(plain.input, expected, 1e-5, `width ${width}`);
    const sums = plain.input.map((value, i) => Math.fround(value + residual[i]!));
    assertSameBits(trainingOps.layerNormGrad(x, weight, dy, residual, 3, width, 1e-3, 0, true).input, sums, `width ${width}, residual`);
  }
});

norms('sums weights and biases over more rows than a block, the same bits wherever the columns are cut', () => {
  const random = new Random(3);
  const [rows, width] = [600, 77];
  const [x, weight, dy] = [random.floats(rows * width), random.floats(width, 0.3, 1), random.floats(rows * width)];
  const whole = trainingOps.layerNormGrad(x, weight, dy, null, rows, width, 1e-12, 0, true);
  const [expectedWeight, expectedBias] = [new Float64Array(width), new Float64Array(width)];
  for (let row = 0; row < rows; row++) {
    const y = layerNormOutputs(x.subarray(row * width, (row + 1) * width), new Float32Array(width).fill(1), 1e-12);
    y.forEach((value, i) => {
      expectedWeight[i]! += value * dy[row * width + i]!;
      expectedBias[i]! += dy[row * width + i]!;
    });
  }
  assertWithin(whole.weight, expectedWeight, 1e-4, 'weight');
  assertWithin(whole.bias, expectedBias, 1e-4, 'bias');
  const frozen = trainingOps.layerNormGrad(x, weight, dy, null, rows, width, 1e-12, 0, false);
  assertSameBits(frozen.weight, whole.weight, 'weight where nothing below learns');
  assertSameBits(frozen.input, new Float32Array(rows * width), 'input where nothing below learns');
  for (const cut of [1, 16, 33, 76]) {
    const parts = trainingOps.layerNormGrad(x, weight, dy, null, rows, width, 1e-12, cut, true);
    assertSameBits(parts.weight, whole.weight, `weight cut at ${cut}`);
    assertSameBits(parts.bias, whole.bias, `bias cut at ${cut}`);
  }
});
norms.run();

// --- pool, normalize, sums of rows

const rest = suite(`gradients of pool and normalize, sums of rows ${instructionSet}`);
const modes = ['cls', 'mean', 'max', 'mean_sqrt_len', 'weightedmean', 'lasttoken'];

rest('of six poolings are within 1e-5 of the golden numbers', async () => {
  const { values, floats } = await golden('pool');
  const bounds = Int32Array.from(values('cu_seqlens'));
  for (const mode of modes) {
    const actual = trainingOps.poolGrad(floats('input'), bounds, 10, [mode], null, floats(`${mode}.dy`));
    assert.ok(largestRelativeDifference(actual, values(`${mode}.grad.input`)) < 1e-6, mode);
  }
});

rest('of poolings that skip, one or several, are those of central differences of the forward', () => {
  const random = new Random(4);
  const [width, bounds] = [13, Int32Array.of(0, 1, 4, 9)];
  const x = random.floats(9 * width);
  for (const wanted of [...modes.map((mode) => [mode]), ['mean', 'max'], modes]) {
    for (const skip of [null, Int32Array.of(1, 2, 3), Int32Array.of(0, 3, 9)]) {
      const dy = random.floats(3 * width * wanted.length);
      const actual = trainingOps.poolGrad(x, bounds, width, wanted, skip, dy);
      // The forward in float32 on steps of 2^-6, which it takes without rounding much: pooling is linear but for the maximum.
      const expected = x.map((value, i) => {
        const moved = x.slice();
        moved[i] = value + 2 ** -9;
        const above = dot(ops.pool(moved, bounds, width, wanted, skip), dy);
        moved[i] = value - 2 ** -9;
        return (above - dot(ops.pool(moved, bounds, width, wanted, skip), dy)) * 2 ** 8;
      });
      assertWithin(actual, expected, 1e-3, `${wanted.join(' ')}, skip ${skip}`);
    }
  }
});

rest('gives the gradient of a maximum to the first of equal ones', () => {
  const x = Float32Array.of(1, 5, 3, 5, 3, 2);
  assert.equal([...trainingOps.poolGrad(x, Int32Array.of(0, 3), 2, ['max'], null, Float32Array.of(7, 9))], [0, 9, 7, 0, 0, 0]);
});

rest('of normalize are within 1e-5 of the golden numbers: lengths of 1e-8, 1e4, and below 1e-12', async () => {
  const { values, floats } = await golden('normalize');
  assertRows(trainingOps.normalizeGrad(floats('input'), floats('dy'), 6, 11), values('grad.input'), 11, 1e-5, 'normalize');
});

rest('of normalize are within 1e-5 of central differences at odd widths', () => {
  for (const width of [1, 2, 7, 17, 33, 65]) {
    const random = new Random(width);
    const [x, dy] = [random.floats(width), random.floats(width)];
    const expected = centralDifference((row) => dot(row, dy) / Math.sqrt(dot(row, row)), x);
    assertWithin(trainingOps.normalizeGrad(x, dy, 1, width), expected, 1e-5 * Math.max(...dy.map(Math.abs)), `width ${width}`);
  }
});

rest('adds rows in order, in blocks of 256 and runs of 16', () => {
  const random = new Random(5);
  for (const width of [1, 5, 16, 33, 70]) {
    const [x, start, order] = [random.floats(40 * width), random.floats(width), random.integers(700, 0, 39)];
    const expected = start.slice();
    for (let begin = 0; begin < order.length; begin += 256) {
      const sums = new Float32Array(width);
      const block = order.subarray(begin, begin + 256);
      for (let run = 0; run < block.length; run += 16) {
        const parts = new Float32Array(width);
        for (const row of block.subarray(run, run + 16)) parts.forEach((part, i) => (parts[i] = part + x[row * width + i]!));
        sums.forEach((sum, i) => (sums[i] = sum + parts[i]!));
      }
      expected.forEach((sum, i) => (expected[i] = sum + sums[i]!));
    }
    assertSameBits(trainingOps.addRows(x, order, width, start, 1), expected, `width ${width}`);
  }
});

rest('of lookups are within 1e-5 of the golden numbers: repeated ids, a padding row that gets nothing', async () => {
  const { values, floats } = await golden('embed');
  const [ids, types] = [Int32Array.from(values('ids')), Int32Array.from(values('type_ids'))];
  const positions = ids.map((_, i) => i % 16);
  const dy = floats('dy');
  assert.ok(largestRelativeDifference(trainingOps.lookupGrad(dy, ids, 12, 9, 0, 0, 1), values('grad.word')) < 1e-6, 'word');
  assert.ok(largestRelativeDifference(trainingOps.lookupGrad(dy, positions, 16, 9, 0, -1, 1), values('grad.position')) < 1e-6, 'position');
  assert.ok(largestRelativeDifference(trainingOps.lookupGrad(dy, types, 2, 9, 0, -1, 1), values('grad.type')) < 1e-6, 'type');
  // Marian: words times the root of the width.
  const scaled = values('grad.word').map((value) => 3 * value);
  assert.ok(largestRelativeDifference(trainingOps.lookupGrad(dy, ids, 12, 9, 0, 0, 3), scaled) < 1e-6, 'scaled');
  // MPNet: positions from 2.
  const moved = trainingOps.lookupGrad(dy, positions, 18, 9, 2, 1, 1);
  assertSameBits(moved.slice(18), trainingOps.lookupGrad(dy, positions, 16, 9, 0, -1, 1), 'positions from 2');
});

rest('scatters rows to their places, repeated ones as sums, and zeros elsewhere', () => {
  const actual = trainingOps.scatterRows(Float32Array.of(1, 2, 3, 4, 5, 6), Int32Array.of(2, 0, 2), 4, 2);
  assert.equal([...actual], [3, 4, 0, 0, 6, 8, 0, 0]);
});

rest('adds two arrays of any length', () => {
  for (const count of [1, 7, 16, 50]) {
    const [a, b] = [new Random(6).floats(count), new Random(7).floats(count)];
    assertSameBits(
      trainingOps.add(a, b),
      a.map((value, i) => value + b[i]!),
      `${count} numbers`,
    );
  }
});
rest.run();
