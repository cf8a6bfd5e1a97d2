import { suite } from '../support/suite.js';
import type { ActivationName } from '../../src/checkpoint/activation.js';
import { assertSameBits, assertWithin, dotError } from '../support/compare.js';
import { instructionSet, ops } from '../support/devices.js';
import { Random } from '../support/random.js';
import { activations, gate, linear, type LinearInputs } from '../support/reference.js';

const t = suite(`gated linear ${instructionSet}`);

/** A product of 2n columns, which a gate makes n of. */
function draw(random: Random, { m, n, k, bias = true }: { m: number; n: number; k: number; bias?: boolean }): LinearInputs {
  return {
    input: random.floats(m * k),
    weight: random.floats(2 * n * k, 1 / Math.sqrt(k)),
    bias: bias ? random.floats(2 * n) : null,
    residual: null,
    m,
    n: 2 * n,
    k,
  };
}

function run({ input, weight, bias, m, n, k }: LinearInputs, activation: ActivationName, precision = 'fp32'): Float32Array {
  return ops.linear(input, weight, bias, null, activation, m, n, k, precision, true);
}

function check(inputs: LinearInputs, activation: ActivationName, what: string): void {
  const { output, magnitude } = linear(inputs, 'none');
  const expected = gate(output, (i) => dotError(inputs.k) * magnitude[i]!, inputs.n / 2, activation);
  assertWithin(run(inputs, activation), expected.output, expected.tolerance, what);
}

t('matches the float64 reference at odd sizes', () => {
  const random = new Random(1);
  for (const n of [1, 2, 7, 15, 16, 17, 31, 33, 47, 48, 49, 63, 65, 95, 97, 129, 193, 257]) {
    const shape = {
      m: random.pick([1, 2, 3, 6, 7, 13, 14, 29, 65, 130]),
      n,
      k: random.pick([1, 2, 3, 13, 64, 65, 127]),
      bias: n % 2 === 0,
    };
    check(draw(random, shape), 'gelu', JSON.stringify(shape));
  }
  check(draw(random, { m: 9, n: 576, k: 384 }), 'silu', 'a layer');
});

t('takes every activation', () => {
  const random = new Random(2);
  for (const activation of Object.keys(activations) as ActivationName[])
    check(draw(random, { m: 5, n: 50, k: 37 }), activation, activation);
});

t('gives each row the same bits whatever rows are computed with it', () => {
  const [n, k] = [257, 65];
  const inputs = draw(new Random(3), { m: 131, n, k });
  for (const precision of ['fp32', 'fp16-weights', 'int8']) {
    const together = run(inputs, 'silu', precision);
    for (const [begin, end] of [
      [0, 1],
      [130, 131],
      [5, 7],
      [60, 80],
    ] as const) {
      const part = { ...inputs, input: inputs.input.slice(begin * k, end * k), m: end - begin };
      assertSameBits(run(part, 'silu', precision), together.slice(begin * n, end * n), `${precision} rows ${begin} to ${end}`);
    }
  }
});

t('is the product of 2n columns with its gate, in every precision', () => {
  const [m, n, k] = [11, 83, 100];
  const inputs = draw(new Random(4), { m, n, k });
  for (const precision of ['fp16-weights', 'int8']) {
    const product = ops.linear(inputs.input, inputs.weight, inputs.bias, null, 'none', m, 2 * n, k, precision);
    const expected = gate(Float64Array.from(product), () => 0, n, 'relu');
    assertWithin(run(inputs, 'relu', precision), expected.output, expected.tolerance, precision);
  }
});

t.run();
