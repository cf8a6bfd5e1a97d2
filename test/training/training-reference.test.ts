// The float64 gradients that kernels are compared with, against central differences of a forward.
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { attention } from '../support/reference.js';
import { dropoutFactor, philox } from '../support/philox.js';
import { Random } from '../support/random.js';
import { attentionGrad, linearGrad, type AttentionGradInputs } from '../support/training-reference.js';

const t = suite('reference gradients');

const step = 1e-5;

/** d f / d x[i] by central differences, for every i. */
function differences(x: ArrayLike<number>, f: (x: number[]) => number): number[] {
  const at = (i: number, shift: number) => f(Array.from(x, (value, j) => (j === i ? value + shift : value)));
  return Array.from(x, (_, i) => (at(i, step) - at(i, -step)) / (2 * step));
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  const worst = Math.max(...Array.from(expected, (e, i) => Math.abs(actual[i]! - e) / Math.max(1, Math.abs(e))));
  assert.equal(actual.length, expected.length, what);
  assert.ok(worst <= 1e-8, `${what} is off by ${worst}`);
}

const weighted = (values: ArrayLike<number>, weights: ArrayLike<number>) =>
  Array.from(values).reduce((sum, y, i) => sum + y * weights[i]!, 0);

t('linear: dX, dW and db', () => {
  const random = new Random(1);
  const [m, n, k] = [3, 4, 5];
  const draw = (count: number) => Array.from({ length: count }, () => random.normal());
  const [input, weight, bias, gradOutput] = [draw(m * k), draw(n * k), draw(n), draw(m * n)] as [number[], number[], number[], number[]];
  const loss = (x: number[], w: number[], b: number[]) => {
    let sum = 0;
    for (let row = 0; row < m; row++)
      for (let column = 0; column < n; column++) {
        let y = b[column]!;
        for (let i = 0; i < k; i++) y += x[row * k + i]! * w[column * k + i]!;
        sum += y * gradOutput[row * n + column]!;
      }
    return sum;
  };
  const grads = linearGrad({ input, weight, gradOutput, m, n, k });
  assertClose(
    grads.input.values,
    differences(input, (x) => loss(x, weight, bias)),
    'dX',
  );
  assertClose(
    grads.weight.values,
    differences(weight, (w) => loss(input, w, bias)),
    'dW',
  );
  assertClose(
    grads.bias.values,
    differences(bias, (b) => loss(input, weight, b)),
    'db',
  );
});

for (const dropout of [null, { probability: 0.3, seed: 5, microStep: 1, site: 2 }]) {
  t(`attention ${dropout === null ? 'without' : 'with'} dropout: dQKV and the bias table`, () => {
    const random = new Random(2);
    const [heads, headDim, tokens] = [2, 3, 7];
    const draw = (count: number) => Array.from({ length: count }, () => random.normal());
    const inputs: AttentionGradInputs = {
      qkv: draw(tokens * 3 * heads * headDim),
      cuSeqlens: [0, 4, 5, 7],
      heads,
      headDim,
      scale: 0.6,
      relativeBias: draw(8 * heads),
      gradOutput: draw(tokens * heads * headDim),
      dropout,
    };
    const loss = (changed: Partial<AttentionGradInputs>) => weighted(attentionGrad({ ...inputs, ...changed }).output, inputs.gradOutput);
    const grads = attentionGrad(inputs);
    assertClose(
      grads.qkv,
      differences(inputs.qkv, (qkv) => loss({ qkv })),
      'dQKV',
    );
    assertClose(
      grads.relativeBias,
      differences(inputs.relativeBias!, (relativeBias) => loss({ relativeBias })),
      'the bias table',
    );
  });
}

t('its attention is that of the forward tests', () => {
  const random = new Random(3);
  const shared = { qkv: random.floats(9 * 3 * 2 * 4), cuSeqlens: Int32Array.of(0, 5, 9), heads: 2, headDim: 4, scale: 0.5 };
  const relativeBias = random.floats(8 * 2);
  const { output } = attentionGrad({ ...shared, relativeBias, gradOutput: random.floats(9 * 8), dropout: null });
  assertClose(output, attention({ ...shared, relativeBias }, () => 0).output, 'output');
});

t('Philox gives the known answers of Random123', () => {
  assert.equal(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  assert.equal(
    philox([0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]),
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  );
  assert.equal(dropoutFactor({ probability: 0.5, seed: 0, microStep: 0, site: 0 }, 0, 1), 0x6627 < 0x8000 ? 0 : 2);
});

t.run();
