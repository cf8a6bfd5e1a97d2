// Tokenizers built from parts, as the tokenizers library's own pages teach it, and their comparison with the reference.
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { isFull } from './full.js';
import type { suite } from './suite.js';
import { compareWithOracle, makeOracle } from './tokenizer-oracle.js';
import { formKinds, Random, randomText } from './tokenizer-strings.js';
import { addedToken, bertNormalizer } from './tokenizer-variants.js';

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const characters = [...'abcdefghijklmnopqrstuvwxyz0123456789.,!=_$½²٣'];
const words = ['hello', 'Hello', 'wor', '##ld', '##s', '..', '==', '42', '##42', '!=', 'e', 'foo_bar', 'é', 'cafe', 'résumé'];
const tokens = [...new Set([...special, ...words, ...characters, ...characters.map((c) => `##${c}`)])];
/** Tokens of the WordPiece and WordLevel models here. */
export const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));

const wordPiece = { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab };
/** The WordLevel model. */
export const wordLevel = { type: 'WordLevel', unk_token: '[UNK]', vocab };
/** A pre-tokenizer Digits. */
export const digits = (individual: boolean) => ({ type: 'Digits', individual_digits: individual });
/** A pre-tokenizer Punctuation. */
export const punctuation = (behavior: string) => ({ type: 'Punctuation', behavior });
/** A Sequence of pre-tokenizers. */
export const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
/** Pre-tokenizers without options. */
export const [bert, whitespace, whitespaceSplit] = ['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit'].map((type) => ({ type })) as [
  object,
  object,
  object,
];

const processor = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: '[CLS]', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '[SEP]', type_id: 0 } },
  ],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] } },
};

/** Added tokens that are found in the text. */
export const added = ['[MASK]', '=a', 'a.', '1x'].map((content, i) => addedToken(content, vocab[content] ?? tokens.length + i - 1));
/** Added tokens that are found in normalized text. */
export const addedNormalized = [
  addedToken('Éa=', tokens.length, { normalized: true }),
  addedToken('1X', tokens.length + 1, { normalized: true, single_word: true }),
];

/** A tokenizer.json with `changes`; without any, BERT's. */
export function json(changes: object): string {
  const rest = { truncation: null, padding: null, added_tokens: [], normalizer: bertNormalizer(), pre_tokenizer: bert };
  return JSON.stringify({ version: '1.0', ...rest, post_processor: processor, decoder: null, model: wordPiece, ...changes });
}

/** A Sequence of normalizers without options. */
export const normalizers = (...types: string[]) => ({ type: 'Sequence', normalizers: types.map((type) => ({ type })) });

const phrases = [
  '2\u08e0\u{1d15e}',
  'hello',
  'Héllo ',
  'worlds',
  'foo_bar',
  '==a=',
  '!=',
  '..',
  '42',
  '1x',
  'Éa=',
  '[MASK]',
  '½',
  'x²',
  '=\u0316a\u0316',
  '1\u0316',
  'Ⅳ',
  '𝟘',
  '(a)',
];

function generated(seed: number, count: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => randomText(random, 14, phrases, formKinds));
}

/** A test a kind against the reference on generated strings, `count` of them or 20,000 in a full run, and one in slices. */
export function testKinds(t: ReturnType<typeof suite>, kinds: Readonly<Record<string, object>>, count: number): void {
  for (const [name, changes] of Object.entries(kinds)) {
    t(`tokenizes generated strings as the reference: ${name}`, async () => {
      const text = json(changes);
      const texts = generated(7, isFull ? 20_000 : count);
      const differences = await compareWithOracle(createTokenizer({ tokenizerJson: text }), makeOracle(text), texts);
      assert.is(differences.length, 0, differences.join('\n'));
    });

    t(`tokenizes in slices as at once: ${name}`, () => {
      const tokenizer = createTokenizer({ tokenizerJson: json(changes) });
      const text = generated(8, isFull ? 400 : 150).join('');
      const whole = tokenizer.encode(text, { offsets: true });
      for (const units of [1, 1000]) {
        const task = tokenizer.startEncoding(text, { offsets: true });
        while (!task.run(units));
        const sliced = task.finish();
        assert.equal(sliced.ids, whole.ids);
        assert.equal(sliced.offsets, whole.offsets);
      }
    });
  }
}
