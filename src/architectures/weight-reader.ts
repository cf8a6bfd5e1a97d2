import type { WeightMap } from '../checkpoint/weights/weights.js';
import { BerthaError } from '../errors.js';
import type { LinearWeights, NormWeights, ProgramBuilder, WeightRef } from '../models/program/program.js';
import type { ModelConfig } from './config.js';

/** Takes a checkpoint's tensors by name and hands them to a program as the weights of its ops. */
export class WeightReader {
  readonly b: ProgramBuilder;
  readonly config: ModelConfig;
  readonly #weights: WeightMap;

  constructor(b: ProgramBuilder, config: ModelConfig, weights: WeightMap) {
    this.b = b;
    this.config = config;
    this.#weights = weights;
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

  /** A linear layer with bias, [cols] → [rows]. */
  linear(name: string, rows: number, cols: number): LinearWeights {
    return { weight: this.matrix(`${name}.weight`, rows, cols), bias: this.vector(`${name}.bias`, rows) };
  }

  /** Square linear layers over the hidden states on top of each other: query, key and value become one product. */
  stacked(names: readonly string[]): LinearWeights {
    const { hiddenSize } = this.config;
    return {
      weight: this.b.matrix(...names.map((name) => this.#weights.take(`${name}.weight`, [hiddenSize, hiddenSize]))),
      bias: this.b.vector(...names.map((name) => this.#weights.take(`${name}.bias`, [hiddenSize]))),
    };
  }

  /** A LayerNorm's weights. */
  norm(name: string, width: number): NormWeights {
    return { weight: this.vector(`${name}.weight`, width), bias: this.vector(`${name}.bias`, width) };
  }
}
