import { Call } from '../../calls/call.js';
import { requireModel, requireString } from '../../calls/inputs.js';
import { type Job, rowsOf, type Sequence } from '../../calls/job.js';
import { callSchema, limitSchema, type CallOptions } from '../../calls/options.js';
import { TextSource } from '../../calls/source.js';
import { asEncoding, TextReader } from '../../calls/text-reader.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { Model, Value } from '../../models/index.js';
import { type Check, oneOf, readOptions } from '../../options.js';
import type { BatchInputs } from '../../runtime/batch.js';
import { KeyedVectors } from '../queries/keyed-vectors.js';
import { wordSpans, wordsOption, type WordsOption } from './word-spans.js';
import { WordTokens } from './word-tokens.js';

/** Options of `wordVectors`. */
export interface WordVectorsOptions extends CallOptions {
  /** What the words of a text are. Default `'tokenizer'`. */
  readonly words?: WordsOption | undefined;
  /** The mean of a word's tokens (default), its first or its last one. */
  readonly pooling?: 'mean' | 'first' | 'last' | undefined;
  /** Layers: 0 is the embeddings, 1 the first layer, -1 the last one. Default -1. */
  readonly layers?: number | readonly number[] | undefined;
  /** What becomes of several layers: their mean (default) or their sum. */
  readonly combine?: 'mean' | 'sum' | undefined;
  /** Tokens that the model reads at once, special ones included: longer texts are read in windows. Default: the model's limit. */
  readonly maxLength?: number | undefined;
}

/** A word of a text as a model reads it there. */
export interface WordInContext {
  /** As the text spells it. */
  readonly word: string;
  /** Where it begins and ends in its text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Tokens that it was made of; 0 where the tokenizer drops all of it: its vector is then of zeros. */
  readonly tokens: number;
  /** [hidden] */
  readonly vector: Float32Array;
}

const layersCheck: Check<number | readonly number[]> = (value, name) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > 0 && list.every((layer) => Number.isInteger(layer)) && new Set(list).size === list.length) return value as number;
  throw wrongOption(`a layer or a list of different ones for ${name}`, value);
};
const schema = {
  ...callSchema,
  words: wordsOption,
  pooling: oneOf(['mean', 'first', 'last']),
  layers: layersCheck,
  combine: oneOf(['mean', 'sum']),
  maxLength: limitSchema.maxLength,
};

/** Tokens that are computed at once: their words are pooled in one turn of the event loop, some milliseconds for four layers. */
const kJobTokens = 1024;

/** A window of a text with the words that are read from it: tokens `begin` to `end` make `vector`. */
interface Window extends Sequence {
  readonly words: { readonly begin: number; readonly end: number; readonly vector: Float32Array }[];
}

/**
 * Vectors of words in context: for every word of a text what the model's layers say of its tokens there. Words are found by the tokens' places in
 * the text; a text beyond `maxLength` is read in windows, and each word taken where it has most around it. What comes back goes
 * into `hstack`, `similarity` and the classifiers as it is.
 *
 * Errors: INVALID_ARG (texts, words that are not in their text, a model without layers), INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, OUT_OF_MEMORY,
 * DEADLINE, the signal's reason.
 *
 * @example
 * const [river, money] = await wordVectors(model, ['the bank of the river', 'money in the bank'], { layers: [-4, -3, -2, -1] });
 * const banks = [river!, money!].map((words) => words.find(({ word }) => word === 'bank')!);
 */
export function wordVectors(model: Model, text: string, options?: WordVectorsOptions): Promise<WordInContext[]>;
export function wordVectors(model: Model, texts: readonly string[], options?: WordVectorsOptions): Promise<WordInContext[][]>;
export async function wordVectors(
  model: Model,
  input: string | readonly string[],
  options?: WordVectorsOptions,
): Promise<WordInContext[] | WordInContext[][]> {
  requireModel(model, 'wordVectors');
  const { words = 'tokenizer', pooling = 'mean', layers = -1, combine = 'mean', ...settings } = readOptions('wordVectors', options, schema);
  const texts = (Array.isArray(input) ? (input as readonly unknown[]) : [input]).map((text, i) =>
    requireString(text, `the text at index ${i} of wordVectors`),
  );
  if (Array.isArray(words) && words.length !== texts.length)
    throw unexpected('INVALID_ARG', `${texts.length} lists, one for each text, for wordVectors option words`, words.length);
  const values = valuesOf(model, layers);
  const scale = combine === 'sum' ? 1 : 1 / values.length;
  const maxLength = settings.maxLength ?? model.maxTokens;
  const reader = new TextReader('wordVectors', model, { maxLength, prompt: '' }, { offsets: true, stride: Math.floor(maxLength / 8) });
  const results: WordInContext[][] = [];
  const source = new TextSource(texts, reader, asEncoding, (encoding, index): Window[] => {
    const encodings = [encoding, ...encoding.overflowing];
    const windows = new Map(encodings.map((each) => [each, { ids: each.ids, typeIds: each.typeIds, words: [] } as Window]));
    const tokens = new WordTokens(encodings);
    results[index] = wordSpans(words, texts[index]!, index, encodings).map(([start, end]) => {
      const found = tokens.find([start, end]);
      const vector = new Float32Array(values[0]!.width);
      if (found !== undefined) {
        const [first, last] = [pooling === 'last' ? found.end - 1 : found.begin, pooling === 'first' ? found.begin + 1 : found.end];
        windows.get(found.window)!.words.push({ begin: first, end: last, vector });
      }
      return { word: texts[index]!.slice(start, end), start, end, tokens: found === undefined ? 0 : found.end - found.begin, vector };
    });
    return [...windows.values()].filter((window) => window.words.length > 0);
  });
  const call = new Call('wordVectors', model, settings);
  const take = ({ sequences }: Job<Window>, outputs: readonly Float32Array[], batch: BatchInputs): void =>
    sequences.forEach((window, i) => {
      const rows = values.map((value, v) => rowsOf(outputs[v]!, value, batch, i));
      for (const { begin, end, vector } of window.words) pool(rows, begin, end, scale, vector);
    });
  await call.compute(source, values, take, { jobTokens: kJobTokens });
  call.finish();
  return Array.isArray(input) ? results : results[0]!;
}

/** The states of the layers. Errors: INVALID_ARG, INVALID_OPTION. */
function valuesOf({ config, values: { hiddenStates } }: Model, layers: number | readonly number[]): Value[] {
  if (config.numLayers === 0) throw unexpected('INVALID_ARG', 'a model with layers for wordVectors', 'static vectors');
  return [layers].flat().map((layer) => {
    const value = hiddenStates.at(layer as number);
    if (value !== undefined) return value;
    throw wrongOption(`layers from -${hiddenStates.length} to ${hiddenStates.length - 1} for wordVectors option layers`, layer);
  });
}

/** The sum over layers of the means of rows `begin` to `end`, times `scale`, into `vector`. */
function pool(rows: readonly Float32Array[], begin: number, end: number, scale: number, vector: Float32Array): void {
  const width = vector.length;
  for (let j = 0; j < width; j++) {
    let sum = 0;
    for (const states of rows) for (let token = begin; token < end; token++) sum += states[token * width + j]!;
    vector[j] = (sum * scale) / (end - begin);
  }
}

/**
 * One vector for each word: the mean of all its occurrences, as tutorials make "BERT word vectors"; the most frequent word first, with counts.
 * Occurrences without tokens are left out.
 *
 * Errors: INVALID_ARG for no words.
 *
 * @example
 * const kv = meanWordVectors(await wordVectors(model, texts));
 * await kv.mostSimilar('river');
 */
export function meanWordVectors(contexts: readonly (readonly WordInContext[])[]): KeyedVectors {
  const sums = new Map<string, { count: number; readonly sum: Float64Array }>();
  for (const { word, vector } of contexts.flatMap((words) => words.filter(({ tokens }) => tokens > 0))) {
    let entry = sums.get(word);
    if (entry === undefined) sums.set(word, (entry = { count: 0, sum: new Float64Array(vector.length) }));
    entry.count++;
    for (let j = 0; j < vector.length; j++) entry.sum[j]! += vector[j]!;
  }
  if (sums.size === 0) throw unexpected('INVALID_ARG', 'what wordVectors returns, with words, for meanWordVectors', 'none');
  const entries = [...sums].sort(([, a], [, b]) => b.count - a.count);
  return KeyedVectors.fromVectors(
    entries.map(([word]) => word),
    entries.map(([, { count, sum }]) => sum.map((value) => value / count)),
    entries.map(([, { count }]) => count),
  );
}
