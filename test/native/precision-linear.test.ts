import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import type { ActivationName } from '../../src/checkpoint/activation.js';
import { availablePrecisions, type Precision } from '../../src/runtime/options/precision.js';
import { assertSameBits, assertWithin, dotError, unitRoundoff } from '../support/compare.js';
import { instructionSet, ops } from '../support/devices.js';
import { Random } from '../support/random.js';
import { linear, type LinearInputs } from '../support/reference.js';

const t = suite(`linear precisions ${instructionSet}`);
const precisions = availablePrecisions().filter((precision) => precision !== 'fp32');
const integers = precisions.filter((precision) => precision.startsWith('int8'));

/** The largest activation and weight codes: 8 bits where instructions sum the products in 32 bits, fewer where it is 16. */
function grid(precision: Precision): { readonly levels: number; readonly limit: number } {
  const sums32 = instructionSet === 'scalar' || /vnni|bf16|neon/.test(instructionSet);
  if (sums32) return { levels: 255, limit: 127 };
  return { levels: 127, limit: precision === 'int8' ? 127 : 64 };
}

function run(
  { input, weight, bias, residual, m, n, k }: LinearInputs,
  precision: Precision,
  activation: ActivationName = 'none',
): Float32Array {
  return ops.linear(input, weight, bias, residual, activation, m, n, k, precision);
}

/** Largest error of rounding one row of inputs and one of weights, beside the float32 arithmetic of scales, bias and residual. */
function tolerances(inputs: LinearInputs, precision: Precision): (i: number) => number {
  const { input, weight, n, k } = inputs;
  const { output, magnitude } = linear(inputs, 'none');
  const sums = (i: number) => {
    const [row, column] = [Math.floor(i / n), i % n];
    const [x, w] = [input.subarray(row * k, (row + 1) * k), weight.subarray(column * k, (column + 1) * k)];
    const size = (values: Float32Array) => values.reduce((sum, value) => sum + Math.abs(value), 0);
    const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (precision === 'fp16-weights') return 2 ** -11 * magnitude[i]! + size(x) * 2 ** -25;
    if (precision === 'bf16') return 2 * 2 ** -8 * 1.01 * magnitude[i]!;
    const { levels, limit } = grid(precision);
    // The zero point is rounded as well: a value can be a whole step off at the ends of the row's range.
    const range = x.reduce((most, value) => Math.max(most, value), 0) - x.reduce((least, value) => Math.min(least, value), 0);
    const [stepX, stepW] = [range / levels, largest(w) / limit];
    return size(w) * stepX + (size(x) * stepW) / 2 + (k * stepX * stepW) / 2;
  };
  return (i) => sums(i) * 1.001 + dotError(k) * magnitude[i]! + 8 * unitRoundoff * (magnitude[i]! + Math.abs(output[i]!)) + 1e-30;
}

function check(inputs: LinearInputs, precision: Precision, what: string): void {
  assertWithin(run(inputs, precision), linear(inputs, 'none').output, tolerances(inputs, precision), `${precision} ${what}`);
}

function draw(random: Random, m: number, n: number, k: number): LinearInputs {
  return {
    input: random.floats(m * k, 1, 0.3),
    weight: random.floats(n * k, 1 / Math.sqrt(k)),
    bias: random.next() < 0.5 ? random.floats(n) : null,
    residual: random.next() < 0.5 ? random.floats(m * n) : null,
    m,
    n,
    k,
  };
}

const anyDepths = [1, 2, 3, 4, 5, 7, 8, 9, 13, 31, 64, 65, 127, 384];
const anyWidths = [1, 2, 7, 15, 16, 17, 31, 32, 33, 47, 49, 63, 65, 97];

for (const precision of precisions) {
  t(`${precision} stays within its rounding for every m from 1 to 67 at odd n and k`, () => {
    const random = new Random(1);
    for (let m = 1; m <= 67; m++) {
      const [n, k] = [random.pick(anyWidths), random.pick(anyDepths)];
      check(draw(random, m, n, k), precision, `m=${m} n=${n} k=${k}`);
    }
  });

  t(`${precision} stays within its rounding for every n and k from 1 to 70`, () => {
    const random = new Random(2);
    for (let size = 1; size <= 70; size++) {
      check(draw(random, random.integer(1, 9), size, random.pick(anyDepths)), precision, `n=${size}`);
      check(draw(random, random.integer(1, 9), random.pick(anyWidths), size), precision, `k=${size}`);
    }
  });

  t(`${precision} stays within its rounding at extreme values`, () => {
    const [m, n, k] = [7, 33, 96];
    const random = new Random(3);
    const weight = random.floats(n * k, 0.1);
    const rows: Readonly<Record<string, (i: number) => number>> = {
      'all 1e4': () => 1e4,
      'all -1e4': () => -1e4,
      'both ends': (i) => (i % 2 === 0 ? 1e4 : -1e4),
      zeros: () => 0,
      'one outlier of 1e3': (i) => (i % k === 5 ? 1e3 : random.normal()),
      'one negative outlier': (i) => (i % k === 90 ? -1e3 : random.normal()),
      'all equal and small': () => 1e-6,
    };
    for (const [what, value] of Object.entries(rows)) {
      const input = Float32Array.from({ length: m * k }, (_, i) => value(i));
      check({ input, weight, bias: null, residual: null, m, n, k }, precision, what);
      const steep = weight.map((w) => Math.sign(w) * 8);
      check({ input, weight: steep, bias: null, residual: null, m, n, k }, precision, `${what}, steep weights`);
    }
  });

  t(`${precision} gives a row the same bits whatever rows are beside it`, () => {
    const random = new Random(4);
    const inputs = draw(random, 29, 65, 77);
    const whole = run(inputs, precision);
    for (let row = 0; row < inputs.m; row++) {
      const part = (values: Float32Array | null, width: number) => values?.slice(row * width, (row + 1) * width) ?? null;
      const alone = { ...inputs, m: 1, input: part(inputs.input, 77)!, residual: part(inputs.residual, 65) };
      assertSameBits(run(alone, precision), whole.slice(row * 65, (row + 1) * 65), `row ${row}`);
    }
  });
}

for (const precision of integers) {
  const { levels, limit } = grid(precision);

  /** Whole numbers that fill both grids, so that rounding changes nothing and sums must be exact. */
  const whole = (m: number, n: number, k: number, x: (i: number) => number, w: (i: number) => number): LinearInputs => {
    const input = Float32Array.from({ length: m * k }, (_, i) => (i % k === 0 ? levels : x(i)));
    const weight = Float32Array.from({ length: n * k }, (_, i) => (i % k === 0 ? limit : w(i)));
    return { input, weight, bias: null, residual: null, m, n, k };
  };

  const exact = (inputs: LinearInputs, what: string) => {
    const { output } = linear(inputs, 'none');
    assert.ok(output.every((sum) => Math.abs(sum) < 2 ** 24));
    assert.equal([...run(inputs, precision)], [...output], what);
  };

  t(`${precision} sums whole numbers exactly at odd sizes`, () => {
    const random = new Random(5);
    for (let m = 1; m <= 67; m += 3) {
      const [n, k] = [random.pick(anyWidths), random.pick(anyDepths)];
      const inputs = whole(
        m,
        n,
        k,
        () => random.integer(0, levels),
        () => random.integer(-limit, limit),
      );
      exact(inputs, `m=${m} n=${n} k=${k}`);
    }
  });

  t(`${precision} saturates nowhere: every code at its largest`, () => {
    for (const k of [1, 2, 3, 4, 5, 8, 64, 384]) {
      for (const sign of [1, -1]) {
        exact(whole(9, 35, k, () => levels, () => sign * limit), `k=${k} sign=${sign}`); // prettier-ignore
        exact(whole(9, 35, k, (i) => (i % 2 === 0 ? levels : 0), (i) => (i % 2 === 0 ? -limit : limit)), `k=${k} alternating`); // prettier-ignore
      }
    }
  });

  t(`${precision} sums rows below zero exactly, by the zero point`, () => {
    const random = new Random(6);
    const inputs = whole(
      8,
      33,
      65,
      () => random.integer(0, levels),
      () => random.integer(-limit, limit),
    );
    const low = 40;
    const shifted = inputs.input.map((value, i) => (i % 65 === 1 ? -low : Math.min(value, levels) - low));
    exact({ ...inputs, input: shifted }, 'shifted');
  });
}

t.run();
