import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { assertSameBits, assertWithin, dotError, unitRoundoff } from '../support/compare.js';
import { instructionSet, ops } from '../support/devices.js';
import { Random } from '../support/random.js';
import { embed, layerNorm, logSumExp, normalize, pool, topColumns } from '../support/reference.js';

const widths = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 36, 47, 63, 64, 65, 100, 127, 129, 384, 500, 768, 1031];

// --- layer_norm

const norms = suite(`layer_norm ${instructionSet}`);

/** Rounding of x - mean, of the scale and of the last fma, with the mean corrected by the mean of what it leaves. */
function checkNorm(x: Float32Array, weight: Float32Array, bias: Float32Array, eps: number, what: string): void {
  const width = weight.length;
  const expected = layerNorm(x, weight, bias, width, eps);
  const tolerance = (i: number) => {
    const [w, b] = [Math.abs(weight[i % width]!), Math.abs(bias[i % width]!)];
    return (dotError(width) + 8 * unitRoundoff) * (Math.abs(expected[i]!) + b + w);
  };
  assertWithin(ops.layerNorm(x, weight, bias, x.length / width, width, eps), expected, tolerance, what);
}

for (const width of widths) {
  norms(`matches the float64 reference at width ${width}`, () => {
    const random = new Random(width);
    for (const rows of [1, 2, 7, 67]) {
      checkNorm(random.floats(rows * width, 2, 0.5), random.floats(width, 0.3, 1), random.floats(width, 0.2), 1e-12, `${rows} rows`);
    }
  });
}

norms('leaves the bias out where there is none, at any width', () => {
  for (const width of widths) {
    const random = new Random(width + 1);
    const [x, weight] = [random.floats(7 * width, 2, 0.5), random.floats(width, 0.3, 1)];
    const expected = layerNorm(x, weight, new Float32Array(width), width, 1e-12);
    const tolerance = (i: number) => (dotError(width) + 8 * unitRoundoff) * (Math.abs(expected[i]!) + Math.abs(weight[i % width]!));
    assertWithin(ops.layerNorm(x, weight, null, 7, width, 1e-12), expected, tolerance, `width ${width}`);
  }
});

norms('keeps 1e-5 at a mean of 1e4 with a deviation of 0.02', () => {
  const random = new Random(1);
  for (const width of [36, 65, 384, 1031]) {
    const x = random.floats(3 * width, 0.02, 1e4);
    const one = new Float32Array(width).fill(1);
    const expected = layerNorm(x, one, new Float32Array(width), width, 1e-12);
    const tolerance = (i: number) => 1e-5 * Math.max(1, Math.abs(expected[i]!));
    assertWithin(ops.layerNorm(x, one, new Float32Array(width), 3, width, 1e-12), expected, tolerance, `width ${width}`);
  }
});

norms('returns the bias for rows whose values are all equal', () => {
  const random = new Random(2);
  for (const value of [0, 1, -3, 0.1, 1e4, 1e-20]) {
    for (const width of [1, 13, 36, 384]) {
      const bias = random.floats(width);
      const y = ops.layerNorm(new Float32Array(width).fill(value), random.floats(width), bias, 1, width, 1e-5);
      assertWithin(y, bias, 1e-4, `value ${value}, width ${width}`);
    }
  }
});

norms('survives one outlier of 1e4 and rows of 1e-5', () => {
  const random = new Random(3);
  const x = random.floats(129);
  x[77] = 1e4;
  checkNorm(x, random.floats(129, 0.3, 1), random.floats(129), 1e-12, 'outlier');
  checkNorm(random.floats(2 * 129, 1e-5), random.floats(129, 0.3, 1), random.floats(129), 1e-5, 'small');
});

norms('gives a row the same bits alone and among others', () => {
  const random = new Random(4);
  const [x, weight, bias] = [random.floats(67 * 65), random.floats(65), random.floats(65)];
  const together = ops.layerNorm(x, weight, bias, 67, 65, 1e-12);
  for (const row of [0, 1, 33, 66]) {
    const part = x.slice(row * 65, (row + 1) * 65);
    assertSameBits(ops.layerNorm(part, weight, bias, 1, 65, 1e-12), together.slice(row * 65, (row + 1) * 65), `row ${row}`);
  }
});
norms.run();

// --- embed

const embeds = suite(`embed ${instructionSet}`);

for (const width of [1, 7, 16, 25, 36, 65, 128, 384]) {
  embeds(`adds up word, position and type rows at width ${width}`, () => {
    const random = new Random(width);
    for (const [hasPosition, hasType, positionOffset] of [
      [true, true, 0],
      [true, false, 2],
      [false, true, 0],
      [false, false, 0],
    ] as const) {
      const cuSeqlens = Int32Array.of(0, 1, 18, 24);
      const inputs = {
        ids: random.integers(24, 0, 40),
        typeIds: random.integers(24, 0, hasType ? 1 : 0),
        cuSeqlens,
        word: random.floats(41 * width),
        position: hasPosition ? random.floats((17 + positionOffset) * width) : null,
        type: hasType ? random.floats(2 * width) : null,
        width,
        positionOffset,
      };
      const { ids, typeIds, word, position, type } = inputs;
      const actual = ops.embed(ids, typeIds, cuSeqlens, word, position, type, width, positionOffset);
      const expected = embed(inputs);
      const magnitude = [word, position, type].reduce((sum, table) => sum + Math.max(0, ...(table ?? []).map(Math.abs)), 0);
      assertWithin(actual, expected, 2 * unitRoundoff * magnitude, `position ${hasPosition}, type ${hasType}`);
    }
  });
}

embeds('refuses ids, types and positions outside their tables', () => {
  const [word, position, type] = [new Float32Array(8), new Float32Array(8), new Float32Array(4)];
  const call = (ids: number[], typeIds: number[], length = ids.length) =>
    ops.embed(Int32Array.from(ids), Int32Array.from(typeIds), Int32Array.of(0, length), word, position, type, 2, 0);
  assert.is(call([3, 0], [1, 0]).length, 4);
  assert.throws(() => call([4], [0]), /4/);
  assert.throws(() => call([-1], [0]), /-1/);
  assert.throws(() => call([0], [2]), /2/);
  assert.throws(() => call([0], [-1]), /-1/);
  assert.throws(() => call([0, 0, 0, 0, 0], [0, 0, 0, 0, 0]), /position/);
});
embeds.run();

// --- pool

const pools = suite(`pool ${instructionSet}`);
const modes = ['cls', 'mean', 'max', 'mean_sqrt_len', 'weightedmean', 'lasttoken'];
const bounds = Int32Array.of(0, 1, 3, 10, 77);

function checkPool(x: Float32Array, width: number, wanted: readonly string[], skip: Int32Array | null): void {
  const peak = x.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const actual = ops.pool(x, bounds, width, wanted, skip);
  assertWithin(actual, pool(x, bounds, width, wanted, skip), 8 * peak * dotError(67), `${wanted.join(' ')}, skip ${skip}`);
}

for (const mode of modes) {
  pools(`${mode} matches the float64 reference at every width`, () => {
    for (const width of widths.filter((each) => each < 400)) checkPool(new Random(width).floats(77 * width), width, [mode], null);
  });

  pools(`${mode} leaves out the first tokens where asked to`, () => {
    for (const width of [5, 36, 65]) {
      const x = new Random(width).floats(77 * width);
      checkPool(x, width, [mode], Int32Array.of(0, 1, 3, 66));
      checkPool(x, width, [mode], Int32Array.of(1, 2, 9, 0));
    }
  });
}

pools('puts several ways side by side', () => {
  const x = new Random(1).floats(77 * 33);
  checkPool(x, 33, ['cls', 'mean'], null);
  checkPool(x, 33, modes, Int32Array.of(0, 1, 2, 3));
});

pools('max of values that are all very negative is their largest', () => {
  const x = new Random(2).floats(77 * 9, 1, -1e30);
  checkPool(x, 9, ['max'], null);
});
pools.run();

// --- normalize

const lengths = suite(`normalize ${instructionSet}`);

for (const width of widths) {
  lengths(`gives rows of width ${width} length 1`, () => {
    const random = new Random(width);
    for (const deviation of [1, 1e-9, 1e9]) {
      const x = random.floats(7 * width, deviation);
      const expected = normalize(x, width);
      assertWithin(
        ops.normalize(x, 7, width),
        expected,
        (i) => Math.abs(expected[i]!) * (dotError(width) + 4 * unitRoundoff),
        `${deviation}`,
      );
    }
  });
}

lengths('leaves zeros zero and divides by at least 1e-12', () => {
  assertWithin(ops.normalize(new Float32Array(35), 1, 35), new Float64Array(35), 0, 'zeros');
  const x = new Float32Array(20).fill(1e-16);
  assertWithin(ops.normalize(x, 1, 20), normalize(x, 20), 1e-10, 'tiny');
});
lengths.run();

// --- top_k

const tops = suite(`top_k ${instructionSet}`);

function checkTop(x: Float32Array, width: number, k: number): void {
  const rows = x.length / width;
  const actual = ops.topK(x, rows, width, k);
  for (let row = 0; row < rows; row++) {
    const input = x.subarray(row * width, (row + 1) * width);
    const output = actual.subarray(row * (1 + 2 * k), (row + 1) * (1 + 2 * k));
    const columns = topColumns(input, k);
    const lse = logSumExp(input);
    assert.equal(Array.from(output.slice(1 + k)), columns, `row ${row}: columns`);
    assertSameBits(
      output.slice(1, 1 + k),
      Float32Array.from(columns, (column) => input[column]!),
      `row ${row}: values`,
    );
    // What is summed up is off by the rounding of x * log2(e) and by exp2's own error; the logarithm turns both into absolute ones.
    const peak = input.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    assertWithin([output[0]!], [lse], 4 * unitRoundoff * (peak + Math.abs(lse)) + 5e-7 + dotError(width), `row ${row}: log-sum-exp`);
  }
}

tops('finds the largest of any width in order', () => {
  const random = new Random(1);
  for (const width of [...widths, 4099, 30522]) {
    for (const k of [1, 2, 5, 10]) if (k <= width) checkTop(random.floats((width > 1000 ? 2 : 7) * width, 3), width, k);
  }
});

tops('prefers the lower column among equal values', () => {
  const random = new Random(2);
  for (const width of [3, 17, 65, 100]) checkTop(Float32Array.from(random.integers(7 * width, -1, 1)), width, Math.min(width, 9));
  checkTop(new Float32Array(40), 40, 40);
});

tops('sorts whole rows', () => {
  for (const width of [1, 16, 37]) checkTop(new Random(3).floats(3 * width), width, width);
});

tops('survives values of 1e4 and -1e4', () => {
  const x = new Random(4).floats(67, 1e4);
  checkTop(x, 67, 5);
  checkTop(new Float32Array(67).fill(-1e4), 67, 3);
});

tops('refuses a k below 1 or beyond the width', () => {
  assert.throws(() => ops.topK(new Float32Array(5), 1, 5, 6));
  assert.throws(() => ops.topK(new Float32Array(5), 1, 5, 0));
});
tops.run();
