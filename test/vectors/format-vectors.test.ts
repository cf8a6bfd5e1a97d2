import * as assert from 'uvu/assert';
import { formatVectors } from '../../src/index.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const t = suite('formatVectors');
const textOf = (...args: Parameters<typeof formatVectors>): string => Buffer.from(formatVectors(...args)).toString();

t('prints one vector as a list and many as lists, with the shortest decimals', () => {
  assert.is(textOf(Float32Array.of(0.1, -0.25, 0, -0, 1, 1e-5, 1e30)), '[0.1,-0.25,0,-0,1,1e-05,1e+30]');
  assert.is(textOf([Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]), '[[1,2,3],[4,5,6]]');
  assert.is(textOf([Float32Array.of(1, 2, 3)], 2), '[[1,2]]');
  assert.is(textOf(Float32Array.of(1, 2), 5), '[1,2]');
  assert.equal([textOf([]), textOf(new Float32Array())], ['[]', '[]']);
});

t('every float reads back from JSON to the same bits, what is not finite as null', () => {
  const random = new Random(17);
  const bits = Uint32Array.from({ length: 100_000 }, () => Math.floor(random.next() * 2 ** 32));
  bits.set([0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xffc00000]);
  const vector = new Float32Array(bits.buffer);
  const read = JSON.parse(textOf(vector)) as (number | null)[];
  assert.is(read.length, vector.length);
  vector.forEach((value, i) => {
    const same = read[i] === null ? !Number.isFinite(value) : Object.is(Math.fround(read[i]!), value);
    if (!same) assert.unreachable(`${value} was printed as ${read[i]}`);
  });
});

t('refuses what is no vector, naming the index', () => {
  assert.throws(() => formatVectors([1] as never), /a Float32Array for vector 0 of formatVectors but received 1/);
  assert.throws(() => formatVectors('x' as never), /a Float32Array or a list of them/);
  assert.throws(() => formatVectors([], 0), /a whole number from 1 for the dimensions/);
});

t.run();
