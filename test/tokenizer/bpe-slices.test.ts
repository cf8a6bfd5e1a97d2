// BPE texts that are read step by step: words of any length in bounded turns, windows, pairs, truncation, and text that comes back as it was.
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { Encoding, Tokenizer } from '../../src/tokenizer/index.js';
import { type BpeJson, bpePhrases, bpeVariants } from '../support/bpe-variants.js';
import { isFull } from '../support/full.js';
import { suite } from '../support/suite.js';
import { difference, makeOracle, unitsOfCodePoints } from '../support/tokenizer-oracle.js';
import { formKinds, Random, randomText } from '../support/tokenizer-strings.js';

const t = suite('bpe-slices');
const base = JSON.parse(readFileSync(new URL('../golden/tokenizers/byte-bpe/tokenizer.json', import.meta.url), 'utf8')) as BpeJson;
const variants = bpeVariants(base);
const named = (name: string): string => JSON.stringify(variants.get(name));

function inSlices(tokenizer: Tokenizer, text: string, units: number): Encoding {
  const task = tokenizer.startEncoding(text, { offsets: true });
  while (!task.run(units));
  return task.finish();
}

t('gives the same in slices of any size, long words and runs of white space among them', async () => {
  const random = new Random(21);
  for (const name of [
    'no prefix space, trimmed',
    'added tokens in normalized text',
    'added tokens and NFC',
    'cl100k and added tokens',
    'no pattern',
  ]) {
    const [tokenizer, oracle] = [createTokenizer({ tokenizerJson: named(name) }), makeOracle(named(name))];
    for (let round = isFull ? 60 : 6; round > 0; round--) {
      const parts = Array.from({ length: 60 }, () => randomText(random, 10, bpePhrases, formKinds));
      const long = [' '.repeat(9000), 'the'.repeat(3000), '\n'.repeat(5000), 'é'.repeat(5000), '!'.repeat(4500), '12'.repeat(2500)];
      const text = `${parts.join('')}${random.pick(long)}${random.pick(long)}<lr> ${random.pick(bpePhrases)}${parts.join('\n')}`;
      const expected = await oracle.encode(text);
      const whole = tokenizer.encode(text, { offsets: true });
      assert.is(difference(text, whole, expected).slice(-600), '');
      assert.equal(inSlices(tokenizer, text, random.pick([7, 300, 5000])), whole);
    }
  }
});

t('merges a word of a million letters in turns that are all short', () => {
  const tokenizer = createTokenizer({ tokenizerJson: named('no pattern') });
  const text = 'abrights'.repeat(isFull ? 125_000 : 25_000);
  const task = tokenizer.startEncoding(text, { offsets: true });
  let turns = 0;
  let longest = 0;
  for (let isDone = false; !isDone; turns++) {
    const began = process.cpuUsage();
    isDone = task.run(20_000);
    const { user, system } = process.cpuUsage(began);
    longest = Math.max(longest, user + system);
  }
  const { length, offsets } = task.finish();
  assert.ok(turns > 15, `${turns} turns`);
  assert.ok(longest < 400_000, `${longest} us in one turn`);
  assert.is(offsets![2 * length - 3], text.length, 'the last token before </s> ends with the text');
});

t('gives windows as the reference, whose first token keeps its space where a prefix space is added', async () => {
  const tokenizerJson = named('as it is');
  const [tokenizer, oracle] = [createTokenizer({ tokenizerJson }), makeOracle(tokenizerJson)];
  const text = "The human rights of everyone, “naïve” ones too: 1234 don't  \n 👩‍👩‍👧 ".repeat(3);
  for (const [maxLength, stride, side] of [
    [20, 0, 'right'],
    [17, 5, 'right'],
    [16, 3, 'left'],
    [5, 2, 'right'],
  ] as const) {
    const encoding = await oracle.encode(text, null, { addSpecialTokens: false });
    encoding.truncate(maxLength - 2, stride, side);
    const expected = oracle.postProcess(encoding, null, true);
    const ours = tokenizer.encode(text, { truncation: true, maxLength, stride, truncationSide: side, offsets: true });
    assert.is(ours.overflowing.length, expected.getOverflowing().length);
    const theirs = [expected, ...expected.getOverflowing()];
    [ours, ...ours.overflowing].forEach((window, i) => assert.is(difference(text, window, theirs[i]!), '', `window ${i} of ${maxLength}`));
  }
  const trimmed = createTokenizer({ tokenizerJson: named('prefix space, trimmed') });
  // What tokenizers 0.23.3 gives in Python, by enable_truncation(6, stride=1).
  const windows = trimmed.encode('a the are', { truncation: true, maxLength: 4, stride: 1, offsets: true });
  assert.equal(
    [windows, ...windows.overflowing].map(({ tokens, offsets }) => [tokens.slice(1, -1), [...offsets!].slice(2, -2)]),
    [
      [
        ['Ġa', 'Ġthe'],
        [0, 1, 2, 5],
      ],
      [
        ['Ġthe', 'Ġare'],
        [1, 5, 6, 9],
      ],
    ],
  );
});

t('cuts pairs as the reference', async () => {
  const [text, pair] = ['The human rights of everyone ', "  It's the second “text”."];
  for (const name of ['no prefix space, trimmed', 'prefix space, trimmed', 'cl100k']) {
    const [tokenizer, oracle] = [createTokenizer({ tokenizerJson: named(name) }), makeOracle(named(name))];
    for (const [strategy, theirs] of [
      ['longest_first', 'LongestFirst'],
      ['only_second', 'OnlySecond'],
    ] as const) {
      for (const side of ['right', 'left'] as const) {
        oracle.setTruncation(20, { strategy: theirs as never, direction: side });
        const ours = tokenizer.encode(text, {
          pair,
          truncation: strategy,
          maxLength: 20,
          truncationSide: side,
          overflow: false,
          offsets: true,
        });
        assert.is(difference([text, pair], ours, await oracle.encode(text, pair)), '', `${name}, ${strategy}, ${side}`);
      }
    }
  }
});

t('reads a long prompt and text in lower case as if they were one text', () => {
  const random = new Random(24);
  for (const name of ['no prefix space, trimmed', 'added tokens and NFC', 'cl100k and added tokens', 'suffix at the end of words']) {
    const tokenizer = createTokenizer({ tokenizerJson: named(name) });
    for (const lowercase of [false, true]) {
      const text = Array.from({ length: 1200 }, () => randomText(random, 6, bpePhrases))
        .join('')
        .replaceAll('\u0130', 'i');
      const cut = random.below(text.length + 1);
      const settings = tokenizer.settingsFor(undefined, { truncation: false, offsets: true });
      const task = tokenizer.takeTask(settings, { prompt: text.slice(0, cut), lowercase, promptTokens: 0 });
      task.begin([text.slice(cut)]);
      while (!task.run(1 + random.below(9000)));
      const [ours, expected] = [task.finish(), tokenizer.encode(lowercase ? text.toLowerCase() : text, { offsets: true })];
      assert.equal(ours.ids, expected.ids, name);
      assert.equal(
        ours.offsets,
        expected.offsets!.map((offset) => Math.max(0, offset - cut)),
        name,
      );
    }
  }
});

t('decodes to the very text, and covers every character, where bytes are kept', () => {
  const random = new Random(22);
  for (const name of ['no pattern', 'cl100k', 'Qwen2', 'Digits before']) {
    const tokenizer = createTokenizer({ tokenizerJson: JSON.stringify({ ...variants.get(name), added_tokens: [], post_processor: null }) });
    for (let i = isFull ? 5000 : 200; i > 0; i--) {
      const text = randomText(random, 12, bpePhrases, formKinds);
      const { ids, offsets } = tokenizer.encode(text, { offsets: true });
      assert.is(tokenizer.decode(ids), text.toWellFormed());
      const covered = new Set<number>();
      for (let k = 0; k < ids.length; k++) for (let at = offsets![2 * k]!; at < offsets![2 * k + 1]!; at++) covered.add(at);
      assert.is(covered.size, text.length, JSON.stringify(text));
      const boundaries = new Set(unitsOfCodePoints(text));
      assert.ok(
        Array.from(offsets!).every((offset) => boundaries.has(offset)),
        'offsets lie between characters',
      );
    }
  }
});

t('gives the same however full its cache of words is', () => {
  const tokenizer = createTokenizer({ tokenizerJson: named('no prefix space, trimmed') });
  const text = 'The human rights of all, 42 ürights';
  const before = tokenizer.encode(text, { offsets: true });
  const random = new Random(23);
  for (let i = 0; i < 40; i++) {
    tokenizer.encodeIds(Array.from({ length: 1000 }, () => ` ${random.below(1 << 30).toString(36)}x`).join(''));
  }
  assert.equal(tokenizer.encode(text, { offsets: true }), before);
});

t.run();
