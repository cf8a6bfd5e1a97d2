import { promptSchema, TextReader, type TextModel } from '../../calls/text-reader.js';
import { wrongArgument } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { flag, integer, readOptions } from '../../options.js';
import type { Encoding, Tokenizer } from '../../tokenizer/index.js';
import { normalizeInPlace } from '../../vectors/similarity.js';
import { compute, readAll, requireModel, requireString, taskSchema, type CallSettings, type TaskOptions } from '../../tasks/task-call.js';
import { Turn } from '../../runtime/turn.js';

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

/** Options of `embedWindows`. */
export interface WindowOptions extends Omit<TaskOptions, 'maxLength' | 'onTruncate'> {
  readonly maxTokens?: number | undefined;
  readonly overlap?: number | undefined;
  /** Name of one of the model's prompts, put before each window. Default: the model's default prompt, if it has one. */
  readonly promptName?: string | undefined;
  /** A prompt of your own, put before each window as it is; `''` for none. Not together with `promptName`. */
  readonly prompt?: string | undefined;
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
  const { signal, priority, deadlineMs } = taskSchema;
  const settings = readOptions('embedWindows', options, {
    maxTokens: integer(1, 1 << 20),
    overlap: integer(0, 1 << 20),
    ...promptSchema,
    normalize: flag,
    signal,
    priority,
    deadlineMs,
  });
  requireString(text, 'the text of embedWindows');
  const reader = windowReader('embedWindows', model, settings);
  const encodings = await readWindows('embedWindows', text, settings, reader);
  const { normalizes, normalizedEmbedding, sentenceEmbedding, embeddingDimension } = model.values;
  const isNormalized = settings.normalize ?? normalizes;
  const sequences = encodings.map(({ ids, typeIds }) => ({ ids, typeIds, poolSkip: reader.poolSkip }));
  const rows = await compute(model, sequences, [isNormalized ? normalizedEmbedding : sentenceEmbedding], settings);
  const total = encodings.reduce((sum, { length }) => sum + length, 0);
  const turn = new Turn(settings.signal, settings.priority);
  const vector = new Float32Array(embeddingDimension);
  const windows: EmbeddedChunk[] = [];
  for (const [i, window] of encodings.entries()) {
    const own = rows[i]![0]!.slice();
    own.forEach((value, k) => (vector[k]! += (value * window.length) / total));
    windows.push({ ...(toChunk(text, window) ?? { text: '', start: 0, end: 0, tokens: window.length }), vector: own });
    if (turn.isOver) await turn.next();
  }
  if (isNormalized) normalizeInPlace(vector);
  return { vector, windows };
}

type WindowSettings = CallSettings & Pick<WindowOptions, 'maxTokens' | 'overlap' | 'prompt' | 'promptName'>;

function windowReader(call: string, model: TextModel, { maxTokens, overlap, prompt, promptName }: WindowSettings): TextReader {
  return new TextReader(call, model, { maxLength: maxTokens, prompt, promptName }, { offsets: true, stride: overlap ?? 0 });
}

/** All windows of a text. */
async function readWindows(call: string, text: string, settings: WindowSettings, reader: TextReader): Promise<Encoding[]> {
  const [first] = await readAll(reader, call, [{ text }], settings);
  return [first!, ...first!.overflowing];
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
