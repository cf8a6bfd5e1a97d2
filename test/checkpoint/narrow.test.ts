import * as assert from 'uvu/assert';
import { narrowed } from '../../src/checkpoint/weights/narrow.js';
import { suite } from '../support/suite.js';

const t = suite('narrow');
const formats = { fp16: { exponentBits: 5, fractionBits: 10 }, bf16: { exponentBits: 8, fractionBits: 7 } } as const;

/** The value of a pattern of bits, by the definition of IEEE 754. */
function valueOf(bits: number, { exponentBits, fractionBits }: (typeof formats)[keyof typeof formats]): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const most = 2 ** exponentBits - 1;
  const exponent = (bits >> fractionBits) & most;
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = most >> 1;
  if (exponent === most) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

const halvesOf = (values: readonly number[], format: 'fp16' | 'bf16') => {
  const bytes = narrowed(Float32Array.from(values), format, 'a tensor');
  return [...new Uint16Array(bytes.buffer, bytes.byteOffset, values.length)];
};

for (const [format, shape] of Object.entries(formats) as [keyof typeof formats, (typeof formats)['fp16']][]) {
  t(`${format}: every number stays what it is`, () => {
    const patterns = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => !Number.isNaN(valueOf(bits, shape)));
    const values = patterns.map((bits) => valueOf(bits, shape));
    assert.equal(halvesOf(values, format), patterns);
  });

  t(`${format}: between two neighbours the nearer one, in the middle the even one`, () => {
    const finite = Array.from({ length: 0x7fff }, (_, bits) => bits).filter((bits) => Number.isFinite(valueOf(bits + 1, shape)));
    const step = new Uint32Array(1);
    const asFloat = new Float32Array(step.buffer);
    const nextTo = (value: number, by: number): number => {
      asFloat[0] = value;
      step[0] = step[0]! + by;
      return asFloat[0]!;
    };
    const middles = finite.map((bits) => (valueOf(bits, shape) + valueOf(bits + 1, shape)) / 2);
    // Half of bfloat16's smallest number is below float32's smallest normal, but a number of float32.
    assert.ok(middles.every((middle) => Math.fround(middle) === middle));
    assert.equal(
      halvesOf(middles, format),
      finite.map((bits) => bits + (bits & 1)),
    );
    assert.equal(
      halvesOf(
        middles.map((middle) => nextTo(middle, -1)),
        format,
      ),
      finite,
    );
    assert.equal(
      halvesOf(
        middles.map((middle) => -nextTo(middle, 1)),
        format,
      ),
      finite.map((bits) => (bits + 1) | 0x8000),
    );
  });
}

t('NaN stays NaN, infinity infinity, and what float16 cannot hold is refused by name', () => {
  for (const format of ['fp16', 'bf16'] as const) {
    const [nan, infinite] = halvesOf([Number.NaN, -Infinity], format).map((bits) => valueOf(bits, formats[format]));
    assert.ok(Number.isNaN(nan));
    assert.is(infinite, -Infinity);
  }
  assert.equal(halvesOf([65519], 'fp16'), [0x7bff]);
  assert.throws(() => halvesOf([1, 65520], 'fp16'), /float16 can hold in a tensor .* 65520/);
  assert.throws(() => halvesOf([3.4e38], 'bf16'), /bfloat16 can hold/);
});

t.run();
