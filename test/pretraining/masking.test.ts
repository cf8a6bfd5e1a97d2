import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import {
  googlePredictions,
  Masking,
  tokensAsWords,
  withWholeWords,
  wordsByOffset,
  wordsByPrefix,
  type MaskingOptions,
  type TokenWords,
} from '../../src/training/collators/masking.js';
import { Random } from '../../src/training/datasets/random.js';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import { codeOf } from '../support/checkpoint-files.js';

const t = suite('masking');

interface WordCase {
  readonly text: string;
  readonly tokens: readonly string[];
  readonly offsets: readonly (readonly [number, number])[];
  readonly special: readonly number[];
  readonly words_by_offset: readonly (readonly number[])[];
  readonly words_by_prefix: readonly (readonly number[])[];
  readonly first_tokens_drawn: readonly number[];
  readonly masked: readonly number[];
}

interface Golden {
  readonly whole_word_cases: readonly WordCase[];
  readonly google_predictions_per_sequence: {
    readonly masked_lm_prob: number;
    readonly max_predictions_per_seq: number;
    readonly by_length: Readonly<Record<string, number>>;
  };
  readonly transformers_collator: Readonly<Record<string, { readonly settings: Readonly<Record<string, number>> }>>;
  readonly expected: { readonly tolerance_over_a_million_tokens: Readonly<Record<'selected' | 'mask' | 'random' | 'kept', number>> };
}

// masking.json of the reference set: transformers 5.24's collator and google-research's grouping.
const golden = JSON.parse(readFileSync(goldenTraining('masking.json'), 'utf8')) as Golden;

function groupsOf(words: TokenWords): number[][] {
  const groups: number[][] = [];
  words.forEach((word, token) => {
    if (word >= 0) (groups[word] ??= []).push(token);
  });
  return groups;
}

for (const [index, expected] of golden.whole_word_cases.entries()) {
  t(`tokens form the words that transformers and google-research see, and a word is masked whole: case ${index}`, () => {
    const isSpecial = (token: number): boolean => expected.special[token] === 1;
    const byOffset = wordsByOffset(expected.offsets.flat(), isSpecial);
    assert.equal(groupsOf(byOffset), expected.words_by_offset, expected.text);
    assert.equal(groupsOf(wordsByPrefix(expected.tokens, isSpecial)), expected.words_by_prefix, expected.text);
    const drawn = Uint8Array.from(expected.tokens, (_, token) => (expected.first_tokens_drawn.includes(token) ? 1 : 0));
    const selected = [...withWholeWords(byOffset, drawn).keys()].filter((token) => withWholeWords(byOffset, drawn)[token] === 1);
    assert.equal(selected, expected.masked, expected.text);
  });
}

t("google's number of predictions rounds halves to even", () => {
  const { masked_lm_prob, max_predictions_per_seq, by_length } = golden.google_predictions_per_sequence;
  for (const [length, count] of Object.entries(by_length)) {
    assert.is(googlePredictions(Number(length), masked_lm_prob, max_predictions_per_seq), count, length);
  }
});

const kVocabSize = 30_522;
const kMaskId = 103;
const kLength = 512;

/** Masks a million random tokens, [CLS] and [SEP] around each 510, and counts what became of them. */
function shares(options: MaskingOptions, sequences = 2000) {
  const masking = new Masking({ maskId: kMaskId, vocabSize: kVocabSize }, options);
  const words = tokensAsWords(kLength, (token) => token === 0 || token === kLength - 1);
  const draw = new Random(7);
  const counts = { selected: 0, mask: 0, random: 0, kept: 0 };
  for (let sequence = 0; sequence < sequences; sequence++) {
    const ids = Int32Array.from(words, (word) => (word < 0 ? 101 : 1000 + draw.below(kVocabSize - 1000)));
    const before = ids.slice();
    const { selected, labels } = masking.apply(ids, words, new Random(5, 0, sequence));
    assert.equal(labels, [...selected.map((token) => before[token])]);
    const isSelected = new Set(selected);
    for (let token = 0; token < kLength; token++) {
      if (!isSelected.has(token)) {
        if (ids[token] !== before[token]) throw new Error(`token ${token} changed without being selected`);
        continue;
      }
      if (words[token]! < 0) throw new Error('a special token was selected');
      counts.selected++;
      if (ids[token] === kMaskId) counts.mask++;
      else if (ids[token] === before[token]) counts.kept++;
      else counts.random++;
    }
  }
  const { selected, mask, random, kept } = counts;
  return { selected: selected / (sequences * (kLength - 2)), mask: mask / selected, random: random / selected, kept: kept / selected };
}

for (const [name, { settings }] of Object.entries(golden.transformers_collator)) {
  t(`shares over a million tokens are those that were asked for: ${name}`, () => {
    const { mlm_probability: predict = 0.15, mask_replace_prob: mask = 0.8, random_replace_prob: random = 0.1 } = settings;
    const got = shares({ mlmProbability: predict, maskReplaceProb: mask, randomReplaceProb: random });
    const tolerance = golden.expected.tolerance_over_a_million_tokens;
    const expected = { selected: predict, mask, random, kept: 1 - mask - random };
    for (const what of ['selected', 'mask', 'random', 'kept'] as const) {
      assert.ok(Math.abs(got[what] - expected[what]) <= tolerance[what], `${what}: ${got[what]}, expected ${expected[what]}`);
    }
  });
}

t("google's rule predicts exactly its number of tokens, whole words where asked for, each replaced for itself", () => {
  const masking = new Masking({ maskId: kMaskId, vocabSize: kVocabSize }, { maskingRule: 'google', wholeWordMask: true });
  const words = wordsByPrefix(
    Array.from({ length: 100 }, (_, token) => (token % 3 === 1 ? 'a' : '##b')),
    (token) => token === 0 || token === 99,
  );
  let kept = 0;
  for (let seed = 0; seed < 200; seed++) {
    const ids = new Int32Array(100).fill(2000);
    const { selected } = masking.apply(ids, words, new Random(seed));
    // Words of three tokens fill the 15 exactly; the last word has two.
    assert.ok(selected.length === 15 || selected.length === 14, `${selected.length}`);
    const chosen = new Set(selected.map((token) => words[token]));
    assert.is(words.filter((word) => word >= 0 && chosen.has(word)).length, selected.length, 'whole words');
    kept += selected.filter((token) => ids[token] === 2000).length;
  }
  assert.ok(kept > 200 && kept < 400, `${kept} of 3000 tokens are kept`);
});

t('a draw depends on its numbers alone', () => {
  const masking = new Masking({ maskId: kMaskId, vocabSize: kVocabSize }, {});
  const words = tokensAsWords(64, () => false);
  const draw = (): number[] => {
    const ids = new Int32Array(64).fill(2000);
    masking.apply(ids, words, new Random(1, 2, 3));
    return [...ids];
  };
  assert.equal(draw(), draw());
});

t('shares that do not fit are refused', () => {
  const vocabulary = { maskId: kMaskId, vocabSize: kVocabSize };
  assert.is(
    codeOf(() => new Masking(vocabulary, { mlmProbability: 1.5 })),
    'INVALID_OPTION',
  );
  assert.is(
    codeOf(() => new Masking(vocabulary, { maskReplaceProb: 0.8, randomReplaceProb: 0.3 })),
    'INVALID_OPTION',
  );
  assert.is(
    codeOf(() => new Masking(vocabulary, { wholeWordMask: true, maskReplaceProb: 0.8 })),
    'INVALID_OPTION',
  );
  assert.is(
    codeOf(() => new Masking(vocabulary, { maxPredictionsPerSequence: 0 })),
    'INVALID_OPTION',
  );
});

t.run();
