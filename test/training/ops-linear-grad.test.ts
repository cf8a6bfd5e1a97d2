import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { assertSameBits, assertWithin, dotError, largestRelativeDifference } from '../support/compare.js';
import { instructionSet, trainingOps } from '../support/devices.js';
import { Random } from '../support/random.js';
import { skip } from '../support/skip.js';
import { linear } from '../support/reference.js';
import { linearGrad, type LinearGradInputs, type Sums } from '../support/training-reference.js';
import { readTensors } from '../../scripts/golden/files.js';

const t = suite(`gradient of linear ${instructionSet}`);

interface Drawn extends LinearGradInputs {
  readonly input: Float32Array;
  readonly weight: Float32Array;
  readonly gradOutput: Float32Array;
}

function draw(random: Random, m: number, n: number, k: number): Drawn {
  return { input: random.floats(m * k), weight: random.floats(n * k), gradOutput: random.floats(m * n), m, n, k };
}

function run({ input, weight, gradOutput, m, n, k }: Drawn, parts = 1, bf16: boolean | 'instruction' | 'fma' = false) {
  return trainingOps.linearGrad(input, weight, gradOutput, m, n, k, parts, bf16);
}

function check(inputs: Drawn, what: string): void {
  const actual = run(inputs);
  const expected = linearGrad(inputs);
  const compare = (values: Float32Array, { values: wanted, magnitudes }: Sums, depth: number, name: string) =>
    assertWithin(values, wanted, (i) => dotError(depth) * magnitudes[i]!, `${what}: ${name}`);
  compare(actual.input, expected.input, inputs.n, 'dX');
  compare(actual.weight, expected.weight, inputs.m, 'dW');
  compare(actual.bias, expected.bias, inputs.m, 'db');
}

for (const m of [1, 3, 17, 63, 65, 255, 257, 511]) {
  t(`matches the float64 reference for ${m} rows at odd n and k`, () => {
    const random = new Random(m);
    for (const [n, k] of [
      [1, 1],
      [49, 7],
      [35, 33],
      [17, 65],
    ] as const)
      check(draw(random, m, n, k), `m=${m} n=${n} k=${k}`);
  });
}

t('matches the float64 reference for every n and every k from 1 to 67, and beyond two panels', () => {
  const random = new Random(2);
  for (let size = 1; size <= 67; size++) {
    check(draw(random, 5, size, random.integer(1, 20)), `n=${size}`);
    check(draw(random, 5, random.integer(1, 20), size), `k=${size}`);
  }
  check(draw(random, 9, 131, 113), 'n=131 k=113');
});

t('gives the same bits however k is shared', () => {
  const inputs = draw(new Random(3), 300, 61, 83);
  const whole = run(inputs);
  for (const parts of [2, 3, 7, 83]) {
    const shared = run(inputs, parts);
    assertSameBits(shared.weight, whole.weight, `dW in ${parts} parts`);
    assertSameBits(shared.bias, whole.bias, `db in ${parts} parts`);
  }
});

t('is linear in the rows: zeros add nothing, to the bit', () => {
  const inputs = draw(new Random(4), 100, 50, 33);
  const longer = {
    ...inputs,
    m: 120,
    input: Float32Array.of(...inputs.input, ...new Random(5).floats(20 * 33)),
    gradOutput: Float32Array.of(...inputs.gradOutput, ...new Float32Array(20 * 50)),
  };
  assertSameBits(run(longer).weight, run(inputs).weight, 'dW');
});

t('is within 1e-5 of the golden numbers', async () => {
  const tensors = await readTensors(goldenTraining('numerics/linear.safetensors').pathname);
  const floats = (name: string) => Float32Array.from(tensors.get(name)!.values);
  const weight = floats('weight');
  const [n, k] = tensors.get('weight')!.dims as [number, number];
  for (const m of [1, 7, 33]) {
    const actual = run({ input: floats(`${m}.input`), weight, gradOutput: floats(`${m}.dy`), m, n, k });
    for (const name of ['input', 'weight', 'bias'] as const) {
      const difference = largestRelativeDifference(actual[name], tensors.get(`${m}.grad.${name}`)!.values);
      assert.ok(difference <= 1e-5, `${m} rows: grad.${name} is off by ${difference}`);
    }
  }
});

if (/bf16/.test(instructionSet)) {
  /** To the nearest number of eight bits, halves to even. */
  const round = (values: Float32Array): Float32Array => {
    const bits = new Uint32Array(values.buffer.slice(0));
    for (const [i, word] of bits.entries()) bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
    return new Float32Array(bits.buffer);
  };

  t('bf16: is the product of rounded operands, for odd and even sizes', () => {
    const random = new Random(6);
    for (const [m, n, k] of [
      [1, 1, 1],
      [3, 49, 7],
      [2, 35, 33],
      [17, 17, 65],
      [257, 97, 50],
      [511, 3, 18],
    ] as const) {
      const inputs = draw(random, m, n, k);
      const [input, weight, gradOutput] = [round(inputs.input), round(inputs.weight), round(inputs.gradOutput)];
      const expected = linearGrad({ input, weight, gradOutput, m, n, k });
      const actual = run(inputs, 1, true);
      const compare = (values: Float32Array, { values: wanted, magnitudes }: Sums, depth: number, name: string) =>
        assertWithin(values, wanted, (i) => 2 * dotError(depth + 2) * magnitudes[i]!, `m=${m} n=${n} k=${k}: ${name}`);
      compare(actual.input, expected.input, n, 'dX');
      compare(actual.weight, expected.weight, m, 'dW');
      const forward = linear({ input, weight, bias: null, residual: null, m, n, k }, 'none');
      compare(actual.output, { values: forward.output, magnitudes: forward.magnitude }, k, 'Y');
      assertSameBits(run(inputs, Math.min(3, k), true).weight, actual.weight, 'dW in parts');
    }
  });

  t('bf16: FMAs give the bits of the instruction, whatever the size and magnitude', () => {
    if (process.arch !== 'x64') return skip('bf16 products by FMA, which are for x86-64');
    const random = new Random(8);
    for (const [m, n, k, scale] of [
      [1, 1, 1, 1],
      [9, 49, 7, 1],
      [257, 97, 51, 1],
      [300, 50, 33, 1e-20],
      [30, 33, 128, 1e18],
    ] as const) {
      const scaled = (values: Float32Array) => values.map((value, i) => value * scale * 10 ** ((i % 7) - 3));
      const { input, weight, gradOutput } = draw(random, m, n, k);
      const inputs = { input: scaled(input), weight: scaled(weight), gradOutput: scaled(gradOutput), m, n, k };
      const [by, fma] = [run(inputs, 1, 'instruction'), run(inputs, 1, 'fma')];
      for (const name of ['output', 'input', 'weight'] as const) assertSameBits(fma[name], by[name], `m=${m} n=${n} k=${k}: ${name}`);
    }
  });
} else {
  t('bf16 is refused without its instructions', () => {
    assert.throws(() => run(draw(new Random(7), 2, 2, 2), 1, true), /bf16/);
  });
}

t.run();
