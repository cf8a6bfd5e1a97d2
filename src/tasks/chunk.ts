import { BerthaError } from '../errors.js';
import type { Model } from '../models/index.js';
import { abortSignal, flag, integer, readOptions, received } from '../options.js';
import type { Encoding, Tokenizer } from '../tokenizer/index.js';
import { normalizeInPlace } from '../vectors/similarity.js';
import { compute, encodeInputs, requireModel, requireRoom, requireString, taskSchema, type TaskOptions } from './task-call.js';
import { Turn } from '../runtime/turn.js';

/** Options of `chunkText`. */
export interface ChunkOptions {
  /** Longest chunk in tokens, special tokens included. Default: the model's limit. */
  readonly maxTokens?: number | undefined;
  /** Tokens that neighbouring chunks share. Default 0. */
  readonly overlap?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A piece of a text that fits a model. */
export interface Chunk {
  /** `source.slice(start, end)` */
  readonly text: string;
  /** In UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Tokens of the chunk as it was cut, special tokens included. */
  readonly tokens: number;
}

/** Options of `embedWindows`. */
export interface WindowOptions extends Omit<TaskOptions, 'maxLength' | 'onTruncate'> {
  readonly maxTokens?: number | undefined;
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

const kLongText = 1 << 14;

/**
 * Cuts a text into windows of exactly so many tokens, with overlap; together they hold every token. A text without tokens has no chunk.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH (no room between special tokens and overlap), INPUT_TOO_LARGE, the signal's reason.
 */
export async function chunkText(source: Tokenizer | Model, text: string, options?: ChunkOptions): Promise<Chunk[]> {
  const { maxTokens, overlap, signal } = readOptions('chunkText', options, {
    maxTokens: integer(1, 1 << 20),
    overlap: integer(0, 1 << 20),
    signal: abortSignal,
  });
  const tokenizer = tokenizerOf(source);
  const maxLength = maxTokens ?? (source as Partial<Model>).maxTokens ?? tokenizer.maxLength;
  requireString(text, 'the text of chunkText');
  signal?.throwIfAborted();
  const common = { truncation: true, offsets: true, stride: overlap ?? 0, ...(maxLength === undefined ? {} : { maxLength }) };
  const task = tokenizer.startEncoding(text, common);
  const turn = new Turn(signal);
  while (!task.run(kLongText)) if (turn.isOver) await turn.next();
  const first = task.finish();
  requireRoom([first], 'chunkText', maxLength);
  return [first, ...first.overflowing].flatMap((window) => toChunk(text, window) ?? []);
}

/**
 * Embeds a text of any length: a vector for each window, and one for the whole. Prompts are not put before the windows.
 *
 * Errors: as `chunkText`; DISPOSED, and those of `forward`.
 */
export async function embedWindows(model: Model, text: string, options?: WindowOptions): Promise<EmbeddedWindows> {
  requireModel(model, 'embedWindows');
  const { signal, priority, deadlineMs } = taskSchema;
  const settings = readOptions('embedWindows', options, {
    maxTokens: integer(1, 1 << 20),
    overlap: integer(0, 1 << 20),
    normalize: flag,
    signal,
    priority,
    deadlineMs,
  });
  requireString(text, 'the text of embedWindows');
  const maxLength = settings.maxTokens ?? model.maxTokens;
  const common = { offsets: true, stride: settings.overlap ?? 0 };
  const [first] = await encodeInputs(model, 'embedWindows', [{ text }], { ...settings, maxLength }, common);
  const encodings = [first!, ...first!.overflowing];
  const { normalizes, normalizedEmbedding, sentenceEmbedding, embeddingDimension } = model.values;
  const isNormalized = settings.normalize ?? normalizes;
  const rows = await compute(model, encodings, [isNormalized ? normalizedEmbedding : sentenceEmbedding], settings);
  const windows = encodings.map((window, i) => ({
    ...(toChunk(text, window) ?? { text: '', start: 0, end: 0, tokens: window.length }),
    vector: rows[i]![0]!.slice(),
  }));
  const total = windows.reduce((sum, { tokens }) => sum + tokens, 0);
  const vector = new Float32Array(embeddingDimension);
  for (const each of windows) each.vector.forEach((value, i) => (vector[i]! += (value * each.tokens) / total));
  if (isNormalized) normalizeInPlace(vector);
  return { vector, windows };
}

function tokenizerOf(source: Tokenizer | Model): Tokenizer {
  const tokenizer = source !== null && typeof source === 'object' && 'tokenizer' in source ? source.tokenizer : source;
  if (typeof (tokenizer as Partial<Tokenizer> | undefined | null)?.startEncoding === 'function') return tokenizer;
  throw new BerthaError('INVALID_ARG', `Expected a tokenizer or a model for chunkText but received ${received(source)}.`);
}

/** From the first to the last token that stands for text; undefined where there is none. */
function toChunk(text: string, { offsets, specialTokensMask, length }: Encoding): Chunk | undefined {
  const isText = (token: number) => specialTokensMask[token] === 0;
  let first = 0;
  while (first < length && !isText(first)) first++;
  if (first === length) return undefined;
  let last = length - 1;
  while (!isText(last)) last--;
  const [start, end] = [offsets![2 * first]!, offsets![2 * last + 1]!];
  return { text: text.slice(start, end), start, end, tokens: length };
}
