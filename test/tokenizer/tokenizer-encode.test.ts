// Pairs, truncation, windows, padding, decoding and slices.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type tokenizers from 'tokenizers';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { Tensor } from '../../src/compat/tensor/index.js';
import { BerthaError } from '../../src/errors.js';
import { loadTokenizer } from '../../src/models/load-tokenizer.js';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { EncodeOptions, Encoding, Tokenizer } from '../../src/tokenizer/index.js';
import { difference, makeOracle, unitsOfCodePoints } from '../support/tokenizer-oracle.js';
import { Random, randomText } from '../support/tokenizer-strings.js';
import { addedToken, phrases, type TokenizerJson } from '../support/tokenizer-variants.js';

const t = suite('tokenizer-encode');

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const uncased = read('../../weights/all-MiniLM-L6-v2/tokenizer.json');
const mpnet = read('../golden/tiny/mpnet-base/tokenizer.json');
const tokenizer = createTokenizer({ tokenizerJson: uncased });
const fails = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof BerthaError && error.code === code && pattern.test(error.message);

const random = new Random(11);
const words = ['cat', 'mat', 'unaffable', 'Bertha', 'tokenization', '!', '日本', 'naïve', '😀', 'the', 'x'.repeat(101), '[MASK]'];
const sentence = (most: number): string => Array.from({ length: random.below(most + 1) }, () => random.pick(words)).join(' ');

const strategies = { longest_first: 'LongestFirst', only_first: 'OnlyFirst', only_second: 'OnlySecond' } as const;

/** What the reference makes of tokens that it did not truncate while reading: truncated, then surrounded by the template. */
async function reference(
  oracle: tokenizers.Tokenizer,
  [first, second]: [string, string?],
  keep: readonly [number, number],
  stride: number,
  side: 'left' | 'right',
): Promise<tokenizers.Encoding> {
  const encode = async (text: string, kept: number): Promise<tokenizers.Encoding> => {
    const encoding = await oracle.encode(text, null, { addSpecialTokens: false });
    if (encoding.getLength() > kept) encoding.truncate(kept, stride, side);
    return encoding;
  };
  const a = await encode(first, keep[0]);
  return oracle.postProcess(a, second === undefined ? null : await encode(second, keep[1]), true);
}

function expectSame(text: string | [string, string], ours: Encoding, theirs: tokenizers.Encoding): void {
  assert.is(difference(text, ours, theirs), '');
}

/** Type ids of windows are the golden cases' to check: here the reference read the second text as a first one. */
function expectSameWindow(text: [string, string], ours: Encoding, theirs: tokenizers.Encoding): void {
  assert.is(difference(text, ours, theirs, false), '');
}

for (const [name, json] of [
  ['BERT', uncased],
  ['MPNet', mpnet],
] as const) {
  const ours = createTokenizer({ tokenizerJson: json });
  const oracle = makeOracle(json);

  t(`surrounds pairs as the reference: ${name}`, async () => {
    for (let i = 0; i < 300; i++) {
      const pair: [string, string] = [randomText(random, 8, phrases), randomText(random, 8, phrases)];
      expectSame(pair, ours.encode(pair[0], { pair: pair[1], offsets: true }), await oracle.encode(pair[0], pair[1]));
      const bare = { addSpecialTokens: false };
      expectSame(pair, ours.encode(pair[0], { pair: pair[1], offsets: true, ...bare }), await oracle.encode(pair[0], pair[1], bare));
    }
  });

  t(`truncates as the reference does while it reads: ${name}`, async () => {
    for (const [strategy, theirName] of Object.entries(strategies) as [keyof typeof strategies, string][]) {
      for (let i = 0; i < 150; i++) {
        const [first, second] = [sentence(12), sentence(12)];
        const maxLength = 5 + random.below(16);
        const isPair = strategy === 'only_second' || random.below(2) === 0;
        const options: EncodeOptions = { truncation: strategy, maxLength, offsets: true, ...(isPair ? { pair: second } : {}) };
        oracle.setTruncation(maxLength, { strategy: theirName as never });
        const expected = await oracle.encode(first, isPair ? second : null).catch(() => undefined);
        oracle.disableTruncation();
        if (expected === undefined) {
          assert.throws(() => ours.encode(first, options), fails('MAX_LENGTH', /leaves tokens/));
          continue;
        }
        const received = ours.encode(first, options);
        const full = [ours.encode(first, { addSpecialTokens: false }).length, ours.encode(second, { addSpecialTokens: false }).length];
        const room = maxLength - ours.encode('', isPair ? { pair: '' } : {}).length;
        // The reference stops reading each text at maxLength, so it cannot tell which of two longer ones is the longer.
        if (strategy === 'longest_first' && isPair && room % 2 === 1 && Math.min(...full) > room) continue;
        expectSame(isPair ? [first, second] : first, received, expected);
        assert.is(received.truncated, (full[0] as number) + (isPair ? (full[1] as number) : 0) > room);
      }
    }
  });

  for (const side of ['right', 'left'] as const) {
    t(`cuts windows on the ${side} as the reference: ${name}`, async () => {
      for (let i = 0; i < 150; i++) {
        const [first, second] = [sentence(10), sentence(60)];
        const stride = random.below(5);
        const firstLength = ours.encode(first, { addSpecialTokens: false }).length;
        const room = firstLength + stride + 1 + random.below(20);
        const maxLength = room + ours.encode('', { pair: '' }).length;
        const expected = await reference(oracle, [first, second], [firstLength, room - firstLength], stride, side);
        const options: EncodeOptions = { pair: second, truncation: 'only_second', maxLength, stride, truncationSide: side, offsets: true };
        const received = ours.encode(first, options);
        expectSame([first, second], received, expected);
        const overflowing = expected.getOverflowing();
        assert.is(received.overflowing.length, overflowing.length);
        received.overflowing.forEach((window, w) => expectSameWindow([first, second], window, overflowing[w] as tokenizers.Encoding));
        assert.is(ours.encode(first, { ...options, overflow: false }).overflowing.length, 0);
      }
    });
  }
}

t('makes windows of both texts, each with each, as the reference', async () => {
  const oracle = makeOracle(uncased);
  const pair: [string, string] = ['a b c d e f g h i j', 'k l m n o p q r s t u'];
  const received = tokenizer.encode(pair[0], { pair: pair[1], truncation: true, maxLength: 11, stride: 1, offsets: true });
  const expected = await reference(oracle, pair, [4, 4], 1, 'right');
  expectSame(pair, received, expected);
  assert.is(received.overflowing.length, 11);
  received.overflowing.forEach((window, w) => expectSameWindow(pair, window, expected.getOverflowing()[w] as tokenizers.Encoding));
});

t('gives the odd token to the longer of two texts that are both too long', () => {
  const long = 'a '.repeat(40);
  const longer = 'b '.repeat(50);
  const lengths = (first: string, second: string) => {
    const { sequenceIds } = tokenizer.encode(first, { pair: second, truncation: true, maxLength: 10 });
    return [0, 1].map((which) => sequenceIds.filter((id) => id === which).length);
  };
  assert.equal(lengths(long, longer), [3, 4]);
  assert.equal(lengths(longer, long), [4, 3]);
  assert.equal(lengths(long, long), [3, 4]);
});

t('keeps only special tokens where nothing else fits', () => {
  const encoding = tokenizer.encode('hello world', { truncation: true, maxLength: 2, stride: 0 });
  assert.equal(encoding.tokens, ['[CLS]', '[SEP]']);
  assert.ok(encoding.truncated);
  assert.is(encoding.overflowing.length, 0);
  assert.not(tokenizer.encode('', { truncation: true, maxLength: 2 }).truncated);
});

t('truncates to the model length by default, to maxLength if only that is given, and to no more than the positions', () => {
  const limited = createTokenizer({ tokenizerJson: uncased }, { maxLength: 5, maxPositions: 8 });
  const text = 'one two three four five six seven eight nine';
  assert.is(limited.maxLength, 5);
  assert.is(limited.encode(text).length, 11);
  assert.is(limited.encode(text, { truncation: true }).length, 5);
  assert.is(limited.encode(text, { maxLength: 7 }).length, 7);
  assert.is(limited.encode(text, { maxLength: 7, truncation: false }).length, 11);
  assert.throws(() => limited.encode(text, { maxLength: 9 }), fails('MAX_LENGTH', /at most 8 tokens/));
  assert.throws(() => tokenizer.encode(text, { truncation: true }), fails('INVALID_ARG', /maxLength/));
});

t('knows the length limit and the positions of a model directory', async () => {
  const loaded = await loadTokenizer();
  assert.is(loaded.maxLength, 256);
  assert.is(loaded.encode('a '.repeat(600), { truncation: true }).length, 256);
  assert.is(loaded.encode('a '.repeat(600), { maxLength: 512 }).length, 512);
  assert.throws(() => loaded.encode('a', { maxLength: 513 }), fails('MAX_LENGTH', /at most 512 tokens/));
});

t('refuses a limit that the special tokens alone exceed', () => {
  for (const maxLength of [0, 1, -1, 1.5, NaN]) {
    assert.throws(() => tokenizer.encode('a', { maxLength }), fails('MAX_LENGTH', /tokens/), `${maxLength}`);
  }
  assert.throws(() => tokenizer.encode('a', { pair: 'b', maxLength: 2 }), fails('MAX_LENGTH', /at least 3/));
  assert.throws(() => tokenizer.encodeIds('a', 1), fails('MAX_LENGTH', /at least 2/));
  assert.is(tokenizer.encode('a b', { maxLength: 1, addSpecialTokens: false }).length, 1);
});

t('refuses a stride that leaves no step, and only_second without a second text', () => {
  assert.throws(() => tokenizer.encode('a b c d e', { maxLength: 4, stride: 2 }), fails('INVALID_ARG', /stride below 2/));
  assert.throws(() => tokenizer.encode('a', { truncation: 'only_second', maxLength: 4 }), fails('INVALID_ARG', /pair/));
});

t('reads no further than the limit', () => {
  const text = 'word '.repeat(2_000_000);
  const started = process.cpuUsage();
  for (let i = 0; i < 100; i++) tokenizer.encode(text, { maxLength: 256 });
  const { user, system } = process.cpuUsage(started);
  const ms = (user + system) / 1000;
  assert.ok(ms < 500, `100 texts of 10 MB took ${ms} ms`);
  assert.is(tokenizer.encodeIds(text, 256).ids.length, 256);
});

t('pads to the longest of a batch, to the limit, to a multiple, on either side, as the reference', async () => {
  const oracle = makeOracle(uncased);
  const texts = ['a', 'a b c', 'unaffable tokenization', ''];
  const cases: { options: EncodeOptions; theirs: tokenizers.PaddingOptions & { maxLength?: number } }[] = [
    { options: { padding: true }, theirs: { padToken: '[PAD]' } },
    { options: { padding: 'longest', padToMultipleOf: 8 }, theirs: { padToMultipleOf: 8 } },
    { options: { padding: 'max_length', maxLength: 12 }, theirs: { maxLength: 12 } },
    { options: { padding: 'longest', paddingSide: 'left' }, theirs: { direction: 'left' } },
  ];
  for (const { options, theirs } of cases) {
    oracle.setPadding(theirs);
    const expected = await oracle.encodeBatch(texts);
    const received = tokenizer.encodeBatch(texts, { ...options, offsets: true });
    received.forEach((encoding, i) => {
      const their = expected[i] as tokenizers.Encoding;
      expectSame(texts[i] as string, encoding, their);
      assert.equal(Array.from(encoding.attentionMask), their.getAttentionMask());
      assert.equal(encoding.tokens, their.getTokens());
      assert.equal(
        encoding.sequenceIds,
        their.getSequenceIds().map((id) => id ?? null),
      );
    });
  }
});

t('pads overflowing windows too', () => {
  const encoding = tokenizer.encode('a b c d e', { maxLength: 4, stride: 0, padding: 'max_length', truncation: true });
  assert.equal(
    [encoding, ...encoding.overflowing].map((window) => window.length),
    [4, 4, 4],
  );
  assert.equal(encoding.overflowing[1]?.tokens, ['[CLS]', 'e', '[SEP]', '[PAD]']);
  assert.equal(Array.from(encoding.overflowing[1]?.attentionMask ?? []), [1, 1, 1, 0]);
});

t('follows the truncation and padding of tokenizer.json only when asked to', () => {
  const text = 'a '.repeat(300);
  assert.is(tokenizer.encode(text).length, 302);
  assert.is(tokenizer.encode('a').length, 3);
  const asked = createTokenizer({ tokenizerJson: uncased }, { useFileDefaults: true });
  assert.is(asked.encode(text).length, 128);
  assert.is(asked.encode('a').length, 128);
  assert.is(asked.encode('a', { padding: false }).length, 3);
  assert.is(asked.encode(text, { truncation: false, padding: false }).length, 302);
});

t('decodes as the reference', async () => {
  const json = JSON.parse(uncased) as TokenizerJson;
  const size = Object.keys(json.model.vocab).length;
  const added = [...json.added_tokens, addedToken('Yester', size, { normalized: true }), addedToken('<s p>', size + 1, { special: true })];
  const variants = [
    json,
    { ...json, added_tokens: added },
    { ...json, decoder: null },
    { ...json, decoder: { type: 'WordPiece', prefix: '##', cleanup: false } },
  ];
  for (const variant of variants) {
    const text = JSON.stringify(variant);
    const [ours, oracle] = [createTokenizer({ tokenizerJson: text }), makeOracle(text)];
    for (let i = 0; i < 200; i++) {
      const ids = Array.from({ length: random.below(30) }, () =>
        random.below(4) === 0 ? 999 + random.below(80) : random.below(ours.vocabSize),
      );
      for (const skipSpecialTokens of [false, true])
        assert.is(ours.decode(ids, { skipSpecialTokens }), await oracle.decode(ids, skipSpecialTokens));
    }
  }
});

t('decodes what it encoded, and skips special tokens', () => {
  const { ids } = tokenizer.encode("Hello, I don't know the [MASK]!");
  assert.is(tokenizer.decode(ids), "[CLS] hello, i don ' t know the [MASK]! [SEP]");
  assert.is(tokenizer.decode(ids, { skipSpecialTokens: true }), "hello, i don ' t know the!");
  assert.is(tokenizer.decode(ids, { skipSpecialTokens: true, cleanUpSpaces: true }), "hello, i don't know the!");
  assert.is(tokenizer.decode([]), '');
});

t('joins tokens, or words, as it decodes', () => {
  assert.is(tokenizer.joinTokens(['token', '##ization', 'works', '!']), 'tokenization works!');
  assert.is(tokenizer.joinTokens(['tokenization', 'works']), 'tokenization works');
});

t('refuses to decode what is no id', () => {
  for (const id of [-1, 1.5, NaN, '5' as unknown as number, undefined as unknown as number]) {
    assert.throws(() => tokenizer.decode([101, id]), fails('INVALID_IDS', /at index 1/), String(id));
  }
  for (const ids of ['101', 101, undefined, null, {}, { data: [1] }, new DataView(new ArrayBuffer(8)), () => 1])
    assert.throws(() => tokenizer.decode(ids as never), fails('INVALID_ARG', /a list of ids or a tensor/), String(ids));
  const rows = { data: Int32Array.of(1, 2, 3, 4), dims: [2, 2] };
  assert.throws(() => tokenizer.decode(rows), fails('INVALID_ARG', /\[2, 2\].*batch_decode/));
});

t('decodes lists, typed arrays and tensors, and leaves out ids without a token', () => {
  const ids = [101, 7592, 30522, 2 ** 32, 2088];
  const lists = [ids, Float64Array.from(ids), BigInt64Array.from(ids, BigInt), { data: BigInt64Array.from(ids, BigInt), dims: [1, 5] }];
  for (const list of [...lists, new Tensor(Int32Array.of(101, 7592, 40000, 30523, 2088), [1, 5])])
    assert.is(tokenizer.decode(list, { skipSpecialTokens: true }), 'hello world');
});

t('gives the same in slices of any size', () => {
  const texts = Array.from({ length: 200 }, () => randomText(random, 20, phrases));
  const options: EncodeOptions = { offsets: true };
  for (const text of texts) {
    const whole = tokenizer.encode(text, options);
    for (const units of [1, 2, 7]) {
      const task = tokenizer.startEncoding(text, options);
      let slices = 0;
      while (!task.run(units)) slices++;
      assert.ok(slices <= text.length + 1);
      const sliced = task.finish();
      assert.equal([...sliced.ids], [...whole.ids], JSON.stringify(text));
      assert.equal(sliced.offsets, whole.offsets);
      assert.equal(sliced.wordIds, whole.wordIds);
    }
  }
  const pair = tokenizer.startEncoding('one two', { pair: 'three four', maxLength: 6 });
  while (!pair.run(2));
  assert.equal(pair.finish().tokens, tokenizer.encode('one two', { pair: 'three four', maxLength: 6 }).tokens);
});

t('keeps two texts in the making apart', () => {
  const first = tokenizer.startEncoding('unaffable words here');
  const second = tokenizer.startEncoding('other things');
  first.run(3);
  second.run(5);
  tokenizer.encode('something in between');
  while (!first.run(3));
  while (!second.run(3));
  assert.equal(first.finish().tokens, tokenizer.encode('unaffable words here').tokens);
  assert.equal(second.finish().tokens, tokenizer.encode('other things').tokens);
});

interface GoldenSequence {
  readonly input_ids: number[];
  readonly token_type_ids?: number[];
  readonly tokens: string[];
  readonly offsets: [number, number][];
}

interface GoldenCase {
  readonly id: string;
  readonly text: string;
  readonly text_pair?: string;
  readonly choices?: string[];
  readonly sequences: GoldenSequence[];
}

function expectGolden(encoding: Encoding, expected: GoldenSequence, texts: readonly string[], name: string): void {
  assert.equal(encoding.tokens, expected.tokens, name);
  assert.equal(Array.from(encoding.ids), expected.input_ids, name);
  if (expected.token_type_ids !== undefined) assert.equal(Array.from(encoding.typeIds), expected.token_type_ids, name);
  const units = texts.map(unitsOfCodePoints);
  const offsets = expected.offsets.flatMap((pair, i) => pair.map((offset) => units[encoding.sequenceIds[i] ?? 0]?.[offset]));
  assert.equal(Array.from(encoding.offsets ?? []), offsets, name);
}

function goldenTokenizers(folder: string): [string, Tokenizer][] {
  const files = {
    vocab: read(`${folder}/vocab.txt`),
    tokenizerConfig: read(`${folder}/tokenizer_config.json`),
    specialTokensMap: read(`${folder}/special_tokens_map.json`),
  };
  return [
    ['tokenizer.json', createTokenizer({ ...files, tokenizerJson: read(`${folder}/tokenizer.json`) })],
    ['vocab.txt', createTokenizer(files)],
  ];
}

for (const model of readdirSync(new URL('../golden/tiny/', import.meta.url))) {
  t(`gives the tokens of the golden cases from either file: ${model}`, () => {
    const { cases } = JSON.parse(read(`../golden/tiny/${model}/cases.json`)) as { cases: GoldenCase[] };
    let sequences = 0;
    for (const [file, ours] of goldenTokenizers(`../golden/tiny/${model}`)) {
      const limit = ours.maxLength as number;
      for (const { id, text, text_pair: second, choices, sequences: expected } of cases) {
        const length = Math.min(limit, 384);
        const isAnswer = model.endsWith('question-answering');
        const window: EncodeOptions = { truncation: 'only_second', maxLength: length, stride: Math.min(length >> 1, 128) };
        const options: EncodeOptions = { offsets: true, ...(isAnswer ? window : { truncation: true }) };
        const encodings = (choices ?? [second]).flatMap((pair) => {
          const encoding = ours.encode(text, pair === undefined ? options : { ...options, pair });
          return [encoding, ...encoding.overflowing];
        });
        assert.is(encodings.length, expected.length, `${file} ${id}`);
        encodings.forEach((encoding, i) => {
          const pair = choices?.[i] ?? second;
          expectGolden(encoding, expected[i] as GoldenSequence, pair === undefined ? [text] : [text, pair], `${file} ${id}`);
          sequences++;
        });
      }
    }
    assert.ok(sequences > 0);
  });
}

t('gives the tokens of the golden cases of all-MiniLM-L6-v2', () => {
  const { cases } = JSON.parse(read('../golden/minilm/cases.json')) as { cases: (GoldenSequence & { id: string; text: string })[] };
  const limited = createTokenizer({ tokenizerJson: uncased }, { maxLength: 256 });
  assert.ok(cases.length > 50);
  for (const expected of cases)
    expectGolden(limited.encode(expected.text, { truncation: true, offsets: true }), expected, [expected.text], expected.id);
});

t('gives the ids that others published for SQuAD questions', () => {
  const { items } = JSON.parse(read('../golden/tokenizer/squad-questions.json')) as { items: [string, number[]][] };
  assert.ok(items.length > 200);
  for (const [text, ids] of items) assert.equal(Array.from(tokenizer.encode(text, { addSpecialTokens: false }).ids), ids, text);
});

t('gives the tokens, ids and text of the transformers.js cases', () => {
  const { models } = JSON.parse(read('../golden/tokenizer/transformers-js-cases.json')) as {
    models: Record<string, Record<string, { text: string; text_pair?: string; tokens: string[]; ids: number[]; decoded: string }>>;
  };
  const shared = new URL(`${process.env['BERTHA_SHARED'] ?? '../shared'}/vocab/`, new URL('../../', import.meta.url));
  let compared = 0;
  for (const [model, cases] of Object.entries(models)) {
    const vocabulary = new URL(`${/bert-base-(?:multilingual-)?cased/.exec(model)?.[0]}.tokenizer.json`, shared);
    const isBundled = model.endsWith('uncased');
    if (!isBundled && !existsSync(vocabulary)) continue;
    const ours = isBundled ? tokenizer : createTokenizer({ tokenizerJson: readFileSync(vocabulary, 'utf8') });
    compared++;
    for (const [name, { text, text_pair: pair, tokens, ids, decoded }] of Object.entries(cases)) {
      const encoding = ours.encode(text, { pair });
      assert.equal(Array.from(encoding.ids), ids, name);
      if (pair === undefined) assert.equal(ours.encode(text, { addSpecialTokens: false }).tokens, tokens, name);
      assert.is(ours.decode(ids, { cleanUpSpaces: true }), decoded, name);
    }
  }
  assert.ok(compared > 0);
});

t.run();
