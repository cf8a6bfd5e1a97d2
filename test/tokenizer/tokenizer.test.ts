// The tokenizer's interface, and rows T01 to T18 of the table of faults.
import { readFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { BerthaError } from '../../src/errors.js';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { EncodeOptions } from '../../src/tokenizer/index.js';

const t = suite('tokenizer');

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const tokenizerJson = read('../../weights/all-MiniLM-L6-v2/tokenizer.json');
const tokenizer = createTokenizer({ tokenizerJson });
const fails = (code: string, pattern: RegExp) => (error: unknown) => {
  if (error instanceof BerthaError && error.code === code && pattern.test(error.message)) return true;
  throw error;
};
const bare = { addSpecialTokens: false };
const tokensOf = (text: string) => [...tokenizer.encode(text, bare).tokens];
/** Milliseconds of processor time, not of the clock: tests share the machine. */
function cost(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

t('gives ids, tokens, offsets, words and masks of a text', () => {
  const text = 'Hello, naïve 😀 tokenization!';
  const encoding = tokenizer.encode(text, { offsets: true });
  assert.equal(encoding.tokens, ['[CLS]', 'hello', ',', 'naive', '[UNK]', 'token', '##ization', '!', '[SEP]']);
  assert.instance(encoding.ids, Int32Array);
  assert.equal(Array.from(encoding.ids), [101, 7592, 1010, 15743, 100, 19204, 3989, 999, 102]);
  const offsets = encoding.offsets as Int32Array;
  assert.equal(
    encoding.tokens.map((_, i) => text.slice(offsets[2 * i], offsets[2 * i + 1])),
    ['', 'Hello', ',', 'naïve', '😀', 'token', 'ization', '!', ''],
  );
  assert.equal(encoding.wordIds, [null, 0, 1, 2, 3, 4, 4, 5, null]);
  assert.equal(encoding.sequenceIds, [null, 0, 0, 0, 0, 0, 0, 0, null]);
  assert.equal(Array.from(encoding.typeIds), [0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(Array.from(encoding.attentionMask), [1, 1, 1, 1, 1, 1, 1, 1, 1]);
  assert.equal(Array.from(encoding.specialTokensMask), [1, 0, 0, 0, 0, 0, 0, 0, 1]);
  assert.is(encoding.length, 9);
  assert.not(encoding.truncated);
  assert.equal(encoding.overflowing, []);
});

t('computes offsets only when asked to, and other arrays once', () => {
  const encoding = tokenizer.encode('a');
  assert.is(encoding.offsets, null);
  assert.is(encoding.typeIds, encoding.typeIds);
  assert.is(encoding.tokens, encoding.tokens);
  assert.is(encoding.wordIds, encoding.wordIds);
});

t('adds special tokens and truncates nothing by default', () => {
  assert.is(tokenizer.encode('a '.repeat(2000)).length, 2002);
  assert.equal(tokenizer.encode('a', bare).tokens, ['a']);
});

t('encodes a batch as each of its texts and pairs alone', () => {
  const batch = ['one', ['two', 'three'], '', 'four four'] as const;
  const encodings = tokenizer.encodeBatch(batch, { offsets: true });
  batch.forEach((item, i) => {
    const alone =
      typeof item === 'string' ? tokenizer.encode(item, { offsets: true }) : tokenizer.encode(item[0], { pair: item[1], offsets: true });
    for (const name of ['ids', 'offsets', 'typeIds', 'wordIds', 'sequenceIds', 'tokens'] as const)
      assert.equal(encodings[i]?.[name], alone[name]);
  });
});

t('leaves earlier encodings alone when it goes on', () => {
  const first = tokenizer.encode('unaffable people', { offsets: true });
  const ids = [...first.ids];
  const offsets = [...(first.offsets ?? [])];
  tokenizer.encodeBatch(
    Array.from({ length: 100 }, (_, i) => `other words ${i}`),
    { offsets: true },
  );
  assert.equal([...first.ids], ids);
  assert.equal([...(first.offsets ?? [])], offsets);
  assert.equal(first.wordIds, [null, 0, 0, 0, 1, null]);
});

t('T01: gives only special tokens for empty and blank text', () => {
  for (const text of ['', '   \t\n', '\u3000\u2028', '\0\ufffd\u200b']) assert.equal(tokenizer.encode(text).tokens, ['[CLS]', '[SEP]']);
});

t('T02: drops control and format characters inside a word', () => {
  const dropped = ['\0', '\ufffd', '\u200b', '\u200d', '\ufeff', '\u00ad', '\u061c', '\ue000', '\u{e0041}', '\u007f', '\u0080', '\u0085'];
  for (const c of dropped) assert.equal(tokensOf(`he${c}llo`), ['hello'], `U+${c.codePointAt(0)?.toString(16)}`);
});

t('T03: splits at every kind of white space', () => {
  for (const c of ['\n', '\r', '\t', '\u00a0', '\u3000', '\u1680', '\u2028', '\u2029'])
    assert.equal(tokensOf(`note${c}book`), ['note', 'book']);
});

t('T04: makes symbols and punctuation tokens of their own', () => {
  assert.equal(tokensOf('a$b^c`d~e|f+g=h<i>j'), [...'a$b^c`d~e|f+g=h<i>j']);
  assert.equal(tokensOf('“so”—¿no?'), ['“', 'so', '”', '—', '¿', 'no', '?']);
});

t('T05: decomposes and strips accents as the reference', () => {
  assert.equal(tokensOf('naïve café'), ['naive', 'cafe']);
  assert.equal(tokensOf('Kantō lǜshi'), tokensOf('kanto lushi'));
  assert.equal(tokensOf('İstanbul'), ['istanbul']);
  assert.equal(tokensOf('e\u0301\u0316\u0323'), ['e']);
});

t('T06: folds case by single characters and no compatibility forms', () => {
  assert.equal(tokensOf('ΣΑΣ'), tokensOf('σασ'));
  assert.is.not(tokensOf('ﬁ').join(), 'fi');
  assert.equal(tokensOf('ẞ'), tokensOf('ß'));
});

t('T07: sets ideographs apart in every plane and keeps a run of emoji one word', () => {
  assert.equal(tokenizer.encode('a日本b').wordIds, [null, 0, 1, 2, 3, null]);
  assert.equal(tokenizer.encode('a𠀀b').wordIds, [null, 0, 1, 2, null]);
  assert.equal(tokenizer.encode('😀😃👩‍👩‍👧').wordIds, [null, 0, null]);
});

t('T08: makes a word of more than 100 characters one unknown token', () => {
  assert.is(tokensOf('a'.repeat(100)).length > 1, true);
  assert.equal(tokensOf('a'.repeat(101)), ['[UNK]']);
  assert.is(tokensOf('é'.repeat(100)).length > 1, true);
  const long = tokenizer.encode(`x ${'b'.repeat(5000)} y`, { ...bare, offsets: true });
  assert.equal(Array.from(long.offsets ?? []), [0, 1, 2, 5002, 5003, 5004]);
});

t('T09: takes linear time for long words, punctuation and many words', () => {
  const inputs: Record<string, (n: number) => string> = {
    letters: (n) => 'a'.repeat(n),
    marks: (n) => '!'.repeat(n),
    words: (n) => 'a '.repeat(n / 2),
    brackets: (n) => '['.repeat(n),
    accents: (n) => '\u0301'.repeat(n),
    reordered: (n) => 'a\u302e\u0301'.repeat(n / 3),
    reorderedRun: (n) => '\u302e'.repeat(n),
    emoji: (n) => '😀'.repeat(n / 2),
    hangul: (n) => '각'.repeat(n),
  };
  for (const [name, make] of Object.entries(inputs)) {
    const run = (n: number) => {
      const text = make(n);
      return Math.min(...[1, 2, 3].map(() => cost(() => void tokenizer.encode(text, { offsets: true }))));
    };
    const [some, more] = [run(125_000), run(1_000_000)];
    assert.ok(more < 1500, `${name}: 1,000,000 units took ${more} ms`);
    assert.ok(more < 40 * Math.max(some, 1), `${name}: ${some} ms for 125,000 units but ${more} ms for 1,000,000`);
  }
});

t('T09: is not slowed down by words that never repeat', () => {
  const words = Array.from({ length: 200_000 }, (_, i) => `zq${(i * 2654435761) >>> 0}`).join(' ');
  const ms = cost(() => void tokenizer.encode(words));
  assert.ok(ms < 3000, `${words.length} units took ${ms} ms`);
});

t('T10: refuses text beyond the limit and takes 10 MB', () => {
  const large = 'a'.repeat(2 ** 25 + 1);
  assert.throws(() => tokenizer.encode(large), fails('INPUT_TOO_LARGE', /33554432.*33554433/));
  assert.throws(() => tokenizer.encode('a', { pair: large }), fails('INPUT_TOO_LARGE', /the pair/));
  assert.throws(() => tokenizer.encodeBatch(['a', large]), fails('INPUT_TOO_LARGE', /index 1/));
  assert.throws(() => tokenizer.encodeIds('x'.repeat(2 ** 29 - 100)), fails('INPUT_TOO_LARGE', /UTF-16 units/));
  const text = 'ten bytes '.repeat(1_000_000);
  const encoding = tokenizer.encode(text);
  assert.is(encoding.length, 2_000_002);
  assert.equal(tokenizer.encode('a', bare).tokens, ['a']);
});

t('T11: reads half a surrogate pair as U+FFFD, which is dropped', () => {
  for (const text of ['he\ud83dllo', 'he\ude00llo', '\udc00hello\ud800', 'hel\ude00\ud83dlo']) assert.equal(tokensOf(text), ['hello']);
});

t('T12: reads special tokens in the text as such, or as ordinary characters', () => {
  assert.equal(tokensOf('[CLS] [MASK]'), ['[CLS]', '[MASK]']);
  const options: EncodeOptions = { ...bare, splitSpecialTokens: true };
  assert.equal(tokenizer.encode('[CLS] [MASK]', options).tokens, ['[', 'cl', '##s', ']', '[', 'mask', ']']);
  assert.equal(Array.from(tokenizer.encode('[SEP]').specialTokensMask), [1, 0, 1]);
});

t('T14: refuses what is no string, naming its index', () => {
  const texts: unknown[] = [null, undefined, 5, {}, [], Symbol('x'), { toString: () => 'a' }, new String('a'), 5n];
  for (const text of texts) {
    assert.throws(() => tokenizer.encode(text as string), fails('INVALID_ARG', /a string for the text/));
    assert.throws(() => tokenizer.encodeIds(text as string), fails('INVALID_ARG', /a string/));
    assert.throws(() => tokenizer.encodeBatch(['a', text as string]), fails('INVALID_ARG', /index 1/));
  }
  assert.throws(() => tokenizer.encodeBatch(['a', , 'b'] as string[]), fails('INVALID_ARG', /index 1/));
  assert.throws(
    () => tokenizer.encodeBatch([['a', 'b', 'c']] as unknown as string[]),
    fails('INVALID_ARG', /two texts for the pair at index 0/),
  );
  assert.throws(() => tokenizer.encodeBatch([['a', null]] as unknown as string[]), fails('INVALID_ARG', /second text at index 0/));
  assert.throws(() => tokenizer.encodeBatch('ab' as unknown as string[]), fails('INVALID_ARG', /an array/));
  assert.throws(() => tokenizer.encode('a', { pair: 5 as unknown as string }), fails('INVALID_ARG', /the pair/));
});

t('T15: takes an empty batch and 1,000,000 texts', () => {
  assert.equal(tokenizer.encodeBatch([]), []);
  const texts = new Array<string>(1_000_000).fill('ab');
  let tokens = 0;
  for (let i = 0; i < texts.length; i += 10_000)
    for (const { ids } of tokenizer.encodeBatch(texts.slice(i, i + 10_000))) tokens += ids.length;
  assert.is(tokens, 3_000_000);
});

t('names the right option', () => {
  assert.throws(() => tokenizer.encode('a', { max_length: 5 } as EncodeOptions), fails('INVALID_OPTION', /"maxLength"/));
  assert.throws(() => tokenizer.encode('a', { add_special_tokens: true } as EncodeOptions), fails('INVALID_OPTION', /"addSpecialTokens"/));
  assert.throws(() => tokenizer.encode('a', { truncation: 'longest' as 'only_first' }), fails('INVALID_OPTION', /"longest_first"/));
  assert.throws(() => tokenizer.encode('a', { padding: 'longer' as 'longest' }), fails('INVALID_OPTION', /"longest", "max_length"/));
  assert.throws(() => tokenizer.encode('a', { stride: -1 }), fails('INVALID_OPTION', /stride/));
  assert.throws(() => tokenizer.encodeBatch(['a'], { pair: 'b' }), fails('INVALID_OPTION', /"pair"/));
  assert.throws(() => tokenizer.decode([1], { skip: true } as object), fails('INVALID_OPTION', /"skipSpecialTokens"/));
});

t('works on after an error', () => {
  assert.throws(
    () => tokenizer.encode('a b c d', { truncation: 'only_first', maxLength: 4, pair: 'x y z' }),
    fails('MAX_LENGTH', /first text/),
  );
  assert.equal(tokensOf('hello'), ['hello']);
});

t('gives ids alone, cut at the limit', () => {
  assert.equal(tokenizer.encodeIds('Hello world'), { ids: tokenizer.encode('Hello world').ids, truncated: false });
  assert.equal(tokenizer.encodeIds('Hello big world', 4), { ids: Int32Array.of(101, 7592, 2502, 102), truncated: true });
  assert.equal(tokenizer.encodeIds('Hello big', 4).truncated, false);
  assert.equal(tokenizer.encodeIds('Hello big  \u200b', 4).truncated, false);
});

t('gives the same however full its cache of words is', () => {
  const small = createTokenizer({ tokenizerJson });
  const text = 'unaffable tokenization hyperventilating';
  const before = [...small.encode(text).ids];
  for (let i = 0; i < 60_000; i++) small.encodeIds(`w${(i * 40503) % 1_000_003}xq`);
  assert.equal([...small.encode(text).ids], before);
});

t.run();
