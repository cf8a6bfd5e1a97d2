import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import type { ActivationName } from '../../src/checkpoint/activation.js';
import { assertSameBits, assertWithin } from '../support/compare.js';
import { instructionSet, ops } from '../support/devices.js';
import { Random } from '../support/random.js';
import { activations, erfc } from '../support/reference.js';

const t = suite(`activation ${instructionSet}`);
const names = Object.keys(activations) as ActivationName[];

t('has a reference whose erfc agrees with tables', () => {
  for (const [x, expected] of [
    [0, 1],
    [0.5, 0.4795001221869535],
    [2, 0.004677734981047266],
    [3, 2.209049699858544e-5],
    [6, 2.1519736712498913e-17],
    [-1, 1.842700792949715],
  ] as const) {
    assert.ok(Math.abs(erfc(x) - expected) <= 1e-13 * expected, `erfc(${x})`);
  }
});

for (const name of names) {
  t(`${name} stays within 1e-6 from -1e4 to 1e4`, () => {
    const edges = [
      0, -0, 1e-38, -1e-38, 1e-30, -1e-30, 1e-6, -1e-6, 5.6, -5.6, 0.625, 19.9, 20.1, 87, -87, 88.8, -88.8, 104, -104, 1e4, -1e4,
    ];
    const line = Float64Array.from({ length: 20001 }, (_, i) => (i - 10000) / 800);
    const x = Float32Array.from([...edges, ...line, ...new Random(1).floats(500, 100)]);
    const expected = Float64Array.from(x, activations[name]);
    assertWithin(ops.activation(name, x), expected, (i) => 1e-6 * Math.max(1, Math.abs(expected[i]!)), name);
  });

  t(`${name} computes an element the same way wherever it stands`, () => {
    const x = new Random(2).floats(131, 3);
    const whole = ops.activation(name, x);
    for (let length = 1; length < 131; length += 1) {
      assertSameBits(ops.activation(name, x.slice(131 - length)), whole.slice(131 - length), `last ${length}`);
    }
  });

  t(`${name} neither hides nor invents what is not a number`, () => {
    const y = ops.activation(
      name,
      Float32Array.from({ length: 40 }, (_, i) => (i === 17 ? NaN : i - 20)),
    );
    assert.equal(
      Array.from(y).findIndex((value) => !Number.isFinite(value)),
      17,
    );
    assert.equal(y.filter((value) => !Number.isFinite(value)).length, 1);
  });
}

t('refuses a name that it does not know', () => {
  assert.throws(() => ops.activation('gelo', new Float32Array(1)), /gelo/);
});

t.run();
