import { wrongArgument, wrongOption } from '../../expected.js';

/** What a tensor keeps its numbers in. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Names of the number types, as transformers.js spells them; `bool` is kept in bytes of 0 and 1. */
export type TensorType = 'float32' | 'float64' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'bool';

/** One number of a tensor: a bigint where the tensor holds 64-bit integers. */
export type ElementOf<T extends TensorData> = T extends BigInt64Array | BigUint64Array ? bigint : number;

/** Data of the same length in floats: float64 stays, anything else becomes float32. */
export type FloatOf<T extends TensorData> = T extends Float64Array ? Float64Array : Float32Array;

/** A tensor's numbers in nested arrays, as deep as it has dimensions. */
export type Nested<E> = E | Nested<E>[];

/** Nested arrays of numbers. */
export type NestedNumbers = Nested<number>;

interface ArrayClass {
  new (length: number): TensorData;
  from(values: ArrayLike<unknown>, convert: (value: unknown) => unknown): TensorData;
}

const CLASSES = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} satisfies Record<TensorType, unknown>;

/** Types by the tags of their arrays; bytes are `uint8` unless a name says `bool`. */
const TYPES = new Map((Object.keys(CLASSES) as TensorType[]).toReversed().map((type) => [CLASSES[type].name, type]));

const classOf = (type: TensorType) => CLASSES[type] as unknown as ArrayClass;

/** The type of an array, by its tag, so that arrays of another realm count; undefined for what is no typed array. */
export function typeOfData(data: unknown): TensorType | undefined {
  const tag = ArrayBuffer.isView(data) ? (data as unknown as { readonly [Symbol.toStringTag]: string })[Symbol.toStringTag] : undefined;
  return tag === undefined ? undefined : TYPES.get(tag);
}

/** Errors: INVALID_OPTION for a name of no type. */
export function checkType(type: unknown): TensorType {
  if (typeof type === 'string' && Object.hasOwn(CLASSES, type)) return type as TensorType;
  const known = Object.keys(CLASSES).join(', ');
  throw wrongOption(`one of ${known} for the type of a tensor`, type);
}

/** Whether numbers of a type are bigints. */
export function isBig(type: TensorType): boolean {
  return type === 'int64' || type === 'uint64';
}

/** Whether numbers of a type may have a fraction. */
export function isFloat(type: TensorType): boolean {
  return type === 'float32' || type === 'float64';
}

/** A new array of zeros. */
export function newData(type: TensorType, length: number): TensorData {
  return new (classOf(type))(length);
}

/**
 * Data of a type from a list of numbers, bigints or booleans; an array of that type is taken as it is.
 *
 * Errors: INVALID_ARG for what is no list of numbers, or no whole number where the type holds only those.
 */
export function toData(type: TensorType, values: unknown): TensorData {
  const list = values as ArrayLike<unknown> | null | undefined;
  if (typeof list !== 'object' || typeof list?.length !== 'number') {
    throw wrongArgument('numbers for the data of a tensor', values);
  }
  const own = typeOfData(list);
  if (own === type || (type === 'bool' && own === 'uint8')) return list as TensorData;
  return classOf(type).from(list, (value) => {
    const number = typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : value;
    if (typeof number !== 'number' || (!isFloat(type) && !Number.isInteger(number))) {
      const what = isFloat(type) ? 'numbers' : 'whole numbers';
      throw wrongArgument(`${what} for the data of a tensor of ${type}`, value);
    }
    return isBig(type) ? BigInt(value as number) : number;
  });
}

/**
 * Data of one type as another, as JavaScript's typed arrays convert: fractions are cut off, for 64 bits rounded down.
 *
 * Errors: INVALID_ARG for a float that no integer of 64 bits stands for.
 */
export function convertData(data: TensorData, type: TensorType): TensorData {
  return classOf(type).from(data as ArrayLike<unknown>, (value) => {
    if (!isBig(type)) return Number(value);
    const whole = typeof value === 'bigint' ? value : Math.floor(value as number);
    if (typeof whole === 'bigint' || Number.isFinite(whole)) return BigInt(whole);
    throw wrongArgument(`finite numbers for a tensor of ${type}`, value);
  });
}
