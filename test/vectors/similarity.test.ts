import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import vm from 'node:vm';
import { BerthaError } from '../../src/errors.js';
import { normalizeInPlace, similarity } from '../../src/vectors/similarity.js';
import type { VectorLike } from '../../src/vectors/vector-like.js';

const t = suite('similarity');
const vector = (...values: number[]) => Float32Array.from(values);

function refusal(a: unknown, b: unknown): string {
  try {
    similarity(a as VectorLike, b as VectorLike);
  } catch (error) {
    assert.instance(error, BerthaError);
    assert.is((error as BerthaError).code, 'INVALID_ARG');
    return (error as BerthaError).message;
  }
  throw new Error('the vectors were accepted');
}

t('is the cosine of the angle, whatever the lengths', () => {
  assert.is(similarity(vector(3, 0), vector(0, 5)), 0);
  assert.is(similarity(vector(3, 4), vector(6, 8)), 1);
  assert.is(similarity(vector(1, 0), vector(-2, 0)), -1);
  assert.ok(Math.abs(similarity(vector(1, 1), vector(1, 0)) - Math.SQRT1_2) < 1e-15);
});

t('neither overflows nor loses small vectors', () => {
  assert.is(similarity(vector(3e38, 0), vector(3e38, 0)), 1);
  assert.is(similarity(vector(1e-40, 0), vector(1e-40, 0)), 1);
});

t('gives 0 for a vector of zeros', () => {
  assert.is(similarity(vector(0, 0), vector(1, 2)), 0);
});

t('compares lists row by row and takes what embed returned', () => {
  const embedding = { vector: vector(1, 0), tokens: 3, truncated: false };
  assert.equal(similarity([embedding, vector(0, 2)], [vector(2, 0), vector(0, 1), vector(-1, 0)]), [vector(1, 0, -1), vector(0, 1, 0)]);
  assert.equal(similarity(embedding, [vector(0, 1)]), vector(0));
  assert.equal(similarity([], []), []);
});

t('takes arrays of another realm', () => {
  const foreign = vm.runInNewContext('new Float32Array([1, 0])') as Float32Array;
  assert.is(similarity(foreign, vector(2, 0)), 1);
});

t('names what is not a vector and lengths that differ', () => {
  assert.match(refusal([vector(1)], [vector(1), 'x']), 'b[1]');
  assert.match(refusal(null, vector(1)), 'Expected a Float32Array, numbers or an embedding for a of similarity but received null.');
  assert.match(refusal([vector(1)], vector(1)), 'list of vectors for b');
  assert.match(refusal(vector(1, 2), vector(1)), '2 for a of similarity and 1 for b of similarity');
});

t('normalizes in place and leaves zeros alone', () => {
  const scaled = vector(3, 4);
  normalizeInPlace(scaled);
  assert.equal(scaled, vector(0.6, 0.8));
  const zeros = vector(0, 0);
  normalizeInPlace(zeros);
  assert.equal(zeros, vector(0, 0));
});

t.run();
