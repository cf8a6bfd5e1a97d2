// Texts that are read step by step: the same tokens as in one go, as many as are needed, and never much of the text at once.
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { EncodeOptions, Encoding, EncodingTask, Tokenizer } from '../../src/tokenizer/index.js';
import { keptLengths } from '../../src/tokenizer/definition/truncation.js';
import { addedTokenPhrases, withAddedTokens } from '../support/added-token-variants.js';
import { isFull } from '../support/full.js';
import { difference, makeOracle } from '../support/tokenizer-oracle.js';
import { Random, randomText } from '../support/tokenizer-strings.js';
import { addedToken, type TokenizerJson } from '../support/tokenizer-variants.js';

const t = suite('tokenizer-slices');
const json = JSON.parse(readFileSync(new URL('../../weights/all-MiniLM-L6-v2/tokenizer.json', import.meta.url), 'utf8')) as TokenizerJson;
const plain = createTokenizer({ tokenizerJson: JSON.stringify(json) });
const withTokens = (...tokens: object[]): Tokenizer =>
  createTokenizer({ tokenizerJson: JSON.stringify({ ...json, added_tokens: [...json.added_tokens, ...tokens] }) });
/** What Python's add_tokens makes of a string. */
const withAdded = withTokens(addedToken('Yesterish', 30522, { normalized: true }));

function encodeInSlices(tokenizer: Tokenizer, text: string, units: number, options: EncodeOptions): Encoding {
  const task = tokenizer.startEncoding(text, options);
  while (!task.run(units));
  return task.finish();
}

t('finds added tokens of all properties as the reference does, whole and in slices of any size', async () => {
  const random = new Random(11);
  for (let round = isFull ? 400 : 12; round > 0; round--) {
    const tokenizerJson = JSON.stringify(withAddedTokens(json, random));
    const [ours, oracle] = [createTokenizer({ tokenizerJson }), makeOracle(tokenizerJson)];
    const texts = Array.from({ length: 120 }, () => randomText(random, 18, addedTokenPhrases));
    texts.push(Array.from({ length: 400 }, () => randomText(random, 18, addedTokenPhrases)).join(''));
    texts.push(`${' '.repeat(5000)}<m>${' '.repeat(5000)}<r>${' '.repeat(3000)}qfoo  zz`);
    const units = random.pick([1, 3, 50, 1000, 4096]);
    for (const text of texts) {
      // Of tokens of white space alone the reference makes nothing that it could return.
      const expected = await oracle.encode(text).catch(() => undefined);
      if (expected === undefined) continue;
      assert.is(difference(text, ours.encode(text, { offsets: true }), expected).slice(0, 900), '', tokenizerJson.slice(0, 2000));
      assert.is(difference(text, encodeInSlices(ours, text, units, { offsets: true }), expected), '', `slices of ${units}`);
    }
  }
});

t('reads prompt and text as if they were one, wherever one ends', () => {
  const random = new Random(12);
  for (let round = isFull ? 40 : 12; round > 0; round--) {
    const tokenizer = createTokenizer({ tokenizerJson: JSON.stringify(withAddedTokens(json, random)) });
    for (let i = 0; i < 20; i++) {
      const length = i === 0 ? 900 : 12;
      const text = Array.from({ length }, () => randomText(random, 4, addedTokenPhrases)).join('');
      const cut = random.below(text.length + 1);
      const task = tokenizer.takeTask(tokenizer.settingsFor(undefined, { truncation: false, offsets: true }), {
        prompt: text.slice(0, cut),
        lowercase: false,
        promptTokens: 0,
      });
      task.begin([text.slice(cut)]);
      while (!task.run(1000));
      const prepared = task.finish();
      const whole = tokenizer.encode(text, { offsets: true });
      assert.equal(prepared.ids, whole.ids);
      assert.equal(
        prepared.offsets,
        whole.offsets!.map((offset) => Math.max(0, offset - cut)),
        JSON.stringify([text.slice(0, cut), text.slice(cut)]),
      );
    }
  }
});

t('lower-cases piece by piece what toLowerCase makes of the whole', () => {
  const random = new Random(13);
  // Characters that do not count between a sigma and the letters that decide about it, as many as two pieces have.
  const gap = "'\u00ad.\u0301".repeat(5000);
  const edges = ['', 'a', ' ', '9', '😀', '𐐀'].flatMap((before) =>
    ['', 'b', ' ', '9', '😀', '𐐀', 'Σ'].flatMap((after) => [`${before}Σ${after}`, `${before}${gap}Σ${gap}${after}`]),
  );
  const long = Array.from({ length: 60 }, () =>
    Array.from({ length: 3000 }, () => random.pick(['Σ', 'Α', "'", '.', ' ', 'İ', 'ß', 'I\u0307', 'é', '日', '𐐀', '\u0345'])).join(''),
  );
  const cased = createTokenizer({
    tokenizerJson: JSON.stringify({ ...json, normalizer: { type: 'BertNormalizer', lowercase: false, strip_accents: false } }),
  });
  for (const text of [...edges, ...edges.map((edge) => 'x '.repeat(4090) + edge), ...long]) {
    const task = cased.takeTask(cased.settingsFor(undefined, { truncation: false, offsets: true }), {
      prompt: '',
      lowercase: true,
      promptTokens: 0,
    });
    task.begin([text]);
    while (!task.run(4096));
    const prepared = task.finish();
    const lowered = text.toLowerCase();
    const whole = cased.encode(lowered, { offsets: true });
    assert.is(prepared.ids.join(), whole.ids.join(), JSON.stringify(text.slice(0, 100)));
    // "İ" is one unit of the text and two of its lower case, of which the first begins and the second ends where it does.
    const origin: number[] = [];
    for (let i = 0; i < text.length; i++) origin.push(...new Array<number>(text[i] === 'İ' ? 2 : 1).fill(i));
    prepared.offsets!.forEach((offset, i) => {
      const expected = whole.offsets![i]!;
      if (i % 2 === 0) assert.is(offset, expected === lowered.length ? text.length : origin[expected]);
      else assert.is(offset, expected === 0 ? 0 : origin[expected - 1]! + 1);
    });
  }
});

t('cuts a pair by the lengths that both texts have in full, whichever ends first', async () => {
  const random = new Random(14);
  const oracle = makeOracle(JSON.stringify(json));
  const word = () => random.pick(['a', 'unaffable', 'tokenization', '!', 'zzqx', '[MASK]']);
  for (let i = 0; i < 60; i++) {
    const lengths = [random.below(3000), random.below(3000)];
    if (i % 3 === 0) lengths[1] = lengths[0]! + random.below(3) - 1;
    const [first, second] = lengths.map((length) => Array.from({ length: Math.max(0, length) }, word).join(' ')) as [string, string];
    const maxLength = random.pick([8, 9, 64, 65, 512]);
    const full = (await oracle.encodeBatch([first, second], { addSpecialTokens: false })).map((each) => each.getIds());
    const kept = keptLengths(full[0]!.length, full[1]!.length, maxLength - 3, 'longest_first');
    const expected = [101, ...full[0]!.slice(0, kept[0]), 102, ...full[1]!.slice(0, kept[1]), 102].join();
    const options = { pair: second, truncation: true, maxLength };
    assert.is(plain.encode(first, options).ids.join(), expected, `${lengths.join(' and ')} words, ${maxLength} tokens`);
    assert.is(encodeInSlices(plain, first, 700, options).ids.join(), expected);
  }
});

/** Milliseconds of processor time that `work` takes: unlike those of the clock, other programs of the machine do not add to them. */
function processorMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The longest of all slices of 4,096 units, each the best of a few attempts, as the engine compiles and collects too; and their number. */
function longestSlice(make: () => EncodingTask): { ms: number; slices: number } {
  const best: number[] = [];
  for (let attempt = 0; attempt < 5 && (attempt === 0 || Math.max(...best) > 9); attempt++) {
    const times: number[] = [];
    let task: EncodingTask | undefined;
    times.push(processorMs(() => (task = make())));
    for (let isDone = false; !isDone;) times.push(processorMs(() => (isDone = task!.run(4096))));
    times.forEach((ms, i) => (best[i] = Math.min(ms, best[i] ?? Infinity)));
  }
  return { ms: Math.max(...best), slices: best.length - 1 };
}

const kLong = 5 << 20;
const words = 'The quick brown fox, Σίσυφος & naïve 日々. '.repeat(kLong / 43);
const longTexts: Record<string, string> = {
  words,
  spaces: ' '.repeat(kLong),
  'one word': 'a'.repeat(kLong),
  marks: `a${'\u0301'.repeat(kLong)}`,
  'spaces before a token': `x${' '.repeat(kLong)}[MASK] <m>`,
  'sigma and apostrophes': `Α${"'".repeat(kLong)}Σ${"'".repeat(kLong)}`,
};
const strippers = ['[MASK]', '<m>'].map((content) => {
  const flags = { lstrip: true, rstrip: true, normalized: content === '<m>' };
  return addedToken(content, content === '<m>' ? 30522 : 103, flags);
});
const withStrippers = withTokens(...strippers);

for (const [name, text] of Object.entries(longTexts)) {
  // What is read to its end is shorter, so that this takes seconds and not minutes.
  const some = text.slice(-(1 << (isFull ? 19 : 18)));
  t(`never reads more than a slice of 5 MB at once: ${name}`, () => {
    for (const tokenizer of [plain, withAdded, withStrippers]) {
      const cut = { truncation: true, maxLength: 512 } as const;
      const prepared = (): EncodingTask => {
        const task = tokenizer.takeTask(tokenizer.settingsFor(512), { prompt: 'query: ', lowercase: true, promptTokens: 2 });
        task.begin([text]);
        return task;
      };
      const tasks: Record<string, () => EncodingTask> = {
        whole: () => tokenizer.startEncoding(some),
        'odd pair': () => tokenizer.startEncoding(some, { ...cut, pair: `${some} x` }),
        windows: () => tokenizer.startEncoding(some, { truncation: true, maxLength: 8, stride: 2 }),
        // Of spaces and marks nothing is ever enough.
        ...(/words|word$/.test(name) ? { cut: () => tokenizer.startEncoding(text, cut), prepared } : {}),
      };
      for (const [kind, make] of Object.entries(tasks)) {
        const { ms, slices } = longestSlice(make);
        assert.ok(ms < 10, `${kind}: a slice took ${ms.toFixed(1)} ms`);
        if (kind === 'whole') assert.ok(slices > some.length / 5000, `${slices} slices`);
        if (name === 'words' && (kind === 'cut' || kind === 'prepared')) assert.ok(slices <= 4, `${kind}: ${slices} slices for 512 tokens`);
      }
    }
  });
}

t.run();
