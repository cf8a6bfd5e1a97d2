import { unexpected } from '../expected.js';
import type { MaskedLmHead, Model } from '../models/index.js';
import { TARGETS_PER_ROW } from '../models/program/program.js';
import type { Encoding } from '../tokenizer/index.js';
import { descending } from './scoring/scores.js';
import { readInputs, type TextInput } from '../calls/inputs.js';
import type { TaskOptions } from '../calls/options.js';
import { fillMaskSchema } from './schemas.js';
import { computeHead, headTask, reportOf, type TaskFunction, type TaskReport } from './task.js';

/** Options of `fillMask`. */
export interface FillMaskOptions extends TaskOptions {
  /** Candidates for each mask. Default 5. */
  readonly topK?: number | undefined;
  /** Score only these words; each must be one token of the vocabulary, or its first token counts. Default: the whole vocabulary. */
  readonly targets?: readonly string[] | undefined;
}

/** A word for a mask. */
export interface MaskCandidate {
  /** Probability among the whole vocabulary. */
  readonly score: number;
  readonly token: number;
  /** Empty where the vocabulary has no such token: models are padded to round numbers of rows. */
  readonly tokenStr: string;
  /** The text with the word in place of the mask; with several masks the others stay, and so do the special tokens. */
  readonly sequence: string;
}

/** A mask and the words for it. */
export interface FilledMask {
  /** The mask's place among the tokens. */
  readonly position: number;
  /** The best candidate first. */
  readonly candidates: readonly MaskCandidate[];
}

/** The masks of one text, in order. */
export interface FilledText extends TaskReport {
  readonly masks: readonly FilledMask[];
}

interface Scored {
  readonly id: number;
  readonly score: number;
}

/**
 * Predicts the words behind every mask of a text. Only the rows of the masks meet the vocabulary, and only the best candidates leave
 * native memory.
 *
 * Errors: NO_HEAD, NO_MASK (names the index), INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 *
 * @example
 * const { masks } = await fillMask(model, 'Paris is the [MASK] of France.', { topK: 3 });
 * console.log(masks[0].candidates.map(({ tokenStr, score }) => [tokenStr, score]));
 */
export const fillMask: TaskFunction<TextInput, FillMaskOptions, FilledText> = headTask(
  'fillMask',
  'maskedLm',
  fillMaskSchema,
  async ({ model, head, call, settings }, unchecked) => {
    const inputs = readInputs('fillMask', unchecked);
    const targets = settings.targets === undefined ? undefined : targetIds(model, settings.targets);
    const topK = Math.min(settings.topK ?? 5, targets?.length ?? model.config.vocabSize);
    const reader = targets === undefined ? bestOfVocabulary(head, topK) : bestOfTargets(head, targets);
    const positions: (readonly number[])[] = [];
    const { encodings, rows } = await computeHead(call, inputs, settings, {
      values: [reader.value],
      sequencesOf: (encoding, i) => {
        const { ids, typeIds } = encoding;
        positions[i] = maskPositions(model, encoding, i);
        return [{ ids, typeIds, ...reader.select(positions[i]) }];
      },
    });
    return encodings.map((encoding, i) => {
      const masks = positions[i]!.map((position, m) => {
        const best = reader.read(rows[i]![0]!, m).slice(0, topK);
        return { position, candidates: best.map((each) => describe(model, encoding, position, each, positions[i]!.length === 1)) };
      });
      return { masks, ...reportOf(encoding) };
    });
  },
);

/** The ids that targets stand for, each once. Errors: INVALID_OPTION for one without any token. */
function targetIds({ tokenizer }: Model, targets: readonly string[]): number[] {
  if (targets.length === 0) throw unexpected('INVALID_OPTION', 'at least one word for fillMask option targets', 'none');
  const ids = targets.map((target) => {
    const id = tokenizer.tokenToId(target) ?? tokenizer.encode(target, { addSpecialTokens: false }).ids[0];
    if (id !== undefined) return id;
    throw unexpected('INVALID_OPTION', 'words of the vocabulary for fillMask option targets', JSON.stringify(target));
  });
  return [...new Set(ids)];
}

function maskPositions({ tokenizer }: Model, { ids, truncated }: Encoding, index: number): number[] {
  const positions: number[] = [];
  ids.forEach((id, i) => {
    if (id === tokenizer.maskId) positions.push(i);
  });
  if (positions.length > 0) return positions;
  const mask = tokenizer.maskId === undefined ? '[MASK]' : tokenizer.idToToken(tokenizer.maskId);
  const why = truncated ? 'none within its length limit' : 'none';
  throw unexpected('NO_MASK', `at least one ${mask} in the text at index ${index}`, why, { hint: `Put ${mask} where a word is wanted.` });
}

/** How candidates come back from native memory: which rows to ask for, and what a row says. */
interface CandidateReader {
  readonly value: MaskedLmHead['logits'];
  select(positions: readonly number[]): { readonly selected: Int32Array; readonly targets?: Int32Array };
  /** Candidates of the mask `mask` of a text, the best first. */
  read(rows: Float32Array, mask: number): Scored[];
}

function bestOfVocabulary({ topK, logits }: MaskedLmHead, wanted: number): CandidateReader {
  const select = (positions: readonly number[]) => ({ selected: Int32Array.from(positions) });
  const enough = topK.find(({ k }) => k >= wanted);
  if (enough !== undefined) {
    const { k, value } = enough;
    const read = (rows: Float32Array, mask: number) => {
      const [logSum, ...best] = rows.subarray(mask * value.width, (mask + 1) * value.width);
      return Array.from({ length: k }, (_, i) => ({ id: best[k + i]!, score: Math.exp(best[i]! - logSum!) }));
    };
    return { value, select, read };
  }
  const read = (rows: Float32Array, mask: number) => {
    const row = rows.subarray(mask * logits.width, (mask + 1) * logits.width);
    const peak = row.reduce((a, b) => Math.max(a, b));
    const logSum = peak + Math.log(row.reduce((sum, value) => sum + Math.exp(value - peak), 0));
    return descending(row)
      .slice(0, wanted)
      .map((id) => ({ id, score: Math.exp(row[id]! - logSum) }));
  };
  return { value: logits, select, read };
}

/** Each selected row carries a few targets; a mask with more of them is selected as often as needed. */
function bestOfTargets({ targets: value }: MaskedLmHead, ids: readonly number[]): CandidateReader {
  const repeats = Math.ceil(ids.length / TARGETS_PER_ROW);
  const padded = Array.from({ length: repeats * TARGETS_PER_ROW }, (_, i) => ids[i] ?? ids[0]!);
  const select = (positions: readonly number[]) => ({
    selected: Int32Array.from(positions.flatMap((position) => new Array<number>(repeats).fill(position))),
    targets: Int32Array.from(positions.flatMap(() => padded)),
  });
  const read = (rows: Float32Array, mask: number) => {
    const scores = ids.map((_, i) => {
      const row = (mask * repeats + Math.floor(i / TARGETS_PER_ROW)) * value.width;
      return Math.exp(rows[row + 1 + (i % TARGETS_PER_ROW)]! - rows[row]!);
    });
    return descending(scores).map((i) => ({ id: ids[i]!, score: scores[i]! }));
  };
  return { value, select, read };
}

function describe(
  { tokenizer }: Model,
  { ids }: Encoding,
  position: number,
  { id, score }: Scored,
  skipSpecialTokens: boolean,
): MaskCandidate {
  const hasToken = (each: number): boolean => each < tokenizer.vocabSize && tokenizer.idToToken(each) !== undefined;
  // As in transformers: [PAD] as a candidate leaves no trace in the sequence, nor does an id without a token.
  const filled = ids.with(position, id).filter((each) => each !== tokenizer.padId && hasToken(each));
  const tokenStr = hasToken(id) ? tokenizer.decode([id]) : '';
  return { score, token: id, tokenStr, sequence: tokenizer.decode(filled, { skipSpecialTokens }) };
}
