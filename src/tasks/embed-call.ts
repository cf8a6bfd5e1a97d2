import { BerthaError } from '../errors.js';
import type { Model } from '../models/index.js';
import { flag, integer, oneOf, received, text, unknownName, type Options } from '../options.js';
import { packBatch, type PackedBatch } from '../runtime/batch.js';
import type { Embedding } from './embedding.js';
import { quantizeVectors, type VectorFormat } from '../vectors/quantize-vectors.js';
import { normalizeInPlace } from '../vectors/similarity.js';

/** A job carries about this many tokens: enough to feed every thread, little enough to bound memory and to notice an abort soon. */
const kJobTokens = 8192;
/** Texts in a job at most: empty texts cost memory too. */
const kJobTexts = 512;
/** A text of more UTF-16 units is tokenized in slices of the event loop. */
const kLongText = 1 << 14;
/** UTF-16 units of such a slice: less than half a millisecond. */
const kSliceUnits = 1 << 12;

/** The checks of a call's options; vectors have `width` numbers. */
export function embedSchema(width: number) {
  return {
    normalize: flag,
    promptName: text,
    prompt: text,
    dimensions: integer(1, width),
    maxLength: tokenLimit,
    onTruncate: oneOf(['truncate', 'warn', 'error']),
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
  readonly #prompt: string;
  readonly #promptTokens: number;
  readonly #maxLength: number;
  readonly #onTruncate: 'truncate' | 'warn' | 'error';
  readonly #quantize: VectorFormat | undefined;
  readonly #width: number;
  readonly #normalized: boolean;
  readonly #cut = { count: 0, first: 0 };
  #next = 0;

  /** Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH. */
  constructor(name: string, model: Model, texts: string | readonly string[], settings: EmbedSettings) {
    this.#texts = checkTexts(name, texts);
    this.results = new Array<Embedding>(this.#texts.length);
    this.#model = model;
    this.#normalized = settings.normalize ?? model.values.normalizes;
    this.output = this.#normalized ? model.values.normalizedEmbedding : model.values.sentenceEmbedding;
    this.#width = settings.dimensions ?? defaultDimensions(model);
    this.#maxLength = settings.maxLength ?? model.maxTokens;
    if (this.#maxLength > model.config.maxSequenceLength) {
      throw new BerthaError(
        'MAX_LENGTH',
        `Expected at most ${model.config.maxSequenceLength} tokens, the model's positions, for ${name} option maxLength but received ${this.#maxLength}.`,
      );
    }
    this.#onTruncate = settings.onTruncate ?? 'truncate';
    this.#quantize = settings.quantize;
    this.#prompt = choosePrompt(name, model, settings);
    this.#promptTokens = this.#prompt !== '' && model.sentence?.pooling.includePrompt === false ? this.#countPromptTokens() : 0;
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
    return new EmbedJob(this.#next, this.#promptTokens);
  }

  /** Whether tokenizing the next text may take longer than a slice of time. */
  get isNextLong(): boolean {
    return this.#texts[this.#next]!.length > kLongText;
  }

  /** Tokenizes the next text into `job`. Errors: MAX_LENGTH, INPUT_TOO_LARGE. */
  tokenizeNext(job: EmbedJob): void {
    const { ids, truncated } = this.#model.tokenizer.encodeIds(this.#textAt(this.#next), this.#maxLength);
    this.#take(job, ids, truncated);
  }

  /** The same in slices: each `next` reads a part of the text. Errors: as `tokenizeNext`. */
  *tokenizeNextInSlices(job: EmbedJob): Generator<void> {
    const task = this.#model.tokenizer.startEncoding(this.#textAt(this.#next), { truncation: true, maxLength: this.#maxLength });
    while (!task.run(kSliceUnits)) yield;
    const { ids, truncated } = task.finish();
    this.#take(job, ids, truncated);
  }

  /** Takes the vectors of a job: `rows` is [texts of the job, width of the model's vectors]. */
  finish(job: EmbedJob, rows: Float32Array): void {
    const stride = this.#model.values.embeddingDimension;
    job.forEach((tokens, truncated, i) => {
      const vector = rows.slice(i * stride, i * stride + this.#width);
      if (this.#normalized && this.#width < stride) normalizeInPlace(vector);
      const quantized = this.#quantize === undefined ? {} : { quantized: quantizeVectors([vector], this.#quantize) };
      this.results[job.firstIndex + i] = { vector, tokens, truncated, ...quantized };
    });
  }

  /** Tells, once for the whole call, that texts were cut, if the caller asked to hear of it. */
  warn(): void {
    const { count, first } = this.#cut;
    if (count === 0 || this.#onTruncate !== 'warn') return;
    const which = count === 1 ? `The text at index ${first} was` : `${count} texts, the first at index ${first}, were`;
    process.emitWarning(`${which} cut at ${this.#maxLength} tokens.`, { code: 'BERTHA_TRUNCATED' });
  }

  #textAt(index: number): string {
    const text = this.#prompt + this.#texts[index]!;
    return this.#model.sentence?.doLowerCase === true ? text.toLowerCase() : text;
  }

  #take(job: EmbedJob, ids: Int32Array, truncated: boolean): void {
    if (truncated) this.#noteTruncated(this.#next);
    job.add(ids, truncated);
    this.#next++;
  }

  #noteTruncated(index: number): void {
    if (this.#onTruncate === 'error') {
      throw new BerthaError(
        'MAX_LENGTH',
        `Expected at most ${this.#maxLength} tokens for the text at index ${index} but received more. With onTruncate: 'truncate' its end is left out.`,
      );
    }
    if (this.#cut.count++ === 0) this.#cut.first = index;
  }

  /** Tokens of the prompt that pooling leaves out: [CLS] counts, the closing [SEP] does not, as in sentence-transformers. */
  #countPromptTokens(): number {
    return this.#model.tokenizer.encodeIds(this.#prompt).ids.length - 1;
  }
}

/** Texts of one call that are computed together, from `firstIndex` on. */
export class EmbedJob {
  readonly firstIndex: number;
  readonly #promptTokens: number;
  readonly #sequences: { readonly ids: Int32Array; readonly truncated: boolean }[] = [];
  #tokens = 0;

  constructor(firstIndex: number, promptTokens: number) {
    this.firstIndex = firstIndex;
    this.#promptTokens = promptTokens;
  }

  get hasRoom(): boolean {
    return this.#tokens < kJobTokens && this.#sequences.length < kJobTexts;
  }

  add(ids: Int32Array, truncated: boolean): void {
    this.#sequences.push({ ids, truncated });
    this.#tokens += ids.length;
  }

  pack(): PackedBatch {
    const batch = packBatch(this.#sequences);
    return this.#promptTokens === 0 ? batch : { ...batch, poolSkip: new Int32Array(this.#sequences.length).fill(this.#promptTokens) };
  }

  forEach(visit: (tokens: number, truncated: boolean, i: number) => void): void {
    this.#sequences.forEach(({ ids, truncated }, i) => visit(ids.length, truncated, i));
  }
}

function tokenLimit(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new BerthaError('MAX_LENGTH', `Expected a whole number of tokens for ${name} but received ${received(value)}.`);
  }
  return value;
}

/** The texts as they are now: what the caller does to its array later changes nothing. */
function checkTexts(name: string, texts: unknown): readonly string[] {
  if (typeof texts === 'string') return [texts];
  if (!Array.isArray(texts))
    throw new BerthaError(
      'INVALID_ARG',
      `Expected a string or an array of strings for the texts of ${name} but received ${received(texts)}.`,
    );
  const copy: unknown[] = texts.slice();
  for (let i = 0; i < copy.length; i++) {
    if (typeof copy[i] !== 'string')
      throw new BerthaError('INVALID_ARG', `Expected a string for text ${i} of ${name} but received ${received(copy[i])}.`);
  }
  return copy as string[];
}

function choosePrompt(name: string, model: Model, { prompt, promptName }: EmbedSettings): string {
  if (prompt !== undefined && promptName !== undefined) {
    throw new BerthaError('INVALID_OPTION', `Expected either prompt or promptName for ${name} but received both.`);
  }
  if (prompt !== undefined) return prompt;
  const prompts = model.sentence?.prompts ?? {};
  const chosen = promptName ?? model.sentence?.defaultPromptName;
  if (chosen === undefined) return '';
  if (!Object.hasOwn(prompts, chosen)) throw unknownName('prompt of this model', chosen, Object.keys(prompts));
  return prompts[chosen]!;
}
