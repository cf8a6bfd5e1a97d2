import type { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import { isWeightDtype } from '../safetensors/dtype.js';
import type { TensorInfo } from '../safetensors/safetensors.js';
import { isCoded } from './row-scales.js';

export interface WeightMapOptions {
  /** Prefixes a stored name may carry before the name an architecture asks for: `['bert.']`. */
  readonly prefixes: readonly string[];
  /** Another name for a tensor, used where the first is not stored: of two tied tensors a file holds one. */
  readonly aliases?: ReadonlyMap<string, string>;
}

/** What was taken, and what was wrong with it. */
interface Account {
  readonly taken: Set<string>;
  readonly missing: string[];
  readonly misshapen: string[];
  readonly unsupported: string[];
}

const newAccount = (): Account => ({ taken: new Set(), missing: [], misshapen: [], unsupported: [] });

/** Longest list in one error message; the counts are always complete. */
const kMostListed = 20;
/** Buffers that old checkpoints store beside the weights; they hold 0, 1, 2, … or zeros. */
const kBuffers = /(^|\.)(position_ids|token_type_ids)$/;

/**
 * Hands out a checkpoint's tensors by the names an architecture asks for, and keeps account: `finish` throws one error that names every
 * tensor that is missing, has another shape or an element type that cannot be a weight, and returns those nobody asked for.
 *
 * A stored name may carry one of the prefixes, and a LayerNorm may be stored as `gamma` and `beta` (TensorFlow's names, kept by the
 * original bert-base files).
 */
export class WeightMap {
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  readonly #prefixes: readonly string[];
  readonly #aliases: ReadonlyMap<string, string>;
  /** A tensor without bytes, for those that have no values yet. */
  readonly placeholder: TensorInfo;
  #account = newAccount();

  /** Errors: MODEL_MISMATCH if there is no tensor at all. */
  constructor(tensors: ReadonlyMap<string, TensorInfo>, options: WeightMapOptions) {
    const first = tensors.values().next().value;
    if (first === undefined) throw unexpected('MODEL_MISMATCH', 'weights in the checkpoint', 'a file without tensors');
    this.#tensors = tensors;
    this.#prefixes = ['', ...options.prefixes];
    this.#aliases = options.aliases ?? new Map();
    this.placeholder = { ...first, dtype: 'F32', shape: [], byteLength: 0 };
  }

  /** The shape of this weight as stored, or undefined. Does not count as taking it. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#find(name)?.shape;
  }

  /** Whether the checkpoint stores this weight under any of its names. Does not count as taking it. */
  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /**
   * The tensor for `name`, which must have exactly this shape. For one that is missing or unfit it returns a tensor without bytes, so
   * that `finish` can name all of them at once; nothing may be read before `finish` has returned.
   */
  take(name: string, shape: readonly number[]): TensorInfo {
    const tensor = this.#find(name);
    if (tensor === undefined) {
      this.#account.missing.push(`${quote(name)} [${shape.join(', ')}]`);
      return { ...this.placeholder, name, shape };
    }
    this.#account.taken.add(tensor.name);
    if (tensor.shape.length !== shape.length || tensor.shape.some((dimension, i) => dimension !== shape[i])) {
      this.#account.misshapen.push(`${quote(tensor.name)}: expected [${shape.join(', ')}], received [${tensor.shape.join(', ')}]`);
      return { ...this.placeholder, name, shape };
    }
    if (!isWeightDtype(tensor.dtype) && !isCoded(tensor)) {
      this.#account.unsupported.push(`${quote(tensor.name)}: ${tensor.dtype}`);
      return { ...this.placeholder, name, shape };
    }
    return tensor;
  }

  /**
   * Runs `use` on an account of its own; returns what it returns and the names, as stored, of the tensors it took. Where it fails, none of
   * them counts as taken.
   *
   * Errors: what `use` throws, else what `finish` would throw for this account.
   */
  attempt<T>(use: () => T): { readonly result: T; readonly taken: ReadonlySet<string> } {
    const outer = this.#account;
    const own = (this.#account = newAccount());
    let result: T;
    try {
      result = use();
    } finally {
      this.#account = outer;
    }
    const taken = new Set([...outer.taken, ...own.taken]);
    const problem = this.#problemOf(own, taken);
    if (problem !== undefined) throw problem;
    this.#account = { ...outer, taken };
    return { result, taken: own.taken };
  }

  /**
   * Ends the account. Returns the names, as stored, of tensors nobody took: heads of another task, for instance. They are no error.
   *
   * Errors: MODEL_MISMATCH (missing or misshapen tensors), DTYPE_UNSUPPORTED (nothing wrong but element types).
   */
  finish(): { readonly surplus: readonly string[] } {
    const problem = this.#problemOf(this.#account, this.#account.taken);
    if (problem !== undefined) throw problem;
    return { surplus: this.#surplus(this.#account.taken) };
  }

  #surplus(taken: ReadonlySet<string>): string[] {
    return [...this.#tensors.keys()].filter((name) => !taken.has(name) && !kBuffers.test(name));
  }

  #problemOf({ missing, misshapen, unsupported }: Account, taken: ReadonlySet<string>): BerthaError | undefined {
    const problems = [
      listing('missing', missing),
      listing('of another shape', misshapen),
      listing('of an element type that cannot be a weight (F32, F16, BF16 and F64 can, and I8 with a scale for each row)', unsupported),
    ].filter((text) => text !== '');
    if (problems.length === 0) return undefined;
    if (missing.length + misshapen.length === 0) {
      return unexpected('DTYPE_UNSUPPORTED', 'floating-point weights', `tensors ${problems.join('; ')}`);
    }
    const rest = listing('stored but not asked for', this.#surplus(taken).map(quote));
    return unexpected(
      'MODEL_MISMATCH',
      'the tensors that config.json describes',
      [...problems, rest].filter((text) => text !== '').join('; '),
    );
  }

  #find(name: string): TensorInfo | undefined {
    const spellings = [name];
    if (name.endsWith('LayerNorm.weight')) spellings.push(name.replace(/weight$/, 'gamma'));
    if (name.endsWith('LayerNorm.bias')) spellings.push(name.replace(/bias$/, 'beta'));
    for (const spelling of spellings) {
      for (const prefix of this.#prefixes) {
        const tensor = this.#tensors.get(prefix + spelling);
        if (tensor !== undefined) return tensor;
      }
    }
    const alias = this.#aliases.get(name);
    return alias === undefined ? undefined : this.#find(alias);
  }
}

function listing(what: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const more = items.length > kMostListed ? `, and ${items.length - kMostListed} more` : '';
  return `${items.length} ${what}: ${items.slice(0, kMostListed).join(', ')}${more}`;
}
