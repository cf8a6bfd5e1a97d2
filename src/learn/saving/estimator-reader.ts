import { describe } from '../../checkpoint/describe.js';
import { JsonFields, type JsonObject } from '../../checkpoint/json-fields.js';
import { isWeightDtype, type SafetensorsFile, type TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import type { Label } from '../../metrics/classification.js';

/** The parts of a saved estimator. Each is checked when it is asked for. Errors: ESTIMATOR, which names file and field. */
export class EstimatorReader {
  /** The fields beside `params`. */
  readonly fields: JsonFields;
  readonly #tensors: SafetensorsFile | undefined;

  constructor(
    json: JsonObject,
    /** The JSON file, as messages call it. */
    readonly file: string,
    /** scikit-learn's name of the class. */
    readonly type: string,
    tensors: SafetensorsFile | undefined,
    readonly tensorFile: string,
  ) {
    this.fields = new JsonFields(json, file, 'ESTIMATOR');
    this.#tensors = tensors;
  }

  /** The estimator that `make` makes of the options in the file, under our names. `change` turns values of JSON into those of options. */
  make<T>(make: (options: Record<string, unknown>) => T, change: Readonly<Record<string, (value: unknown) => unknown>> = {}): T {
    const options: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(this.fields.object('params') ?? {})) {
      const name = key.replace(/(?<=[a-z])_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      if (Object.hasOwn(change, name)) options[name] = change[name]!(value);
      else if (value !== null) options[name] = value;
    }
    try {
      return make(options);
    } catch (error) {
      if (!(error instanceof BerthaError) || (error.code !== 'INVALID_OPTION' && error.code !== 'EMPTY_INPUT')) throw error;
      throw new BerthaError('ESTIMATOR', `"params" of ${this.file}: ${error.message}`, { cause: error });
    }
  }

  /** Different labels of one kind. */
  labels(key: string, value: unknown = this.fields.get(key)): readonly Label[] {
    const isLabel = (each: unknown): each is Label => typeof each === 'string' || typeof each === 'boolean' || Number.isFinite(each);
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    if (
      list.length === 0 ||
      !list.every(isLabel) ||
      new Set(list.map((each) => typeof each)).size > 1 ||
      new Set(list).size < list.length
    ) {
      throw this.fields.error(key, 'a list of different labels of one kind', value);
    }
    return list;
  }

  /** A list of lists. */
  lists(key: string): readonly (readonly unknown[])[] {
    const value = this.fields.get(key);
    if (!Array.isArray(value) || value.length === 0 || !value.every(Array.isArray)) throw this.fields.error(key, 'a list of lists', value);
    return value as readonly (readonly unknown[])[];
  }

  /** Whether there is such a tensor. */
  has(name: string): boolean {
    return this.#tensors?.tensors.has(name) === true;
  }

  /** Finite numbers [length], of any float type in the file; also NaN where `allowNaN`. */
  async vector(name: string, length?: number, allowNaN = false): Promise<Float64Array> {
    const { shape } = this.#find(name);
    if (shape.length !== 1 || (length !== undefined && shape[0] !== length)) throw this.#wrongShape(name, [length], shape);
    return this.#floats(name, allowNaN);
  }

  /** Rows of finite numbers [rows][columns], one column or more. */
  async rows(name: string, count?: number, columns?: number): Promise<Float64Array[]> {
    const { shape } = this.#find(name);
    const [rows, width] = shape;
    const fits = shape.length === 2 && (count ?? rows) === rows && (columns ?? width) === width && rows !== 0 && width !== 0;
    if (!fits) throw this.#wrongShape(name, [count, columns], shape);
    const data = await this.#floats(name);
    return Array.from({ length: rows! }, (_, i) => data.slice(i * width!, (i + 1) * width!));
  }

  /** Whole numbers below `end` [length]; int32 or int64 in the file. */
  async places(name: string, end: number, length?: number): Promise<Int32Array> {
    const { shape, dtype } = this.#find(name);
    if (shape.length !== 1 || (length !== undefined && shape[0] !== length)) throw this.#wrongShape(name, [length], shape);
    if (dtype !== 'I32' && dtype !== 'I64') throw this.#wrongType(name, 'I32 or I64', dtype);
    const { buffer } = await this.#tensors!.read(name);
    const values = dtype === 'I32' ? new Int32Array(buffer as ArrayBuffer) : Array.from(new BigInt64Array(buffer as ArrayBuffer), Number);
    const wrong = values.findIndex((value) => !(value >= 0 && value < end));
    if (wrong >= 0)
      throw unexpected('ESTIMATOR', `numbers from 0 to ${end - 1} for tensor "${name}" of ${this.tensorFile}`, values[wrong]!);
    return Int32Array.from(values);
  }

  /** A whole number from 0, or 0 where there is none. */
  count(key: string): number {
    return this.fields.integer(key, 0, Number.MAX_SAFE_INTEGER) ?? 0;
  }

  #find(name: string): TensorInfo {
    const tensor = this.#tensors?.tensors.get(name);
    if (tensor !== undefined) return tensor;
    const got =
      this.#tensors === undefined ? 'no such file' : `the tensors ${[...this.#tensors.tensors.keys()].slice(0, 8).join(', ') || 'none'}`;
    throw unexpected('ESTIMATOR', `tensor "${name}" in ${this.tensorFile}`, got);
  }

  async #floats(name: string, allowNaN = false): Promise<Float64Array> {
    const { dtype } = this.#find(name);
    if (!isWeightDtype(dtype)) throw this.#wrongType(name, 'F64, F32, F16 or BF16', dtype);
    const values =
      dtype === 'F64' ? new Float64Array((await this.#tensors!.read(name)).buffer as ArrayBuffer) : await this.#tensors!.readFloat32(name);
    const wrong = values.findIndex((value) => !Number.isFinite(value) && !(allowNaN && Number.isNaN(value)));
    if (wrong >= 0) {
      throw unexpected('ESTIMATOR', `finite numbers for tensor "${name}" of ${this.tensorFile}`, `${describe(values[wrong])} at ${wrong}`);
    }
    return Float64Array.from(values);
  }

  #wrongShape(name: string, wanted: readonly (number | undefined)[], shape: readonly number[]): BerthaError {
    const text = wanted.map((size) => size ?? 'any').join(', ');
    return unexpected('ESTIMATOR', `the shape [${text}] for tensor "${name}" of ${this.tensorFile}`, `[${shape.join(', ')}]`);
  }

  #wrongType(name: string, wanted: string, dtype: string): BerthaError {
    return unexpected('ESTIMATOR', `${wanted} for tensor "${name}" of ${this.tensorFile}`, dtype);
  }
}
