import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { assertSameBits, assertWithin, largestRelativeDifference } from '../support/compare.js';
import { instructionSet, trainingOps } from '../support/devices.js';
import { Random } from '../support/random.js';
import type { AdamwStep } from '../support/training-row-ops.js';
import { readTensors } from '../../scripts/golden/files.js';

const t = suite(`AdamW and the norm ${instructionSet}`);

const first: AdamwStep = { gradScale: 1, learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, step: 1 };

interface State {
  readonly value: ArrayLike<number>;
  readonly m: ArrayLike<number>;
  readonly v: ArrayLike<number>;
}

/** torch.optim.AdamW in float64. */
function adamw({ value, m, v }: State, grad: ArrayLike<number>, options: AdamwStep) {
  const { gradScale, learningRate, beta1, beta2, epsilon, weightDecay, step } = options;
  const g = Float64Array.from(grad, (x) => x * gradScale);
  const newM = g.map((x, i) => beta1 * m[i]! + (1 - beta1) * x);
  const newV = g.map((x, i) => beta2 * v[i]! + (1 - beta2) * x * x);
  const newValue = g.map((_, i) => {
    const denominator = Math.sqrt(newV[i]! / (1 - beta2 ** step)) + epsilon;
    return value[i]! * (1 - learningRate * weightDecay) - (learningRate * newM[i]!) / (1 - beta1 ** step) / denominator;
  });
  return { value: newValue, m: newM, v: newV };
}

t('five updates are those of torch.optim.AdamW, with gradients of 0, 1e-20, 1e-8 and 1e4', async () => {
  const tensors = await readTensors(goldenTraining('numerics/adamw.safetensors').pathname);
  const floats = (name: string) => Float32Array.from(tensors.get(name)!.values);
  let state: Record<'value' | 'm' | 'v', Float32Array> = { value: floats('p0'), m: new Float32Array(24), v: new Float32Array(24) };
  for (let step = 1; step <= 5; step++) {
    const options = { ...first, learningRate: tensors.get('lr')!.values[step - 1]!, step };
    state = trainingOps.adamw(state.value, floats(`grad${step}`), state.m, state.v, options, 24);
    assert.ok(largestRelativeDifference(state.value, tensors.get(`p${step}`)!.values) < 1e-6, `step ${step}`);
  }
  const relative = (name: string) => (i: number) => 1e-6 * Math.abs(tensors.get(name)!.values[i]!) + 1e-30;
  assertWithin(state.m, tensors.get('m5')!.values, relative('m5'), 'm');
  assertWithin(state.v, tensors.get('v5')!.values, relative('v5'), 'v');
});

t('follows the float64 formulas over 50 updates of odd length, with clipping and other constants', () => {
  const random = new Random(1);
  for (const [count, changes] of [
    [1, {}],
    [67, { gradScale: 0.25, beta1: 0.8, beta2: 0.95 }],
    [131, { weightDecay: 0, epsilon: 1e-6, learningRate: 5e-5 }],
  ] as const) {
    let actual: Record<'value' | 'm' | 'v', Float32Array> = {
      value: random.floats(count),
      m: new Float32Array(count),
      v: new Float32Array(count),
    };
    let expected: ReturnType<typeof adamw> = adamw(actual, new Float32Array(count), { ...first, learningRate: 0 });
    for (let step = 1; step <= 50; step++) {
      const [grad, options] = [random.floats(count), { ...first, ...changes, step }];
      actual = trainingOps.adamw(actual.value, grad, actual.m, actual.v, options, count);
      expected = adamw(expected, grad, options);
    }
    assertWithin(actual.value, expected.value, 4e-6, `${count} values`);
    assertWithin(actual.m, expected.m, 1e-6, `${count} m`);
    assertWithin(actual.v, expected.v, 1e-6, `${count} v`);
  }
});

t('gives the same bits however the range is cut', () => {
  const random = new Random(2);
  const [value, grad, m] = [random.floats(211), random.floats(211), random.floats(211)];
  const v = random.floats(211).map(Math.abs);
  const whole = trainingOps.adamw(value, grad, m, v, { ...first, step: 3 }, 211);
  for (const part of [1, 3, 16, 50, 97]) {
    const cut = trainingOps.adamw(value, grad, m, v, { ...first, step: 3 }, part);
    for (const name of ['value', 'm', 'v'] as const) assertSameBits(cut[name], whole[name], `${name} in parts of ${part}`);
  }
});

t('takes no gradient for gradients of 0', () => {
  const random = new Random(3);
  const [value, m, v] = [random.floats(40), random.floats(40), random.floats(40).map(Math.abs)];
  const without = trainingOps.adamw(value, null, m, v, first, 40);
  const zeros = trainingOps.adamw(value, new Float32Array(40), m, v, first, 40);
  for (const name of ['value', 'm', 'v'] as const) assertSameBits(without[name], zeros[name], name);
});

t('decays a weight by lr · wd to the last bit but one, where 1 - lr · wd has three digits', () => {
  const value = Float32Array.of(1, -3, 1e-3, 1234.5);
  const step = { ...first, learningRate: 2e-5, weightDecay: 0.01 };
  const decayed = trainingOps.adamw(value, null, new Float32Array(4), new Float32Array(4), step, 4).value;
  assertWithin(
    decayed,
    Float64Array.from(value, (x) => x * (1 - 2e-7)),
    (i) => 2 ** -24 * Math.abs(value[i]!),
    'value',
  );
});

t('sums squares in float64', () => {
  const random = new Random(4);
  for (const count of [1, 7, 8, 31, 32, 33, 1000, 16384]) {
    const x = random.floats(count).map((value, i) => (i % 5 === 0 ? value * 1e4 : value * 1e-4));
    const expected = x.reduce((sum, value) => sum + value * value, 0);
    assert.ok(Math.abs(trainingOps.sumOfSquares(x) - expected) <= 1e-13 * expected, `${count} numbers`);
  }
  assert.ok(Number.isNaN(trainingOps.sumOfSquares(Float32Array.of(1, NaN, 2))));
});
t.run();
