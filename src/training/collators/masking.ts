import { unexpected } from '../../expected.js';
import type { Random } from '../datasets/random.js';

/** Which tokens are to be predicted, and what stands in their place; names and defaults are transformers' and google-research's. */
export interface MaskingOptions {
  /**
   * 'transformers' (default) draws each token by itself; 'google' takes as near to the share of each sequence as whole tokens allow, at
   * least one.
   */
  readonly maskingRule?: MaskingRule | undefined;
  /** Share of tokens to be predicted. Default 0.15. */
  readonly mlmProbability?: number | undefined;
  /** Share of these that become [MASK]. Default 0.8. */
  readonly maskReplaceProb?: number | undefined;
  /** Share of these that become any token of the vocabulary. Default 0.1; the rest stays as it is. */
  readonly randomReplaceProb?: number | undefined;
  /**
   * Predict all tokens of a word or none. Default false. By transformers' rule a word goes on as long as no character lies between its
   * tokens, and all of it becomes [MASK]; by google's it goes on with `##`, and each token is replaced for itself.
   */
  readonly wholeWordMask?: boolean | undefined;
  /** By google's rule: the most tokens of a sequence. Default 20. */
  readonly maxPredictionsPerSequence?: number | undefined;
}

/** How masked tokens are chosen: as transformers' collator does, or as Google's BERT did. */
export type MaskingRule = 'transformers' | 'google';

/** Numbers of the words that tokens belong to, [tokens]; -1 for special tokens. */
export type TokenWords = Int32Array;

/** Words as transformers' whole-word masking groups tokens: one goes on while no character lies between. `offsets`: [2 · tokens]. */
export function wordsByOffset(offsets: ArrayLike<number>, isSpecial: (token: number) => boolean): TokenWords {
  return wordsOf(offsets.length / 2, isSpecial, (token) => offsets[2 * token] === offsets[2 * token - 1]);
}

/** Words as google-research groups tokens: one goes on with tokens that begin with `##`. */
export function wordsByPrefix(tokens: readonly string[], isSpecial: (token: number) => boolean): TokenWords {
  return wordsOf(tokens.length, isSpecial, (token) => tokens[token]!.startsWith('##'));
}

/** Words of tokens: one goes on where `goesOn` says so of a token behind another that is not special. */
export function wordsOf(count: number, isSpecial: (token: number) => boolean, goesOn: (token: number) => boolean): TokenWords {
  const words = new Int32Array(count).fill(-1);
  let word = -1;
  for (let token = 0; token < count; token++) {
    if (isSpecial(token)) continue;
    const isFirst = token === 0 || words[token - 1] === -1;
    words[token] = isFirst || !goesOn(token) ? ++word : word;
  }
  return words;
}

/** How many tokens of a sequence google's rule predicts: the share of them, halves to the even number, at least one. */
export function googlePredictions(tokens: number, share = 0.15, most = 20): number {
  const exact = tokens * share;
  const below = Math.floor(exact);
  const isUp = exact - below > 0.5 || (exact - below === 0.5 && below % 2 === 1);
  return Math.min(most, Math.max(1, isUp ? below + 1 : below));
}

/** The ids that masking writes. */
export interface MaskingVocabulary {
  readonly maskId: number;
  readonly vocabSize: number;
}

/** Draws which tokens of sequences are to be predicted. */
export class Masking {
  readonly wholeWords: boolean;
  readonly rule: MaskingRule;
  readonly #shares: Readonly<{ predict: number; mask: number; random: number }>;
  readonly #most: number;
  readonly #vocabulary: MaskingVocabulary;

  /** Errors: INVALID_OPTION for shares that do not fit. */
  constructor(vocabulary: MaskingVocabulary, options: MaskingOptions) {
    const {
      maskingRule = 'transformers',
      wholeWordMask = false,
      mlmProbability: predict = 0.15,
      maxPredictionsPerSequence: most = 20,
    } = options;
    const isAllMask = wholeWordMask && maskingRule === 'transformers';
    const { maskReplaceProb: mask = isAllMask ? 1 : 0.8, randomReplaceProb: random = isAllMask ? 0 : 0.1 } = options;
    const fits = [predict, mask, random].every((share) => share >= 0 && share <= 1) && mask + random <= 1 + 1e-9;
    if (!fits) {
      throw unexpected(
        'INVALID_OPTION',
        'shares of 0..1 for mlmProbability, maskReplaceProb and randomReplaceProb, the last two 1 at most together',
        `${predict}, ${mask} and ${random}`,
      );
    }
    if (isAllMask && mask < 1) {
      throw unexpected('INVALID_OPTION', 'maskReplaceProb 1 with wholeWordMask, as transformers does it,', String(mask), {
        hint: "maskingRule 'google' replaces the tokens of whole words one by one.",
      });
    }
    if (!['transformers', 'google'].includes(maskingRule)) {
      throw unexpected('INVALID_OPTION', "'transformers' or 'google' for maskingRule", String(maskingRule));
    }
    if (!Number.isInteger(most) || most < 1)
      throw unexpected('INVALID_OPTION', 'a whole number from 1 for maxPredictionsPerSequence', String(most));
    this.rule = maskingRule;
    this.wholeWords = wholeWordMask;
    this.#shares = { predict, mask, random };
    this.#most = most;
    this.#vocabulary = vocabulary;
  }

  /**
   * Draws for one sequence; `ids` [tokens] are replaced in place. `words` says which tokens belong together, and which are special.
   * Returns the tokens to be predicted, rising, and what they were.
   */
  apply(ids: Int32Array, words: TokenWords, random: Random): { readonly selected: readonly number[]; readonly labels: readonly number[] } {
    const { predict, mask, random: replace } = this.#shares;
    const isSelected = this.rule === 'google' ? this.#drawShare(ids.length, words, random) : drawEach(words, predict, random);
    const selected: number[] = [];
    const labels: number[] = [];
    for (let token = 0; token < ids.length; token++) {
      if (isSelected[token] === 0) continue;
      selected.push(token);
      labels.push(ids[token]!);
      const draw = random.uniform();
      if (draw < mask) ids[token] = this.#vocabulary.maskId;
      else if (draw < mask + replace) ids[token] = random.below(this.#vocabulary.vocabSize);
    }
    return { selected, labels };
  }

  /** google-research's rule: words in a random order, as long as they fit into the number of predictions. */
  #drawShare(count: number, words: TokenWords, random: Random): Uint8Array {
    const groups: number[][] = [];
    for (let token = 0; token < count; token++) {
      if (words[token]! < 0) continue;
      const isSame = token > 0 && words[token] === words[token - 1];
      if (isSame) groups.at(-1)!.push(token);
      else groups.push([token]);
    }
    for (let i = groups.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [groups[i], groups[j]] = [groups[j]!, groups[i]!];
    }
    const isSelected = new Uint8Array(count);
    let left = googlePredictions(count, this.#shares.predict, this.#most);
    for (const group of groups) {
      if (left === 0) break;
      if (group.length > left) continue;
      left -= group.length;
      for (const token of group) isSelected[token] = 1;
    }
    return isSelected;
  }
}

/** transformers' rule: every first token of a word is drawn by itself, and the word goes with it. */
function drawEach(words: TokenWords, share: number, random: Random): Uint8Array {
  const isDrawn = Uint8Array.from(words, (word, token) => (word >= 0 && word !== words[token - 1] && random.uniform() < share ? 1 : 0));
  return withWholeWords(words, isDrawn);
}

/** Adds to the first tokens that were drawn the rest of their words. */
export function withWholeWords(words: TokenWords, isDrawn: Uint8Array): Uint8Array {
  const isSelected = isDrawn.slice();
  for (let token = 1; token < words.length; token++) {
    if (words[token]! >= 0 && words[token] === words[token - 1]) isSelected[token] = isSelected[token - 1]!;
  }
  return isSelected;
}

/** Every token that is not special as a word of its own. */
export function tokensAsWords(count: number, isSpecial: (token: number) => boolean): TokenWords {
  return wordsOf(count, isSpecial, () => false);
}
