import type { TensorSource } from '../../architectures/weight-reader.js';
import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import type { WeightMap } from '../../checkpoint/weights/weights.js';

/** What is known of the tensors of a model that learns. */
export interface LearnedTensors {
  /** Names of tensors that the checkpoint does not have. */
  readonly newlyInitialized: readonly string[];
  /** Names of tensors that have another shape in the checkpoint. */
  readonly replaced: readonly string[];
  /** Whether a tensor, by its name in transformers, has no values in the checkpoint. */
  isNew(name: string): boolean;
  /** The modules of the head, and new ones of the encoder, by the first part of their names behind the encoder's prefix. */
  headModules(): string[];
}

/** Which tensors a model that learns has. */
export interface TrainingTensorsOptions {
  /** What the names of the encoder's tensors begin with in transformers' class for the head. */
  readonly prefix: string;
  /** Whether the head reads the pooler; 'stored': it does not, but transformers' class has it where the checkpoint does; else there is none. */
  readonly pooler: boolean | 'stored';
  /** A tensor that the head does without: of a tied decoder, whose matrix is the word embeddings. */
  readonly neverNew: (name: string) => boolean;
}

const kTable = /(^|\.)embeddings\./;

/**
 * A checkpoint's tensors for a model that learns: under the names that transformers gives them in its class for the head, and with new ones
 * where the head is missing or has another size in the checkpoint.
 */
export class TrainingTensors implements TensorSource, LearnedTensors {
  readonly newlyInitialized: string[] = [];
  readonly replaced: string[] = [];
  readonly #weights: WeightMap;
  readonly #options: TrainingTensorsOptions;
  readonly #new = new Set<string>();
  readonly #head = new Set<string>();
  /** Names of the encoder's tensors, as architectures ask for them. */
  readonly #encoder = new Set<string>();
  #isEncoder = true;

  constructor(weights: WeightMap, options: TrainingTensorsOptions) {
    this.#weights = weights;
    this.#options = options;
  }

  /** The encoder is built: what is asked for from now on, and was not before, is a head's. */
  beginHeads(): void {
    this.#isEncoder = false;
  }

  has(name: string): boolean {
    const { pooler } = this.#options;
    if (this.#isEncoder && name.startsWith('pooler.')) return pooler === 'stored' ? this.#weights.has(name) : pooler;
    return !this.#options.neverNew(name) && (this.#weights.has(name) || this.#mayBeNew(name));
  }

  take(name: string, shape: readonly number[]): TensorInfo {
    if (this.#isEncoder) this.#encoder.add(name);
    const isEncoder = this.#encoder.has(name);
    const full = isEncoder ? this.#options.prefix + name : name;
    if (!isEncoder) this.#head.add(full);
    const stored = this.#weights.shapeOf(name);
    const fits = stored?.length === shape.length && stored.every((size, i) => size === shape[i]);
    if (fits || !this.#mayBeNew(name)) return { ...this.#weights.take(name, shape), name: full };
    if (!this.#new.has(full)) (stored === undefined ? this.newlyInitialized : this.replaced).push(full);
    this.#new.add(full);
    return { ...this.#weights.placeholder, name: full, shape };
  }

  attempt<T>(use: () => T): { readonly result: T; readonly taken: ReadonlySet<string> } {
    return this.#weights.attempt(use);
  }

  /**
   * Whether a tensor, by its name in transformers, is the encoder's and has values: a layer that can be adapted. A module's tensor has a folder in its name;
   * a tied decoder has that of the word table, which is no layer.
   */
  isEncoders(name: string): boolean {
    return !this.#head.has(name) && !this.#new.has(name) && !name.includes('/') && !kTable.test(name);
  }

  headModules(): string[] {
    const own = [...this.#head, ...this.#new].map((name) => (this.#head.has(name) ? name : name.slice(this.#options.prefix.length)));
    return [...new Set(own.map((name) => name.slice(0, name.indexOf('.'))))];
  }

  /** Errors: MODEL_MISMATCH, DTYPE_UNSUPPORTED for tensors of the encoder that are missing or unfit. */
  finish(): void {
    this.#weights.finish();
  }

  isNew(name: string): boolean {
    return this.#new.has(name);
  }

  #mayBeNew(name: string): boolean {
    const isEncoder = this.#isEncoder || this.#encoder.has(name);
    return (!isEncoder || name.startsWith('pooler.')) && !this.#options.neverNew(name);
  }
}
