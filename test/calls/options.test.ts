import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { BerthaError } from '../../src/errors.js';
import { abortSignal, flag, integer, oneOf, readOptions, text } from '../../src/options.js';

const t = suite('options');
const schema = {
  normalize: flag,
  promptName: text,
  maxLength: integer(1, 512),
  onTruncate: oneOf(['truncate', 'warn', 'error']),
  signal: abortSignal,
};
const read = (options: unknown) => readOptions('embed', options, schema);

function refusal(options: unknown): string {
  try {
    read(options);
  } catch (error) {
    assert.instance(error, BerthaError);
    assert.is((error as BerthaError).code, 'INVALID_OPTION');
    return (error as BerthaError).message;
  }
  throw new Error('the options were accepted');
}

t('returns only the options that were given', () => {
  assert.equal(read(undefined), {});
  assert.equal(read({ normalize: false, promptName: undefined }), { normalize: false });
});

t('suggests the name that was probably meant', () => {
  assert.match(refusal({ normalise: true }), 'Did you mean "normalize"?');
  assert.match(refusal({ prompt_name: 'query' }), 'Did you mean "promptName"?');
  assert.match(refusal({ maxlen: 3 }), 'Did you mean "maxLength"?');
});

t('lists the known names when none is near', () => {
  assert.match(refusal({ zzzzzzzz: 1 }), 'Known: normalize, promptName, maxLength, onTruncate, signal.');
  assert.match(refusal(JSON.parse('{"__proto__": 1}')), '"__proto__"');
});

t('names option, expectation and value of a wrong value', () => {
  assert.match(refusal({ normalize: 1 }), 'Expected true or false for embed option normalize but received 1 of type number.');
  assert.match(refusal({ maxLength: 0 }), 'a whole number from 1 to 512');
  assert.match(refusal({ maxLength: 1.5 }), 'received 1.5');
  assert.match(refusal({ maxLength: Number.NaN }), 'received NaN');
  assert.match(refusal({ onTruncate: 'throw' }), 'one of "truncate", "warn", "error"');
  assert.match(refusal({ signal: {} }), 'an AbortSignal');
  assert.match(refusal({ promptName: Symbol('p') }), 'Symbol(p) of type symbol');
});

t('refuses options that are not an object', () => {
  for (const value of [null, 3, 'fast', [], () => 1]) assert.match(refusal(value), 'Expected an object for the options of embed');
});

t('reads a getter once and lets its error through', () => {
  let reads = 0;
  const counted = {
    get maxLength() {
      return ++reads;
    },
  };
  assert.equal(read(counted), { maxLength: 1 });
  assert.is(reads, 1);
  assert.throws(
    () =>
      read({
        get normalize() {
          throw new RangeError('mine');
        },
      }),
    /mine/,
  );
});

t.run();
