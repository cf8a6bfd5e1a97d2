import { BerthaError } from '../errors.js';
import { quote } from './describe.js';
import { isWeightDtype } from './dtype.js';
import type { TensorInfo } from './safetensors.js';

export interface WeightMapOptions {
  /** Prefixes a stored name may carry before the name an architecture asks for: `['bert.']`. */
  readonly prefixes: readonly string[];
}

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
  readonly #placeholder: TensorInfo;
  readonly #taken = new Set<string>();
  readonly #missing: string[] = [];
  readonly #misshapen: string[] = [];
  readonly #unsupported: string[] = [];

  /** Errors: MODEL_MISMATCH if there is no tensor at all. */
  constructor(tensors: ReadonlyMap<string, TensorInfo>, options: WeightMapOptions) {
    const first = tensors.values().next().value;
    if (first === undefined)
      throw new BerthaError('MODEL_MISMATCH', 'Expected weights in the checkpoint but received a file without tensors.');
    this.#tensors = tensors;
    this.#prefixes = ['', ...options.prefixes];
    this.#placeholder = { ...first, dtype: 'F32', shape: [], byteLength: 0 };
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
      this.#missing.push(`${quote(name)} [${shape.join(', ')}]`);
      return { ...this.#placeholder, name, shape };
    }
    this.#taken.add(tensor.name);
    if (tensor.shape.length !== shape.length || tensor.shape.some((dimension, i) => dimension !== shape[i])) {
      this.#misshapen.push(`${quote(tensor.name)}: expected [${shape.join(', ')}], received [${tensor.shape.join(', ')}]`);
      return { ...this.#placeholder, name, shape };
    }
    if (!isWeightDtype(tensor.dtype)) {
      this.#unsupported.push(`${quote(tensor.name)}: ${tensor.dtype}`);
      return { ...this.#placeholder, name, shape };
    }
    return tensor;
  }

  /**
   * Ends the account. Returns the names, as stored, of tensors nobody took: heads of another task, for instance. They are no error.
   *
   * Errors: MODEL_MISMATCH (missing or misshapen tensors), DTYPE_UNSUPPORTED (nothing wrong but element types).
   */
  finish(): { readonly surplus: readonly string[] } {
    const surplus = [...this.#tensors.keys()].filter((name) => !this.#taken.has(name) && !kBuffers.test(name));
    const problems = [
      listing('missing', this.#missing),
      listing('of another shape', this.#misshapen),
      listing('of an element type that cannot be a weight (F32, F16, BF16 and F64 can)', this.#unsupported),
    ].filter((text) => text !== '');
    if (problems.length === 0) return { surplus };
    if (this.#missing.length + this.#misshapen.length === 0) {
      throw new BerthaError('DTYPE_UNSUPPORTED', `Expected floating-point weights but received tensors ${problems.join('; ')}.`);
    }
    const rest = listing('stored but not asked for', surplus.map(quote));
    throw new BerthaError(
      'MODEL_MISMATCH',
      `Expected the tensors that config.json describes but received ${[...problems, rest].filter((text) => text !== '').join('; ')}.`,
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
    return undefined;
  }
}

function listing(what: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const more = items.length > kMostListed ? `, and ${items.length - kMostListed} more` : '';
  return `${items.length} ${what}: ${items.slice(0, kMostListed).join(', ')}${more}`;
}
