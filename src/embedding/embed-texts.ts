import { checkTexts } from '../calls/inputs.js';
import { Job } from '../calls/job.js';
import { SequenceSource, TextSource, type Source } from '../calls/source.js';
import { asIds, atOnce, TextReader } from '../calls/text-reader.js';
import { unexpected, wrongArgument } from '../expected.js';
import type { Model } from '../models/index.js';
import type { Options } from '../options.js';
import type { EncodedIds } from '../tokenizer/index.js';
import { isInt32Array } from '../realms.js';
import { quantizeVectors, type VectorFormat } from '../vectors/quantize-vectors.js';
import { normalizeInPlace } from '../vectors/similarity.js';
import { type Embedding, withJson } from './embedding.js';
import { forPurpose } from './purpose.js';
import type { embedSchema } from './schemas.js';

/** What is computed of a text without tokens, which a model without special tokens may have: its vector becomes 0. */
const kNoTokens: EncodedIds = { ids: Int32Array.of(0), truncated: false };

/** The options of `embedSync`, checked. */
export type EmbedSettings = Options<ReturnType<typeof embedSchema>>;

/** Numbers in a vector, of whatever kind the model's are. */
export function defaultWidth({ values }: Model): number {
  return (values.sparse ?? values.tokenVectors)?.width ?? values.embeddingDimension;
}

/** Numbers in a vector when the call does not say: all, or as many as the model's own files keep. */
export function defaultDimensions(model: Model): number {
  return Math.min(defaultWidth(model), model.sentence?.truncateDim ?? Infinity);
}

/** What is read of a call: texts, or sequences of ids that are there already. */
export type Given = string | readonly string[] | { readonly ids: readonly Int32Array[] };

/** The texts of one call of `embed` or `embedSync`, and the vectors they became. Knows nothing of time or threads. */
export class EmbedTexts {
  /** In the order of the texts; filled by `take`. */
  readonly results: Embedding[];
  /** The value of the model's program that holds the vectors. */
  readonly output;
  readonly source: Source<EncodedIds>;
  readonly #model: Model;
  readonly #reader: TextReader;
  readonly #quantize: VectorFormat | undefined;
  readonly #width: number;
  readonly #normalized: boolean;

  /** Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH. */
  constructor(name: string, model: Model, given: Given, settings: EmbedSettings) {
    this.#model = model;
    this.#normalized = settings.normalize ?? model.values.normalizes;
    this.output = this.#normalized ? model.values.normalizedEmbedding : model.values.sentenceEmbedding;
    this.#width = settings.dimensions ?? defaultDimensions(model);
    this.#quantize = settings.quantize;
    this.#reader = new TextReader(name, model, forPurpose(settings, model.sentence?.prompts ?? {}));
    this.source = isIds(given)
      ? new SequenceSource(checkIds(name, model, given.ids, this.#reader.maxLength ?? Infinity, settings.onTruncate))
      : new TextSource(checkTexts(name, given), this.#reader, asIds, (ids) => [ids.ids.length === 0 ? kNoTokens : ids]);
    this.results = new Array<Embedding>(this.source.count);
  }

  /** Computes all texts on the calling thread. Errors: MAX_LENGTH, INPUT_TOO_LARGE, as `Session.runSync`. */
  runSync(): void {
    for (let first = 0; !this.source.isAtEnd;) {
      const job = new Job<EncodedIds>(first);
      while (!this.source.isAtEnd && job.hasRoom) atOnce(this.source.readNext(job));
      this.take(job, this.#model.session.runSync(job.pack(this.#model, this.source.poolSkip), [this.output]));
      first += job.sequences.length;
    }
  }

  /** Takes the vectors of a job: [texts of the job, width of the model's vectors]. */
  take({ first, sequences }: Job<EncodedIds>, [rows]: readonly Float32Array[]): void {
    const stride = this.#model.values.embeddingDimension;
    sequences.forEach((sequence, i) => {
      const { truncated } = sequence;
      const tokens = sequence === kNoTokens ? 0 : sequence.ids.length;
      // The result of one text alone is its vector: nothing else holds that memory.
      const isWhole = rows!.length === this.#width;
      const vector = isWhole ? rows! : rows!.slice(i * stride, i * stride + this.#width);
      if (sequence === kNoTokens) vector.fill(0);
      else if (this.#normalized && this.#width < stride) normalizeInPlace(vector);
      const quantized = this.#quantize === undefined ? {} : { quantized: quantizeVectors([vector], this.#quantize) };
      this.results[first + i] = withJson({ vector, tokens, truncated, ...quantized });
    });
  }

  /** Tells, once for the whole call, that texts were cut, if the caller asked to hear of it. */
  warn(): void {
    this.#reader.warn();
  }
}

function isIds(given: Given): given is Exclude<Given, string | readonly string[]> {
  return typeof given === 'object' && given !== null && !Array.isArray(given) && Array.isArray((given as { readonly ids?: unknown }).ids);
}

/** Ids as the model reads them, cut at the limit. Errors: INVALID_ARG, INVALID_IDS, MAX_LENGTH, each naming the index. */
function checkIds(
  name: string,
  { config }: Model,
  lists: readonly unknown[],
  most: number,
  onTruncate: EmbedSettings['onTruncate'],
): EncodedIds[] {
  return lists.map((ids, i) => {
    if (!isInt32Array(ids)) throw wrongArgument(`an Int32Array for the ids at index ${i} of ${name}`, ids);
    const wrong = ids.find((id) => id < 0 || id >= config.vocabSize);
    if (wrong !== undefined) {
      throw unexpected('INVALID_IDS', `ids from 0 to ${config.vocabSize - 1} for the ids at index ${i} of ${name}`, wrong);
    }
    if (ids.length === 0) return kNoTokens;
    const truncated = ids.length > most;
    if (truncated && onTruncate === 'error') {
      throw unexpected('MAX_LENGTH', `at most ${most} ids for the ids at index ${i} of ${name}`, ids.length);
    }
    return { ids: ids.slice(0, most), truncated };
  });
}
