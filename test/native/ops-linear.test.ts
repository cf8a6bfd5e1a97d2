import { suite } from '../support/suite.js';
import type { ActivationName } from '../../src/checkpoint/activation.js';
import { assertSameBits, assertWithin, dotError, unitRoundoff } from '../support/compare.js';
import { instructionSet, ops } from '../support/devices.js';
import { Random } from '../support/random.js';
import { activations, linear, type LinearInputs } from '../support/reference.js';

const t = suite(`linear ${instructionSet}`);

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

function draw(random: Random, { m, n, k }: Shape, { bias = true, residual = true } = {}): LinearInputs {
  return {
    input: random.floats(m * k),
    weight: random.floats(n * k, 1 / Math.sqrt(k)),
    bias: bias ? random.floats(n) : null,
    residual: residual ? random.floats(m * n) : null,
    m,
    n,
    k,
  };
}

function run({ input, weight, bias, residual, m, n, k }: LinearInputs, activation: ActivationName = 'none'): Float32Array {
  return ops.linear(input, weight, bias, residual, activation, m, n, k);
}

/** Largest slope of an activation over the values that these tests reach: what it makes of the error of its input. */
const slope = (activation: ActivationName, magnitude: number) => (activation === 'relu_squared' ? 2 * magnitude : 1.2);

/** `order` bounds the relative error of the sums; the activation adds at most 1e-6, the residual one rounding. */
function check(inputs: LinearInputs, activation: ActivationName, what: string, order = dotError(inputs.k)): void {
  const { output, magnitude } = linear(inputs, activation);
  const own = activation === 'none' ? 0 : 1e-6;
  const tolerance = (i: number) =>
    slope(activation, magnitude[i]!) * order * magnitude[i]! +
    own * Math.max(1, Math.abs(output[i]!)) +
    (Math.abs(output[i]!) + Math.abs(inputs.residual?.[i] ?? 0)) * 2 * unitRoundoff;
  assertWithin(run(inputs, activation), output, tolerance, what);
}

const anyDepths = [1, 2, 3, 5, 8, 13, 31, 64, 65, 127, 384];
const anyWidths = [1, 2, 7, 15, 16, 17, 31, 33, 47, 48, 49, 63, 65, 95, 97, 129];

t('matches the float64 reference for every m from 1 to 67 at odd n and k', () => {
  const random = new Random(1);
  for (let m = 1; m <= 67; m++) {
    const shape = { m, n: random.pick(anyWidths), k: random.pick(anyDepths) };
    const options = { bias: random.next() < 0.5, residual: random.next() < 0.5 };
    check(draw(random, shape, options), 'none', `m=${m} n=${shape.n} k=${shape.k} ${JSON.stringify(options)}`);
  }
});

t('matches the float64 reference for every n from 1 to 131', () => {
  const random = new Random(2);
  for (let n = 1; n <= 131; n++) {
    const shape = { m: random.pick([1, 2, 3, 4, 5, 6, 7, 9, 12, 13]), n, k: random.pick(anyDepths) };
    check(draw(random, shape), 'none', `m=${shape.m} n=${n} k=${shape.k}`);
  }
});

t('matches the float64 reference for every k from 1 to 131', () => {
  const random = new Random(3);
  for (let k = 1; k <= 131; k++) {
    const shape = { m: random.pick([1, 5, 6, 7, 8, 14, 31]), n: random.pick(anyWidths), k };
    check(draw(random, shape), 'none', `m=${shape.m} n=${shape.n} k=${k}`);
  }
});

for (const { m, n, k } of [
  { m: 1, n: 1536, k: 384 },
  { m: 16, n: 384, k: 1536 },
  { m: 37, n: 1152, k: 384 },
  { m: 5, n: 768, k: 3072 },
  { m: 3, n: 4099, k: 67 },
]) {
  t(`matches the float64 reference at m=${m} n=${n} k=${k}`, () => {
    check(draw(new Random(4), { m, n, k }), 'gelu', 'bias gelu residual');
  });
}

for (const activation of Object.keys(activations) as ActivationName[]) {
  t(`fuses ${activation} with every choice of bias and residual`, () => {
    const random = new Random(5);
    for (const bias of [false, true]) {
      for (const residual of [false, true]) {
        for (const shape of [
          { m: 1, n: 50, k: 37 },
          { m: 13, n: 129, k: 65 },
        ]) {
          check(draw(random, shape, { bias, residual }), activation, `m=${shape.m} bias=${bias} residual=${residual}`);
        }
      }
    }
  });
}

t('keeps its bound for inputs of 1e4 and -1e4', () => {
  const random = new Random(6);
  const inputs = draw(random, { m: 9, n: 67, k: 129 });
  inputs.input.forEach((_, i) => (inputs.input[i] = random.pick([1e4, -1e4])));
  inputs.weight.forEach((_, i) => (inputs.weight[i] = random.pick([1e4, -1e4, 1e-4])));
  check(inputs, 'none', 'extreme', (inputs.k + 2) * unitRoundoff);
});

t('keeps its bound when all inputs are equal', () => {
  const inputs = draw(new Random(7), { m: 11, n: 35, k: 257 });
  inputs.input.fill(0.1);
  inputs.weight.fill(0.3);
  check(inputs, 'none', 'equal', (inputs.k + 2) * unitRoundoff);
});

t('keeps one outlier of 1e3 from spoiling the other rows', () => {
  const inputs = draw(new Random(8), { m: 14, n: 50, k: 100 });
  inputs.input[3 * inputs.k + 17] = 1e3;
  check(inputs, 'gelu', 'outlier');
});

t('returns exact sums of whole numbers', () => {
  const random = new Random(9);
  const [m, n, k] = [23, 77, 91];
  const input = Float32Array.from(random.integers(m * k, -64, 64));
  const weight = Float32Array.from(random.integers(n * k, -64, 64));
  const bias = Float32Array.from(random.integers(n, -1000, 1000));
  const inputs = { input, weight, bias, residual: null, m, n, k };
  assertWithin(run(inputs), linear(inputs, 'none').output, 0, 'whole numbers');
});

t('gives each row the same bits whatever rows are computed with it', () => {
  const random = new Random(10);
  for (const [n, k] of [
    [129, 65],
    [384, 384],
    [31, 7],
  ] as const) {
    const inputs = draw(random, { m: 67, n, k });
    const together = run(inputs, 'gelu');
    for (const [begin, end] of [
      [0, 1],
      [66, 67],
      [5, 7],
      [1, 14],
      [20, 67],
      [3, 34],
    ] as const) {
      const part = {
        ...inputs,
        input: inputs.input.slice(begin * k, end * k),
        residual: inputs.residual!.slice(begin * n, end * n),
        m: end - begin,
      };
      assertSameBits(run(part, 'gelu'), together.slice(begin * n, end * n), `rows ${begin} to ${end}, n=${n} k=${k}`);
    }
  }
});

t('passes on infinity and not-a-number of its own row only', () => {
  const inputs = draw(new Random(11), { m: 13, n: 33, k: 20 });
  const clean = run(inputs);
  inputs.input[4 * 20 + 3] = Infinity;
  inputs.input[9 * 20 + 5] = NaN;
  const dirty = run(inputs);
  for (let row = 0; row < 13; row++) {
    const values = dirty.slice(row * 33, (row + 1) * 33);
    if (row !== 4 && row !== 9) assertSameBits(values, clean.slice(row * 33, (row + 1) * 33), `row ${row}`);
    else if (values.some(Number.isFinite))
      throw new Error(`row ${row}: expected no finite number but received ${values.find(Number.isFinite)}.`);
  }
});

t.run();
