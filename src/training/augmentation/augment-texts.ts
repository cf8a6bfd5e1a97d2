import { unexpected, wrongArgument } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { abortSignal, integer, readOptions } from '../../options.js';
import { fillMask, type FilledText, type MaskCandidate } from '../../tasks/fill-mask.js';
import { Random } from '../datasets/random.js';
import { describeRow, type Row } from '../datasets/row.js';

/** Options of `augmentTexts`. */
export interface AugmentOptions {
  /** The column of texts. Default 'text'. */
  readonly column?: string;
  /** Changed copies of each row. Default 1: with more, the rows as they are have less than half of the weight. */
  readonly copies?: number;
  /** Words of a text that are replaced in a copy; fewer where it has fewer. Default: one in ten, at least one. */
  readonly words?: number;
  /** A word is drawn from so many likeliest ones, by how likely the model holds them. Default 5. */
  readonly topK?: number;
  /** Default 42. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

const schema = {
  column: (value: unknown, name: string): string => {
    if (typeof value === 'string') return value;
    throw unexpected('INVALID_OPTION', `the name of a column for ${name}`, typeof value);
  },
  copies: integer(1, 1000),
  words: integer(1, 1000),
  topK: integer(1, 50),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  signal: abortSignal,
};

/** Texts that are computed at once. */
const kBatch = 64;
/** The share of words that Wei and Zou 2019 (EDA) replace: of more, labels no longer hold. */
const kShare = 0.1;
const kWholeWord = /^[\p{L}\p{M}\p{N}]+$/u;

/**
 * Rows and changed copies of them, in which a masked-word model has replaced words, one after the other; all other columns, labels among them, stay. What is
 * drawn is a function of the seed and of each row's place. A word is drawn by its probability among the likeliest, as Kobayashi 2018 does.
 *
 * Errors: NO_HEAD, DATASET (a row without text), INVALID_OPTION; those of `fillMask`; the signal's reason.
 *
 * @example
 * const rows = await augmentTexts(await loadModel('path/to/bert'), [{ text: 'a moving film', label: 'good' }], { copies: 4 });
 */
export async function augmentTexts<R extends Row>(model: Model, rows: readonly R[], options?: AugmentOptions): Promise<R[]> {
  const { column = 'text', copies = 1, words, topK = 5, seed = 42, signal } = readOptions('augmentTexts', options, schema);
  const mask = model.tokenizer.maskId === undefined ? '[MASK]' : (model.tokenizer.idToToken(model.tokenizer.maskId) ?? '[MASK]');
  if (!Array.isArray(rows)) throw wrongArgument('a list of rows for augmentTexts', rows);
  const drafts = rows.flatMap((row, index) => {
    const text = (row as Row | null | undefined)?.[column];
    if (typeof text !== 'string')
      throw unexpected('DATASET', `text in ${JSON.stringify(column)} of ${describeRow(row, index)}`, typeof text);
    const wanted = words ?? Math.max(1, Math.floor(kShare * wordsWithin(model, text, mask).length));
    return Array.from({ length: copies }, (_, copy) => ({
      row,
      text,
      wanted,
      random: new Random(seed, index, copy),
      changed: new Set<number>(),
    }));
  });
  const rounds = drafts.reduce((most, { wanted }) => Math.max(most, wanted), 0);
  for (let round = 0; round < rounds; round++) {
    const asked = drafts.flatMap((draft) => {
      if (round >= draft.wanted) return [];
      const places = wordsWithin(model, draft.text, mask).filter(({ place }) => !draft.changed.has(place));
      if (places.length === 0) return [];
      const { match, place } = places[draft.random.below(places.length)]!;
      draft.changed.add(place);
      const [before, after] = [draft.text.slice(0, match.index), draft.text.slice(match.index + match[0].length)];
      return [
        {
          draft,
          before,
          after,
          word: match[0],
          masked: `${before}${mask}${after}`,
          // Masks that the text itself holds come before it.
          number: before.split(mask).length - 1,
        },
      ];
    });
    for (let begin = 0; begin < asked.length; begin += kBatch) {
      const part = asked.slice(begin, begin + kBatch);
      const masked = part.map((each) => each.masked);
      // The word itself, and pieces of words, are no replacement.
      const filled = await fillMask(model, masked, {
        topK: Math.min(4 * topK, model.config.vocabSize),
        onTruncate: 'truncate',
        ...(signal && { signal }),
      });
      part.forEach(({ draft, before, after, word, number }, i) => {
        const choices = candidatesOf(filled[i]!, number)
          .filter(({ tokenStr }) => tokenStr.toLowerCase() !== word.toLowerCase())
          .slice(0, topK);
        if (choices.length > 0) draft.text = `${before}${drawn(choices, draft.random.uniform())}${after}`;
      });
    }
  }
  return [...rows, ...drafts.map(({ row, text }) => ({ ...row, [column]: text }))];
}

/** The words of a text that the model sees whole, with their places among all words; a mask is none. */
function wordsWithin(model: Model, text: string, mask: string): { readonly match: RegExpExecArray; readonly place: number }[] {
  const { offsets, truncated } = model.tokenizer.encode(text, { truncation: true, maxLength: model.maxTokens, offsets: true });
  const end = truncated ? offsets!.reduce((last, offset) => Math.max(last, offset), 0) : text.length;
  return [...text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)]
    .map((match, place) => ({ match, place }))
    .filter(({ match: { 0: word, index } }) => index + word.length <= end && !isInMask(text, index, word, mask));
}

function isInMask(text: string, index: number, word: string, mask: string): boolean {
  const inside = mask.indexOf(word);
  return inside >= 0 && text.startsWith(mask, index - inside);
}

function candidatesOf({ masks }: FilledText, number: number): MaskCandidate[] {
  return (masks[number]?.candidates ?? []).filter(({ tokenStr }) => kWholeWord.test(tokenStr));
}

/** The word that a number from 0 to 1 falls on, each as wide as it is likely. */
function drawn(choices: readonly MaskCandidate[], uniform: number): string {
  let left = uniform * choices.reduce((sum, { score }) => sum + score, 0);
  const chosen = choices.find(({ score }) => (left -= score) < 0) ?? choices[0]!;
  return chosen.tokenStr;
}
