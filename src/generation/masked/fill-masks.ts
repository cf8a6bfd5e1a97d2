import { computeRows } from '../../calls/compute.js';
import { readInputs, type TextInput } from '../../calls/inputs.js';
import type { TaskOptions } from '../../calls/options.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { TARGETS_PER_ROW } from '../../models/program/program.js';
import { computeHead, headTask, readTexts, reportOf, type TaskFunction, type TaskReport } from '../../tasks/task.js';
import type { Encoding } from '../../tokenizer/index.js';
import { gibbs, groupsOf, maskPredict, type ComputeLogits, type MaskedVocabulary, type WrittenText } from './fill.js';
import { fillMasksSchema, pseudoLikelihoodSchema } from './schemas.js';

/** Options of `fillMasks`. */
export interface FillMasksOptions extends TaskOptions {
  /**
   * `'mask-predict'`: all masks at once, the least certain again, in rounds; `'gibbs'`: drawn at random one after the other, in sweeps.
   * Default: `'mask-predict'`.
   */
  readonly method?: 'mask-predict' | 'gibbs' | undefined;
  /** Rounds of mask-predict. Default 10. */
  readonly iterations?: number | undefined;
  /** Sweeps of Gibbs sampling. Default 10. */
  readonly sweeps?: number | undefined;
  /** Seed of the draws of Gibbs sampling, 0 to 2^53 - 1. Default: a random one, which the result has. */
  readonly seed?: number | undefined;
  /** Divides the logits before a draw of Gibbs sampling, above 0. Default 1. */
  readonly temperature?: number | undefined;
  /** Draws among the so many likeliest words; 0: among all. Default 0. */
  readonly topK?: number | undefined;
}

/** A text whose masks are words. */
export interface FilledMasks extends TaskReport {
  /** Without special tokens. */
  readonly text: string;
  readonly ids: readonly number[];
  /** The masks' places among the tokens. */
  readonly positions: readonly number[];
  /** The words written there. */
  readonly words: readonly string[];
  /** Of each word when it was written; of mask-predict alone. */
  readonly logProbabilities?: readonly number[];
  /** Of Gibbs sampling alone: the seed that writes the same again. */
  readonly seed?: number;
}

/** How likely a masked model finds a text, and each of its tokens. */
export interface PseudoLikelihood extends TaskReport {
  /** The sum over all tokens but the special ones. */
  readonly logLikelihood: number;
  readonly scores: readonly { readonly position: number; readonly token: string; readonly logProbability: number }[];
}

const kMethodOptions = { 'mask-predict': ['iterations'], gibbs: ['sweeps', 'seed', 'temperature', 'topK'] } as const;

/**
 * Fills all masks of a text so that they fit together: by mask-predict (Ghazvininejad et al. 2019) or by Gibbs sampling (Wang and Cho 2019). How long the text is
 * the caller says by the number of masks; special tokens are never written. A model trained on masks is no language model: it is fluent in pieces.
 *
 * Errors: NO_HEAD, NO_MASK (names the index), INVALID_ARG, INVALID_OPTION (an option of the other method too), MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and
 * those of `forward`.
 *
 * @example
 * const { text } = await fillMasks(model, 'The [MASK] [MASK] over the lazy dog.', { method: 'gibbs', sweeps: 20, seed: 7 });
 */
export const fillMasks: TaskFunction<TextInput, FillMasksOptions, FilledMasks> = headTask(
  'fillMasks',
  'maskedLm',
  fillMasksSchema,
  async ({ model, head, call, settings }, unchecked) => {
    const inputs = readInputs('fillMasks', unchecked);
    const { method = 'mask-predict', iterations = 10, sweeps = 10, temperature = 1, topK = 0 } = settings;
    refuseOthers(method, settings);
    const seed = settings.seed ?? Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    const vocabulary = vocabularyOf(model);
    const encodings = await readTexts(call, inputs, settings);
    const texts = encodings.map((encoding, index) => ({
      ids: Int32Array.from(encoding.ids),
      typeIds: encoding.typeIds,
      masked: masksOf(encoding, vocabulary.maskId, model, index),
    }));
    const compute: ComputeLogits = async (wanted) => (await computeRows(call, wanted, [head.logits])).map(([rows]) => rows!);
    const written: WrittenText[] = [];
    for (const group of groupsOf(texts, vocabulary.vocabSize)) {
      written.push(
        ...(method === 'gibbs'
          ? await gibbs(group, { sweeps, seed, temperature, topK }, vocabulary, compute)
          : await maskPredict(group, iterations, vocabulary, compute)),
      );
    }
    return written.map(({ ids, logProbabilities }, i) => {
      const positions = texts[i]!.masked;
      const { tokenizer } = model;
      const words = positions.map((position) => tokenizer.decode([ids[position]!]));
      const text = tokenizer.decode(ids, { skipSpecialTokens: true });
      const more = logProbabilities === undefined ? { seed } : { logProbabilities };
      return { text, ids: Array.from(ids), positions, words, ...more, ...reportOf(encodings[i]!) };
    });
  },
);

/**
 * The pseudo-log-likelihood of a text (Salazar et al. 2020): each token is masked in turn, and the logarithms of its probabilities are summed. What masked
 * models are good at: telling which of several texts of about one length reads better.
 *
 * Errors: as `fillMasks`, but for NO_MASK.
 *
 * @example
 * const [right, wrong] = await pseudoLogLikelihood(model, ['She has eaten.', 'She have eaten.']); // right.logLikelihood > wrong.logLikelihood
 */
export const pseudoLogLikelihood: TaskFunction<TextInput, TaskOptions, PseudoLikelihood> = headTask(
  'pseudoLogLikelihood',
  'maskedLm',
  pseudoLikelihoodSchema,
  async ({ model, head, call, settings }, unchecked) => {
    const inputs = readInputs('pseudoLogLikelihood', unchecked);
    const { tokenizer } = model;
    const { maskId } = vocabularyOf(model);
    const special = new Set(tokenizer.specialTokens.map((token) => tokenizer.tokenToId(token)));
    const places: number[][] = [];
    const { encodings, rows } = await computeHead(call, inputs, settings, {
      values: [head.targets],
      sequencesOf: ({ ids, typeIds }, index) => {
        const positions = Array.from(ids.keys()).filter((position) => !special.has(ids[position]));
        places[index] = positions;
        return positions.map((position) => {
          const targets = new Int32Array(TARGETS_PER_ROW).fill(ids[position]!);
          return { ids: ids.with(position, maskId), typeIds, selected: Int32Array.of(position), targets };
        });
      },
    });
    let row = 0;
    return encodings.map((encoding, i) => {
      const scores = places[i]!.map((position) => {
        const [values] = rows[row++]!;
        return { position, token: tokenizer.idToToken(encoding.ids[position]!) ?? '', logProbability: values![1]! - values![0]! };
      });
      return { logLikelihood: scores.reduce((sum, { logProbability }) => sum + logProbability, 0), scores, ...reportOf(encoding) };
    });
  },
);

/** Errors: NO_HEAD for a tokenizer without a mask. */
function vocabularyOf({ tokenizer, config }: Model): MaskedVocabulary {
  const { maskId } = tokenizer;
  if (maskId === undefined) throw unexpected('NO_HEAD', 'a tokenizer with a mask', 'one without');
  const special = new Set(tokenizer.specialTokens.map((token) => tokenizer.tokenToId(token)));
  const isForbidden = (id: number): boolean => special.has(id) || tokenizer.idToToken(id) === undefined;
  const forbidden = Uint8Array.from({ length: config.vocabSize }, (_, id) => Number(isForbidden(id)));
  return { maskId, vocabSize: config.vocabSize, isForbidden: (id) => forbidden[id] === 1 };
}

function masksOf({ ids, truncated }: Encoding, maskId: number, { tokenizer }: Model, index: number): readonly number[] {
  const masked = Array.from(ids.keys()).filter((position) => ids[position] === maskId);
  if (masked.length > 0) return masked;
  const mask = tokenizer.idToToken(maskId) ?? '[MASK]';
  const got = truncated ? 'none within its length limit' : 'none';
  throw unexpected('NO_MASK', `at least one ${mask} in the text at index ${index}`, got, { hint: `Put ${mask} where words are wanted.` });
}

function refuseOthers(method: keyof typeof kMethodOptions, settings: Partial<Record<string, unknown>>): void {
  const other = method === 'gibbs' ? 'mask-predict' : 'gibbs';
  const wrong = kMethodOptions[other].find((name) => settings[name] !== undefined);
  if (wrong !== undefined) throw wrongOption(`method: '${other}' beside ${wrong} for fillMasks`, settings[wrong]);
}
