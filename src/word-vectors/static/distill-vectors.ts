import { ModelReader } from '../../checkpoint/model-reader.js';
import { unexpected, wrongOption } from '../../expected.js';
import { isModel, type Model } from '../../models/index.js';
import { abortSignal, callback, type Check, integer, readOptions, strings } from '../../options.js';
import { PCA } from '../../learn/decomposition/pca.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { StaticVectors, withWords } from './static-vectors.js';

/** Options of `distillVectors`. */
export interface DistillVectorsOptions {
  /** Words and phrases that get rows of their own, beside the model's tokens. */
  readonly vocabulary?: readonly string[] | undefined;
  /** Numbers of a vector; at most the model's. Default 256. */
  readonly dimensions?: number | undefined;
  /** `'sif'` (default): frequent tokens count less, by Zipf's law and the order of the vocabulary; a Map: by how often each token or own word was seen; `'none'`. */
  readonly weights?: 'sif' | 'none' | ReadonlyMap<string, number> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears how many tokens went through the model. */
  readonly onProgress?: ((progress: { readonly done: number; readonly of: number }) => void) | undefined;
}

const weightsCheck: Check<'sif' | 'none' | ReadonlyMap<string, number>> = (value, name) => {
  const isMap = typeof value === 'object' && value !== null && typeof (value as { get?: unknown }).get === 'function';
  if (value !== 'sif' && value !== 'none' && !isMap) throw wrongOption(`"sif", "none" or a Map of counts for ${name}`, value);
  return value as 'sif' | 'none' | ReadonlyMap<string, number>;
};
const schema = {
  vocabulary: strings,
  dimensions: integer(1, 1 << 16),
  weights: weightsCheck,
  signal: abortSignal,
  onProgress: callback as unknown as Check<(progress: { readonly done: number; readonly of: number }) => void>,
};

/** Tokens that are in a batch. */
const kBatchTokens = 4096;
/** a of a / (a + p), with p by Zipf's law and from counts. */
const kZipf = 1e-4;
const kCounted = 1e-3;
/** Places of a vocabulary that nothing uses. */
const kUnused = /^\[unused\d+\]$/;

/**
 * Static vectors of a BERT, as model2vec makes them: every token alone goes through the model, the vectors are turned to their principal
 * components and weighed by how rare the tokens are. A text's vector is then a look-up and a mean, hundreds of times faster.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, TOKENIZER for a model without tokenizer.json, OUT_OF_MEMORY, the signal's reason.
 *
 * @example
 * const vectors = await distillVectors(await loadModel());
 * await vectors.save('./static-minilm');
 * const embedder = await loadEmbedder('./static-minilm');
 */
export async function distillVectors(model: Model, options?: DistillVectorsOptions): Promise<StaticVectors> {
  const { vocabulary = [], dimensions, weights = 'sif', signal, onProgress } = readOptions('distillVectors', options, schema);
  if (!isModel(model)) throw unexpected('INVALID_ARG', 'what loadModel returns for distillVectors', typeof model);
  if (model.config.numLayers === 0) throw unexpected('INVALID_ARG', 'a model with an encoder for distillVectors', 'static vectors');
  const width = model.values.embeddingDimension;
  const wanted = dimensions ?? Math.min(256, width);
  if (wanted > width)
    throw unexpected('INVALID_OPTION', `at most ${width}, the model's dimensions, for distillVectors option dimensions`, wanted);
  const tokenizerJson = await readTokenizerJson(model);
  const entries = entriesOf(model, vocabulary);
  if (entries.filled.length <= wanted) {
    throw unexpected('INVALID_OPTION', `fewer dimensions than the ${entries.filled.length} tokens of the model for distillVectors`, wanted);
  }
  const rows = await encodeAlone(model, entries.filled, signal, onProgress);
  const reduced = await new PCA({ nComponents: wanted }).fitTransform({ data: rows, dimensions: width }, { signal });
  const data = await weighed(entries, reduced.data, wanted, weights, signal);
  const own = entries.own;
  const words = own.length > 0 ? new Map(vocabulary.map((word) => [word, entries.idOf.get(word)!])) : wholeWords(entries);
  return new StaticVectors({ data, dimensions: wanted, words, tokenizerJson: withWords(tokenizerJson, own, entries.tokens) });
}

/** A token or own word with the ids of its sequence. */
interface Entry {
  readonly id: number;
  readonly name: string;
  readonly ids: Int32Array;
}

interface Entries {
  /** Tokens of the model; own words come after them. */
  readonly tokens: number;
  /** Own words that are no tokens of the model. */
  readonly own: readonly string[];
  /** What gets a row that is not 0. */
  readonly filled: readonly Entry[];
  readonly idOf: ReadonlyMap<string, number>;
}

function entriesOf({ tokenizer }: Model, vocabulary: readonly string[]): Entries {
  const empty = tokenizer.encode('').ids;
  const special = new Set([...empty, tokenizer.padId, tokenizer.unkId, tokenizer.clsId, tokenizer.sepId, tokenizer.maskId]);
  const tokens = tokenizer.vocabSize;
  const filled: Entry[] = [];
  const idOf = new Map<string, number>();
  for (let id = 0; id < tokens; id++) {
    const name = tokenizer.idToToken(id);
    if (name === undefined || special.has(id) || kUnused.test(name)) continue;
    idOf.set(name, id);
    filled.push({ id, name, ids: Int32Array.from([...empty.subarray(0, 1), id, ...empty.subarray(1)]) });
  }
  const own: string[] = [];
  for (const word of vocabulary) {
    if (idOf.has(word)) continue;
    const { ids } = tokenizer.encode(word);
    if (word.trim() === '' || ids.length <= empty.length)
      throw unexpected('INVALID_ARG', 'words for the vocabulary of distillVectors', JSON.stringify(word));
    const id = tokens + own.length;
    idOf.set(word, id);
    own.push(word);
    filled.push({ id, name: word, ids });
  }
  return { tokens, own, filled, idOf };
}

function wholeWords({ filled }: Entries): Map<string, number> {
  return new Map(filled.filter(({ name }) => !name.startsWith('##')).map(({ name, id }) => [name, id]));
}

/** The sentence vectors of sequences, [entries, width]. */
async function encodeAlone(
  model: Model,
  entries: readonly Entry[],
  signal: AbortSignal | undefined,
  onProgress: DistillVectorsOptions['onProgress'],
): Promise<Float32Array> {
  const { sentenceEmbedding, embeddingDimension: width } = model.values;
  const rows = new Float32Array(entries.length * width);
  for (let begin = 0; begin < entries.length;) {
    let [end, tokens] = [begin, 0];
    while (end < entries.length && tokens < kBatchTokens) tokens += entries[end++]!.ids.length;
    const [vectors] = await model.session.run(model.pack(entries.slice(begin, end)), [sentenceEmbedding], { signal, priority: 'bulk' });
    rows.set(vectors!, begin * width);
    begin = end;
    onProgress?.({ done: end, of: entries.length });
  }
  return rows;
}

/** Rows of all ids, each by its weight: a / (a + p), where p is the token's share of a text. */
async function weighed(
  { tokens, own, filled }: Entries,
  reduced: Float32Array | Float64Array,
  width: number,
  weights: 'sif' | 'none' | ReadonlyMap<string, number>,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const count = tokens + own.length;
  const data = new Float32Array(count * width);
  const counts = typeof weights === 'string' ? undefined : weights;
  const all = counts === undefined ? 0 : filled.reduce((sum, { name }) => sum + (counts.get(name) ?? 0), 0);
  const budget = new Budget(signal);
  for (const [row, { id, name }] of filled.entries()) {
    const share = counts === undefined ? 1 / ((row + 1) * Math.log(filled.length)) : (counts.get(name) ?? 0) / Math.max(1, all);
    const a = counts === undefined ? kZipf : kCounted;
    const weight = weights === 'none' ? 1 : a / (a + share);
    for (let j = 0; j < width; j++) data[id * width + j] = weight * reduced[row * width + j]!;
    if (row % 64 === 0 && budget.isSpent) await budget.yield();
  }
  return data;
}

/** The text of a loaded model's tokenizer.json. Errors: TOKENIZER, IO. */
async function readTokenizerJson({ directory }: Model): Promise<string> {
  const reader = await ModelReader.start(directory);
  const { tokenizerJson } = await reader.tokenizerFiles(await reader.modules());
  if (tokenizerJson !== undefined) return tokenizerJson;
  throw unexpected('TOKENIZER', 'a model with tokenizer.json for distillVectors', 'one without it');
}
