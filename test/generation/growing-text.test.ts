import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { GrowingText } from '../../src/generation/growing-text.js';
import { loadTokenizer } from '../../src/models/load-tokenizer.js';
import type { Tokenizer } from '../../src/tokenizer/index.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const t = suite('growing text');

const family = (name: string) => fileURLToPath(new URL(`../golden-families/tiny/${name}`, import.meta.url));

const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
const plain = ['<unk>', '▁', '▁a', 'b', 'é', '你', '▁你', '!', ...bytes];

/** Unigram whose unknown characters are written byte by byte; its decoder joins bytes, then takes the first space. */
function byteFallback(): Tokenizer {
  const model = { type: 'Unigram', unk_id: 0, byte_fallback: true, vocab: plain.map((piece, i) => [piece, -i]) };
  const decoders = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    { type: 'Strip', content: ' ', start: 1, stop: 0 },
  ];
  const rest = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
  };
  return createTokenizer({ tokenizerJson: JSON.stringify({ ...rest, model, decoder: { type: 'Sequence', decoders } }) });
}

/** WordPiece that takes back the spaces before punctuation and in contractions. */
function cleaning(): Tokenizer {
  const words = [
    '[PAD]',
    '[UNK]',
    '[CLS]',
    '[SEP]',
    '[MASK]',
    'do',
    'n',
    "'",
    't',
    's',
    're',
    've',
    'm',
    '.',
    '?',
    '!',
    ',',
    '##x',
    '你',
    'a',
  ];
  const tokenizerConfig = JSON.stringify({ tokenizer_class: 'BertTokenizer', clean_up_tokenization_spaces: true });
  return createTokenizer({ vocab: `${words.join('\n')}\n`, tokenizerConfig });
}

const below = (count: number) => Array.from({ length: count }, (_, id) => id);
/** The pieces, and the bytes of "日" and of no character. */
const someBytes = [...below(8), ...['<0xE6>', '<0x97>', '<0xA5>', '<0xFF>'].map((byte) => plain.indexOf(byte))];

const tokenizers: readonly [string, () => Promise<Tokenizer>, readonly number[]][] = [
  ['WordPiece', () => loadTokenizer(), below(30522)],
  ['WordPiece with clean-up', () => Promise.resolve(cleaning()), below(20)],
  ['byte-level BPE', () => loadTokenizer(family('roberta-token-classification')), below(300)],
  ['Unigram', () => loadTokenizer(family('camembert-mlm')), below(100)],
  ['Unigram with bytes', () => Promise.resolve(byteFallback()), someBytes],
];

for (const [name, make, vocab] of tokenizers) {
  t(`${name}: what is settled never changes, whatever follows`, async () => {
    const tokenizer = await make();
    const random = new Random(11);
    let settledAtAll = 0;
    for (let round = 0; round < 300; round++) {
      const length = random.integer(1, 30);
      // Ids of a few kinds in turn: all of them, and few, so that patterns meet.
      const few = Array.from({ length: 4 }, () => random.pick(vocab));
      const ids = Array.from({ length }, () => (round % 2 === 0 ? random.pick(vocab) : random.pick(few)));
      const whole = tokenizer.decode(ids, { skipSpecialTokens: true });
      const growing = new GrowingText(tokenizer, []);
      let settled = 0;
      for (const id of ids) {
        growing.add([id]);
        const now = growing.settledLength;
        assert.is(growing.text.slice(0, now), whole.slice(0, now), `${JSON.stringify(whole)} after ${String(growing.ids)}`);
        assert.ok(now >= settled || whole.length < settled);
        // No half of a character at the end.
        assert.not.ok(/[\ud800-\udbff]$/.test(growing.text.slice(0, now)));
        settled = now;
      }
      settledAtAll += settled;
      assert.is(growing.text, whole);
    }
    assert.ok(settledAtAll > 1000, 'something is settled');
  });
}

t('keeps half a character, a run of bytes and a contraction back', () => {
  const clean = cleaning();
  const grow = (tokenizer: Tokenizer, tokens: readonly string[], vocabulary: (token: string) => number): string => {
    const growing = new GrowingText(tokenizer, []);
    growing.add(tokens.map(vocabulary));
    return growing.text.slice(0, growing.settledLength);
  };
  const idOf = (token: string) => clean.tokenToId(token)!;
  assert.is(grow(clean, ['a', 'a', 'a', 'a', 'do', 'n', "'"], idOf).trimEnd().endsWith('n'), false);
  assert.is(clean.decode(['do', 'n', "'", 't'].map(idOf)), "don't");
  const fallback = byteFallback();
  const pieceOf = (token: string) => plain.indexOf(token);
  // "日" in bytes, then a byte that is none of a character: all of the run becomes U+FFFD.
  const letters = Array.from({ length: 12 }, () => 'b');
  assert.is(grow(fallback, [...letters, '<0xE6>', '<0x97>', '<0xA5>'], pieceOf).includes('日'), false);
  assert.is(grow(fallback, [...letters, '<0xE6>', '<0x97>', '<0xA5>', ...letters], pieceOf).includes('日'), true);
});

t('ends before the first stop text, and not on a part of one', async () => {
  const tokenizer = await loadTokenizer();
  const ids = Array.from(tokenizer.encode('one two three four five six', { addSpecialTokens: false }).ids);
  const stopped = (stop: readonly string[]) => {
    const growing = new GrowingText(tokenizer, stop);
    let most = 0;
    for (const id of ids) {
      growing.add([id]);
      most = Math.max(most, growing.settledLength);
      assert.ok(growing.settledLength <= growing.text.length);
    }
    return { text: growing.text, ids: growing.ids.length, isStopped: growing.isStopped, most };
  };
  assert.equal(stopped(['three']), { text: 'one two ', ids: 3, isStopped: true, most: 8 });
  assert.equal(stopped(['ree f', 'two three']), { text: 'one ', ids: 3, isStopped: true, most: 4 });
  assert.equal(stopped(['four five six seven']).isStopped, false);
  // "four five six" may be the beginning of a stop text until the end.
  assert.ok(stopped(['four five six seven']).most <= 'one two three '.length);
  assert.is(stopped(['x']).text, 'one two three four five si');
  // All at once or one by one: the same.
  const atOnce = new GrowingText(tokenizer, ['three']);
  atOnce.add(ids);
  assert.equal([atOnce.text, atOnce.ids.length], ['one two ', 3]);
  atOnce.add([5]);
  assert.is(atOnce.ids.length, 3);
});

t.run();
