import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import type { TensorSource } from '../weight-reader.js';

/** One half's tensors of a checkpoint that holds two, by the names that the half's own family asks for. */
export class PartTensors implements TensorSource {
  readonly #all: TensorSource;
  readonly #prefixes: readonly [string, ...string[]];
  readonly #aliases: ReadonlyMap<string, string>;

  /** `prefixes`: what the half's names begin with, the usual first. `aliases`: another name for a tensor, used where the first is not stored. */
  constructor(all: TensorSource, prefixes: readonly [string, ...string[]], aliases: ReadonlyMap<string, string>) {
    this.#all = all;
    this.#prefixes = prefixes;
    this.#aliases = aliases;
  }

  /** Whether the checkpoint stores a tensor. No half has a pooler: nothing reads it, and many were never trained. */
  has(name: string): boolean {
    return !name.startsWith('pooler.') && this.#find(name) !== undefined;
  }

  take(name: string, shape: readonly number[]): TensorInfo {
    return this.#all.take(this.#find(name) ?? this.#prefixes[0] + name, shape);
  }

  attempt<T>(use: () => T): { readonly result: T; readonly taken: ReadonlySet<string> } {
    return this.#all.attempt(use);
  }

  #find(name: string): string | undefined {
    const stored = this.#prefixes.map((prefix) => prefix + name).find((each) => this.#all.has(each));
    const alias = this.#aliases.get(name);
    return stored ?? (alias === undefined ? undefined : this.#find(alias));
  }
}
