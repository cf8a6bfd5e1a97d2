// Pre-tokenizers that split by characters, each against the reference, npm `tokenizers` (Rust).
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { suite } from '../support/suite.js';
import {
  added,
  addedNormalized,
  bert,
  digits,
  json,
  punctuation,
  sequence,
  testKinds,
  whitespace,
  whitespaceSplit,
} from '../support/tokenizer-builder.js';

const t = suite('tokenizer-splits');

const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
const split = (pattern: object, behavior: string, invert = false) => ({ type: 'Split', pattern, behavior, invert });

const pre: Record<string, object> = {
  'each digit alone': digits(true),
  'runs of digits alone': digits(false),
  'an empty sequence': sequence(),
  'characters that delimit': sequence({ type: 'CharDelimiterSplit', delimiter: '=' }, { type: 'CharDelimiterSplit', delimiter: '😀' }),
};
for (const behavior of behaviors) {
  pre[`Punctuation ${behavior}`] = punctuation(behavior);
  pre[`WhitespaceSplit, Punctuation ${behavior}`] = sequence(whitespaceSplit, punctuation(behavior));
  for (const invert of [false, true]) {
    const name = `${behavior}${invert ? ', inverted' : ''}`;
    pre[`Split by a character, ${name}`] = split({ String: '.' }, behavior, invert);
    pre[`Split by vowels, ${name}`] = split({ Regex: '[aeiou\u0301é]' }, behavior, invert);
    pre[`Split by runs of white space, ${name}`] = split({ Regex: '\\s+' }, behavior, invert);
    pre[`Whitespace, then Split by runs of letters, ${name}`] = sequence(whitespace, split({ Regex: '[a-mA-M]+' }, behavior, invert));
  }
}
pre['Splits of several kinds'] = sequence(
  split({ Regex: '\\s' }, 'Removed'),
  split({ Regex: '\\d' }, 'MergedWithNext'),
  split({ Regex: '[^\\w\\s]+' }, 'MergedWithPrevious'),
  split({ Regex: 'l+' }, 'Isolated', true),
);
pre['WhitespaceSplit, marks dropped, letters alone'] = sequence(
  whitespaceSplit,
  split({ Regex: '[\u08e0-\u08ff]' }, 'Removed'),
  split({ Regex: '[\u1e00-\u1fff\u302a-\u302f]' }, 'Isolated'),
);
pre['Split by words'] = split({ Regex: '\\w+' }, 'Removed', true);

const kinds: Record<string, object> = {};
for (const [name, pre_tokenizer] of Object.entries(pre)) kinds[name] = { pre_tokenizer };
kinds['Split by white space, accents kept'] = { pre_tokenizer: split({ Regex: '\\s' }, 'Removed'), normalizer: null };
kinds['Splits of several kinds, added tokens'] = { pre_tokenizer: pre['Splits of several kinds'], added_tokens: added };
kinds['Punctuation merged, normalized added tokens'] = { pre_tokenizer: punctuation('MergedWithNext'), added_tokens: addedNormalized };
testKinds(t, kinds, 150);

t('refuses splits that it cannot follow, naming what it can', () => {
  const refuses = (pre_tokenizer: object, message: RegExp) =>
    assert.throws(
      () => createTokenizer({ tokenizerJson: json({ pre_tokenizer }) }),
      (error: { code?: string; message: string }) => error.code === 'TOKENIZER' && message.test(error.message),
    );
  refuses(split({ String: '--' }, 'Removed'), /single characters.*pattern/);
  refuses(split({ Regex: 'a|b' }, 'Removed'), /Regex.*pattern.*a\|b/);
  refuses(split({ String: 'a' }, 'Twice'), /"MergedWithNext".*behavior.*"Twice"/);
  refuses({ type: 'CharDelimiterSplit', delimiter: 'ab' }, /one character.*delimiter/);
  const many = Array.from({ length: 30 }, (_, i) => split({ String: String.fromCodePoint(0x61 + i) }, 'MergedWithNext'));
  refuses(sequence(bert, ...many), /fewer splits/);
});

t.run();
