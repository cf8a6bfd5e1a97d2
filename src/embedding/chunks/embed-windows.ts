import { startCall } from '../../calls/call.js';
import { computeTexts } from '../../calls/compute.js';
import { requireModel, requireString } from '../../calls/inputs.js';
import { callSchema, promptSchema, type CallOptions, type PromptOptions } from '../../calls/options.js';
import { TextReader, type TextModel } from '../../calls/text-reader.js';
import { wrongArgument } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { flag, integer, tokenLimit } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { Encoding, Tokenizer } from '../../tokenizer/index.js';
import { normalizeInPlace } from '../../vectors/similarity.js';

/** A piece of a text that fits a model. */
export interface Chunk {
  /** `source.slice(start, end)` */
  readonly text: string;
  /** In UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Tokens of the chunk when it is read alone, special tokens and prompt included; of a window, as it was cut. */
  readonly tokens: number;
}

/** Options of `embedWindows`; a prompt stands before each window. */
export interface WindowOptions extends CallOptions, PromptOptions {
  /** Longest window in tokens, special tokens and the prompt included. Default: the model's limit. */
  readonly maxTokens?: number | undefined;
  /** Tokens that neighbouring windows share. Default 0. */
  readonly overlap?: number | undefined;
  /** Scale vectors to length 1. Default: as the model says. */
  readonly normalize?: boolean | undefined;
}

/** A chunk and its vector. */
export interface EmbeddedChunk extends Chunk {
  readonly vector: Float32Array;
}

/** A long text as vectors. */
export interface EmbeddedWindows {
  /** The mean of the windows' vectors, each with the weight of its tokens. */
  readonly vector: Float32Array;
  readonly windows: readonly EmbeddedChunk[];
}

/**
 * Embeds a text of any length: a vector for each window, and one for the whole. Prompts and lower case are those of `embed`: a text of one
 * window has the vector that `embed` gives it, and a longer one begins every window with the tokens of the prompt.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH (no room between special tokens and overlap), INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 */
export async function embedWindows(model: Model, text: string, options?: WindowOptions): Promise<EmbeddedWindows> {
  requireModel(model, 'embedWindows');
  const [call, settings] = startCall('embedWindows', model, options, {
    ...callSchema,
    ...promptSchema,
    maxTokens: tokenLimit(),
    overlap: integer(0, 1 << 20),
    normalize: flag,
  });
  requireString(text, 'the text of embedWindows');
  const { maxTokens, overlap = 0, prompt, promptName } = settings;
  const limits = { maxLength: maxTokens, prompt, promptName };
  const reader = new TextReader('embedWindows', model, limits, { offsets: true, stride: overlap });
  const { normalizes, normalizedEmbedding, sentenceEmbedding, embeddingDimension } = model.values;
  const isNormalized = settings.normalize ?? normalizes;
  const encodings: Encoding[] = [];
  const { rows } = await computeTexts(call, reader, [text], [isNormalized ? normalizedEmbedding : sentenceEmbedding], (first) => {
    encodings.push(first, ...first.overflowing);
    return encodings;
  });
  const total = encodings.reduce((sum, { length }) => sum + length, 0);
  const budget = new Budget(settings.signal, settings.priority);
  const vector = new Float32Array(embeddingDimension);
  const windows: EmbeddedChunk[] = [];
  for (const [i, window] of encodings.entries()) {
    const own = rows[i]![0]!.slice();
    own.forEach((value, k) => (vector[k]! += (value * window.length) / total));
    windows.push({ ...(toChunk(text, window) ?? { text: '', start: 0, end: 0, tokens: window.length }), vector: own });
    if (budget.isSpent) await budget.yield();
  }
  if (isNormalized) normalizeInPlace(vector);
  call.finish();
  return { vector, windows };
}

/** What there is to know of a tokenizer, or a model, for reading texts. Errors: INVALID_ARG. */
export function textModel(source: Tokenizer | Model): TextModel {
  const isModel = source !== null && typeof source === 'object' && 'tokenizer' in source;
  const tokenizer = isModel ? source.tokenizer : source;
  if (typeof (tokenizer as Partial<Tokenizer> | undefined | null)?.startEncoding !== 'function')
    throw wrongArgument('a tokenizer or a model for chunkText', source);
  return isModel ? source : { tokenizer, maxTokens: tokenizer.maxLength, config: { maxSequenceLength: Infinity } };
}

/** From the first to the last token that stands for text; undefined where there is none. */
function toChunk(text: string, { offsets, specialTokensMask, length }: Encoding): Chunk | undefined {
  // Tokens of the prompt lie before the text: they end at 0.
  const isText = (token: number) => specialTokensMask[token] === 0 && offsets![2 * token + 1]! > 0;
  let first = 0;
  while (first < length && !isText(first)) first++;
  if (first === length) return undefined;
  let last = length - 1;
  while (!isText(last)) last--;
  const [start, end] = [offsets![2 * first]!, offsets![2 * last + 1]!];
  return { text: text.slice(start, end), start, end, tokens: length };
}
