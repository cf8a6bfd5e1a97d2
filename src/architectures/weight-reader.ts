import { rowRange } from '../checkpoint/safetensors/row-range.js';
import type { TensorInfo } from '../checkpoint/safetensors/safetensors.js';
import { BerthaError } from '../errors.js';
import type { DropoutSite, LinearWeights, NormWeights, ProgramBuilder, Value, WeightRef } from '../models/program/program.js';
import type { DropoutPlace, DropoutRates } from './dropout.js';
import type { EncoderConfig } from './encoder-config.js';

/** Where a reader takes tensors from, by the names that an architecture asks for: a checkpoint's `WeightMap`, or what training makes of it. */
export interface TensorSource {
  has(name: string): boolean;
  take(name: string, shape: readonly number[]): TensorInfo;
  attempt<T>(use: () => T): { readonly result: T; readonly taken: ReadonlySet<string> };
}

/** Takes a checkpoint's tensors by name and hands them to a program as the weights of its ops. */
export class WeightReader {
  readonly b: ProgramBuilder;
  readonly config: EncoderConfig;
  readonly #weights: TensorSource;
  readonly #dropout: DropoutRates | undefined;
  readonly #sites: { next: number };

  /** `dropout` is for programs that learn; `before`: what was read of the same program, whose sites this one's follow. */
  constructor(b: ProgramBuilder, config: EncoderConfig, weights: TensorSource, dropout?: DropoutRates, before?: WeightReader) {
    this.b = b;
    this.config = config;
    this.#weights = weights;
    this.#dropout = dropout;
    this.#sites = before === undefined ? { next: 0 } : before.#sites;
  }

  /** A value with some of its numbers dropped, while a model learns; sites count in the order of the program. */
  dropout(x: Value, place: DropoutPlace): Value {
    const { dropoutSite = 0, dropout = 0 } = this.dropoutSite(place);
    return this.b.dropout(x, dropout, dropoutSite);
  }

  /** The same for an op that drops numbers itself: options of it, none where nothing is dropped. */
  dropoutSite(place: DropoutPlace): Partial<DropoutSite> {
    if (this.#dropout === undefined) return {};
    const site = this.#sites.next++;
    const rate = this.#dropout[place];
    return rate === 0 ? {} : { dropoutSite: site, dropout: rate };
  }

  /** Whether the checkpoint stores a tensor. */
  has(name: string): boolean {
    return this.#weights.has(name);
  }

  /**
   * Builds a part that the checkpoint may not have whole. Returns it with the names of the tensors it took, or why it cannot be built, and
   * then nothing of it is in the program.
   */
  attempt<T>(build: () => T): { readonly result: T; readonly taken: ReadonlySet<string> } | BerthaError {
    try {
      return this.b.attempt(() => this.#weights.attempt(build));
    } catch (error) {
      if (error instanceof BerthaError) return error;
      throw error;
    }
  }

  /** A lookup table, [rows, cols], or its first `used` rows. */
  table(name: string, rows: number, cols: number, used = rows): WeightRef {
    const tensor = this.#weights.take(name, [rows, cols]);
    return this.b.table({ ...tensor, shape: [used, cols], byteLength: (tensor.byteLength / rows) * used });
  }

  /** The matrix of a linear layer, [rows, cols]. */
  matrix(name: string, rows: number, cols: number): WeightRef {
    return this.b.matrix(this.#weights.take(name, [rows, cols]));
  }

  /** A bias, [length]. */
  vector(name: string, length: number): WeightRef {
    return this.b.vector(this.#weights.take(name, [length]));
  }

  /** A bias that is stored as a row, [1, length]. */
  rowVector(name: string, length: number): WeightRef {
    const tensor = this.#weights.take(name, [1, length]);
    return this.b.vector({ ...tensor, shape: [length], storedShape: tensor.shape });
  }

  /** A linear layer, [cols] → [rows]; without a bias where `bias` says so. */
  linear(name: string, rows: number, cols: number, bias = true): LinearWeights {
    const weight = this.matrix(`${name}.weight`, rows, cols);
    return bias ? { weight, bias: this.vector(`${name}.bias`, rows) } : { weight };
  }

  /** Matrices of [rows, cols] on top of each other. */
  stackedMatrix(names: readonly string[], rows: number, cols: number): WeightRef {
    return this.b.matrix(...names.map((name) => this.#weights.take(name, [rows, cols])));
  }

  /** A matrix [rows, cols] whose second half of rows comes first: those of a gate that stands behind what it gates. */
  swappedMatrix(name: string, rows: number, cols: number): WeightRef {
    const tensor = this.#weights.take(name, [rows, cols]);
    return this.b.matrix(rowRange(tensor, rows / 2, rows / 2), rowRange(tensor, 0, rows / 2));
  }

  /**
   * Query, key and value as `stacked` has them, of one matrix that holds them head by head, [heads, 3, headDim, hidden], with biases for query and value alone.
   */
  stackedOfHeads(name: string, biases: { readonly query: string; readonly value: string }): LinearWeights {
    const { hiddenSize, numHeads, headDim } = this.config;
    const tensor = this.#weights.take(name, [3 * hiddenSize, hiddenSize]);
    const rows = Array.from({ length: 3 * numHeads }, (_, i) => {
      const [part, head] = [Math.floor(i / numHeads), i % numHeads];
      return rowRange(tensor, (3 * head + part) * headDim, headDim);
    });
    const biasOf = (each: string): TensorInfo => this.#weights.take(each, [hiddenSize]);
    return { weight: this.b.matrix(...rows), bias: this.b.vector(biasOf(biases.query), hiddenSize, biasOf(biases.value)) };
  }

  /** A convolution over each sequence, padded with zeros: [tokens, cols] → [tokens, rows]. */
  convolution(x: Value, name: string, [rows, cols, size]: readonly [number, number, number]): Value {
    const [kernel, bias] = [this.#weights.take(`${name}.weight`, [rows, cols, size]), this.#weights.take(`${name}.bias`, [rows])];
    return this.b.convolution(x, kernel, bias);
  }

  /** Square linear layers over the hidden states on top of each other: query, key and value become one product. */
  stacked(names: readonly string[]): LinearWeights {
    const { hiddenSize } = this.config;
    return {
      weight: this.stackedMatrix(
        names.map((name) => `${name}.weight`),
        hiddenSize,
        hiddenSize,
      ),
      bias: this.b.vector(...names.map((name) => this.#weights.take(`${name}.bias`, [hiddenSize]))),
    };
  }

  /** A LayerNorm's weights; without a bias where `bias` says so. */
  norm(name: string, width: number, bias = true): NormWeights {
    const weight = this.vector(`${name}.weight`, width);
    return bias ? { weight, bias: this.vector(`${name}.bias`, width) } : { weight };
  }
}
