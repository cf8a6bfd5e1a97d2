import { packPooled, TextReader, textSchema } from '../calls/text-reader.js';
import { wrongArgument } from '../expected.js';
import type { Model } from '../models/index.js';
import { flag, integer, oneOf, type Options } from '../options.js';
import type { PackedBatch } from '../runtime/batch.js';
import type { EncodedIds } from '../tokenizer/index.js';
import { type Embedding, withJson } from './embedding.js';
import { quantizeVectors, type VectorFormat } from '../vectors/quantize-vectors.js';
import { normalizeInPlace } from '../vectors/similarity.js';

/** A job carries about this many tokens: enough to feed every thread, little enough to bound memory and to notice an abort soon. */
const kJobTokens = 8192;
/** Texts in a job at most: empty texts cost memory too. */
const kJobTexts = 512;

/** The checks of a call's options; vectors have `width` numbers. */
export function embedSchema(width: number) {
  return {
    ...textSchema,
    normalize: flag,
    dimensions: integer(1, width),
    quantize: oneOf(['int8', 'binary']),
  };
}

/** A call's options, checked. */
export type EmbedSettings = Options<ReturnType<typeof embedSchema>>;

/** Numbers in a vector when the call does not say: all, or as many as the model's own files keep. */
export function defaultDimensions(model: Model): number {
  return Math.min(model.values.embeddingDimension, model.sentence?.truncateDim ?? Infinity);
}

/** One call of `embed`: which texts are tokenized, which jobs they went to, which vectors came back. Knows nothing of time or threads. */
export class EmbedCall {
  /** In the order of the texts; filled by `finish`. */
  readonly results: Embedding[];
  /** The value of the model's program that holds the vectors. */
  readonly output;
  readonly #model: Model;
  readonly #texts: readonly string[];
  readonly #reader: TextReader;
  readonly #quantize: VectorFormat | undefined;
  readonly #width: number;
  readonly #normalized: boolean;
  #next = 0;

  /** Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH. */
  constructor(name: string, model: Model, texts: string | readonly string[], settings: EmbedSettings) {
    this.#texts = checkTexts(name, texts);
    this.results = new Array<Embedding>(this.#texts.length);
    this.#model = model;
    this.#normalized = settings.normalize ?? model.values.normalizes;
    this.output = this.#normalized ? model.values.normalizedEmbedding : model.values.sentenceEmbedding;
    this.#width = settings.dimensions ?? defaultDimensions(model);
    this.#quantize = settings.quantize;
    this.#reader = new TextReader(name, model, settings);
  }

  get isTokenized(): boolean {
    return this.#next === this.#texts.length;
  }

  get numTexts(): number {
    return this.#texts.length;
  }

  /** Tokens of all texts; known once the call is finished. */
  get numTokens(): number {
    return this.results.reduce((sum, { tokens }) => sum + tokens, 0);
  }

  newJob(): EmbedJob {
    return new EmbedJob(this.#model, this.#next, this.#reader.poolSkip);
  }

  /** Whether tokenizing the next text may take longer than a slice of time. */
  get isNextLong(): boolean {
    return this.#reader.isLong(this.#texts[this.#next]!);
  }

  /** Tokenizes the next text into `job`. Errors: MAX_LENGTH, INPUT_TOO_LARGE. */
  tokenizeNext(job: EmbedJob): void {
    job.add(this.#reader.readIds(this.#texts[this.#next]!, this.#next));
    this.#next++;
  }

  /** The same in slices: each `next` reads a part of the text. Errors: as `tokenizeNext`. */
  *tokenizeNextInSlices(job: EmbedJob): Generator<void> {
    job.add(yield* this.#reader.readIdsInSlices(this.#texts[this.#next]!, this.#next));
    this.#next++;
  }

  /** Takes the vectors of a job: `rows` is [texts of the job, width of the model's vectors]. */
  finish(job: EmbedJob, rows: Float32Array): void {
    const stride = this.#model.values.embeddingDimension;
    job.forEach((tokens, truncated, i) => {
      const vector = rows.slice(i * stride, i * stride + this.#width);
      if (this.#normalized && this.#width < stride) normalizeInPlace(vector);
      const quantized = this.#quantize === undefined ? {} : { quantized: quantizeVectors([vector], this.#quantize) };
      this.results[job.firstIndex + i] = withJson({ vector, tokens, truncated, ...quantized });
    });
  }

  /** Tells, once for the whole call, that texts were cut, if the caller asked to hear of it. */
  warn(): void {
    this.#reader.warn();
  }
}

/** Texts of one call that are computed together, from `firstIndex` on. */
export class EmbedJob {
  readonly firstIndex: number;
  readonly #model: Model;
  readonly #poolSkip: number;
  readonly #sequences: EncodedIds[] = [];
  #tokens = 0;

  /** Pooling leaves `poolSkip` tokens at the start of every text out. */
  constructor(model: Model, firstIndex: number, poolSkip: number) {
    this.#model = model;
    this.firstIndex = firstIndex;
    this.#poolSkip = poolSkip;
  }

  get hasRoom(): boolean {
    return this.#tokens < kJobTokens && this.#sequences.length < kJobTexts;
  }

  add(encoded: EncodedIds): void {
    this.#sequences.push(encoded);
    this.#tokens += encoded.ids.length;
  }

  pack(): PackedBatch {
    return packPooled(this.#model, this.#sequences, this.#poolSkip);
  }

  forEach(visit: (tokens: number, truncated: boolean, i: number) => void): void {
    this.#sequences.forEach(({ ids, truncated }, i) => visit(ids.length, truncated, i));
  }
}

/** The texts as they are now: what the caller does to its array later changes nothing. */
function checkTexts(name: string, texts: unknown): readonly string[] {
  if (typeof texts === 'string') return [texts];
  if (!Array.isArray(texts)) throw wrongArgument(`a string or an array of strings for the texts of ${name}`, texts);
  const copy: unknown[] = texts.slice();
  for (let i = 0; i < copy.length; i++) {
    if (typeof copy[i] !== 'string') throw wrongArgument(`a string for text ${i} of ${name}`, copy[i]);
  }
  return copy as string[];
}
