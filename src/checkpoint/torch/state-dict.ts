import type { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { describe, quote } from '../describe.js';
import { dtypeBits, type Dtype } from '../safetensors/dtype.js';
import { MODEL_LIMITS } from '../safetensors/safetensors-header.js';
import { isKind, type PickleNames, type PickleValue } from './pickle.js';

/** A run of values of one type, of which tensors are views. */
export interface Storage {
  readonly kind: 'storage';
  readonly key: string;
  readonly dtype: Dtype;
  /** Values in it. */
  readonly count: number;
}

/** A tensor as the pickle describes it: sizes and distances count values. */
export interface View {
  readonly kind: 'view';
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

type TorchValue = Storage | View;
type Value = PickleValue<TorchValue>;

/** Names and what they hold: with these ten and the three below, whatever a file says is a tensor or it is refused. */
const kStorages: ReadonlyMap<string, Dtype> = new Map<string, Dtype>([
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.DoubleStorage', 'F64'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);
const kTensor = 'torch._utils._rebuild_tensor_v2';
const kParameter = 'torch._utils._rebuild_parameter';
const kDictionary = 'collections.OrderedDict';
const kCalls: readonly string[] = [kTensor, kParameter, kDictionary];

const kMaxTensors = 1 << 16;

/** The names that a file of torch.save needs for tensors, and what they make. */
export const torchNames: PickleNames<TorchValue> = {
  knows: (name) => kStorages.has(name) || kCalls.includes(name),
  call(name, args) {
    if (name === kTensor) return { kind: 'made', value: viewOf(args) };
    if (name === kParameter) return parameterOf(args);
    if (name !== kDictionary)
      throw unexpected('UNSAFE_FORMAT', 'tensors and nothing else in a file of torch.save', `a call of ${quote(name)}`);
    if (args.length > 0) throw damaged('an OrderedDict without arguments', `${args.length}`);
    return { kind: 'dict', keys: [], values: [] };
  },
  persistent: (id) => ({ kind: 'made', value: storageOf(id) }),
};

/** Under what a training loop keeps a model's tensors among other things. */
const kModelKeys = ['state_dict', 'model_state_dict', 'model'];
/** What torch's DataParallel puts before the name of every tensor. */
const kParallelPrefix = 'module.';

/**
 * The tensors by name of what a file of torch.save holds: a dictionary, of which values that are no tensors are left out, or one whose `state_dict`,
 * `model_state_dict` or `model` is such a dictionary.
 *
 * Errors: WEIGHTS (no dictionary, none of its values a tensor, a name twice), NAME.
 */
export function tensorsOf(value: Value): ReadonlyMap<string, View> {
  const inner = isKind(value, 'dict') ? kModelKeys.flatMap((key) => value.values[value.keys.indexOf(key)] ?? []) : [];
  const nested = inner.find((each) => isKind(each, 'dict'));
  if (nested !== undefined) return tensorsOf(nested);
  const views = viewsOf(value);
  const isParallel = [...views.keys()].every((name) => name.startsWith(kParallelPrefix));
  return isParallel ? new Map([...views].map(([name, view]) => [name.slice(kParallelPrefix.length), view])) : views;
}

function viewsOf(value: Value): ReadonlyMap<string, View> {
  if (!isKind(value, 'dict')) throw damaged('a dictionary of tensors in a file of torch.save', nameKind(value));
  const views = new Map<string, View>();
  value.keys.forEach((key, i) => {
    const view = value.values[i];
    if (!isKind(view, 'made') || view.value.kind !== 'view') return;
    if (typeof key !== 'string') throw damaged('a string for the name of every tensor', nameKind(key));
    if (views.has(key)) throw damaged(`tensor ${quote(key)} once`, 'it twice');
    if (Buffer.byteLength(key) > MODEL_LIMITS.maxNameBytes) {
      throw unexpected('NAME', `at most ${MODEL_LIMITS.maxNameBytes} bytes for a tensor name`, quote(key));
    }
    if (views.size >= kMaxTensors) throw damaged(`at most ${kMaxTensors} tensors for one file`, 'more');
    views.set(key, view.value);
  });
  if (views.size === 0) {
    const keys = value.keys.slice(0, 10).map((key) => (typeof key === 'string' ? quote(key) : nameKind(key)));
    throw damaged(
      'tensors by name in a file of torch.save',
      keys.length === 0 ? 'an empty dictionary' : `other values: ${keys.join(', ')}`,
    );
  }
  return views;
}

/** Bytes of one value. */
export function bytesPerValue(dtype: Dtype): number {
  return dtypeBits(dtype) / 8;
}

/** Values of a tensor. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether the values of a view lie end to end in C order. */
export function isContiguous({ shape, strides }: View): boolean {
  if (countOf(shape) === 0) return true;
  let distance = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== distance) return false;
    distance *= shape[i]!;
  }
  return true;
}

/** Requires that every value of a view lies in its storage. Errors: WEIGHTS, OVERFLOW. */
export function requireInside(name: string, { storage, offset, shape, strides }: View): void {
  let last = offset;
  let count = 1;
  shape.forEach((size, i) => {
    count *= size;
    last += (size - 1) * strides[i]!;
  });
  if (shape.includes(0) ? offset > storage.count : last >= storage.count) {
    throw damaged(
      `tensor ${quote(name)} to lie within its storage of ${storage.count} values`,
      `[${shape.join(', ')}] from ${offset} on at distances [${strides.join(', ')}]`,
    );
  }
  if (!shape.includes(0) && !Number.isSafeInteger(count * 8)) {
    throw unexpected('OVERFLOW', `fewer than 2^53 bytes for tensor ${quote(name)}`, `[${shape.join(', ')}]`);
  }
}

/** `('storage', type, key, place, count)`, before torch 1.6 with a view of it behind, which nobody has used since torch 0.4. */
function storageOf(id: Value): Storage {
  const [tag, type, key, , count, view] = isKind(id, 'tuple') ? id.items : [];
  const dtype = isKind(type, 'global') ? kStorages.get(type.name) : undefined;
  if (tag !== 'storage' || dtype === undefined || typeof key !== 'string' || !isSize(count) || (view !== undefined && view !== null)) {
    throw damaged('a storage with type, key and size for each persistent id', 'another value');
  }
  return { kind: 'storage', key, dtype, count };
}

/** `(storage, offset, sizes, strides, requires_grad, hooks)`, and perhaps `metadata`, which says that numbers are to be read in another way. */
function viewOf(args: readonly Value[]): View {
  const [storage, offset, sizes, strides, , hooks, metadata] = args;
  if (!isKind(storage, 'made') || storage.value.kind !== 'storage' || !isSize(offset)) {
    throw damaged('a storage and an offset for each tensor', 'other values');
  }
  const shape = sizesOf(sizes);
  const distances = sizesOf(strides);
  if (shape.length !== distances.length || shape.length > MODEL_LIMITS.maxRank) {
    throw damaged(`as many sizes as strides, at most ${MODEL_LIMITS.maxRank}, for each tensor`, `${shape.length} and ${distances.length}`);
  }
  for (const [what, given] of [
    ['hooks', hooks],
    ['metadata', metadata],
  ] as const) {
    const isNone = given === undefined || given === null || (isKind(given, 'dict') && given.keys.length === 0);
    if (!isNone) throw unexpected('UNSAFE_FORMAT', `a tensor without ${what} in a file of torch.save`, nameKind(given));
  }
  return { kind: 'view', storage: storage.value, offset, shape, strides: distances };
}

function parameterOf(args: readonly Value[]): Value {
  const [tensor] = args;
  if (isKind(tensor, 'made') && tensor.value.kind === 'view') return tensor;
  throw damaged('a tensor for each parameter', nameKind(tensor));
}

function sizesOf(value: Value | undefined): readonly number[] {
  if (isKind(value, 'tuple') && value.items.every(isSize)) return value.items;
  throw damaged('a tuple of sizes for each tensor', 'another value');
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function nameKind(value: Value | undefined): string {
  if (typeof value !== 'object' || value === null) return describe(value);
  if (value.kind !== 'made') return `a ${value.kind}`;
  return value.value.kind === 'view' ? 'a tensor' : 'a storage';
}

function damaged(expected: string, got: string): BerthaError {
  return unexpected('WEIGHTS', expected, got);
}
