// Files as torch.save writes them, and pieces to make wrong ones of.
import { SafetensorsFile, type Dtype } from '../../src/checkpoint/safetensors/safetensors.js';

/** A tensor to write: values of a storage, from an offset on, at distances that count values. */
export interface TorchTensor {
  readonly name: string;
  /** The storage's key; tensors of one key share it. */
  readonly key: string;
  /** torch's class, such as FloatStorage. */
  readonly type: string;
  readonly bytes: Buffer;
  readonly count: number;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
}

/** Strides of values that lie end to end. */
export function inOrder(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
}

/** Operations of a pickle, as bytes. */
export const pickle = {
  text(value: string): Buffer {
    const bytes = Buffer.from(value, 'utf8');
    const head = Buffer.alloc(5, 'X');
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  },
  integer(value: number): Buffer {
    if (value < 2 ** 31) {
      const bytes = Buffer.alloc(5, 'J');
      bytes.writeInt32LE(value, 1);
      return bytes;
    }
    const bytes = Buffer.alloc(10);
    bytes.writeUInt16LE(0x088a);
    bytes.writeBigInt64LE(BigInt(value), 2);
    return bytes;
  },
  name: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  tuple: (...items: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]),
  call: (callee: Buffer, args: Buffer): Buffer => Buffer.concat([callee, args, Buffer.from('R')]),
  dictionary: (items: readonly (readonly [Buffer, Buffer])[]): Buffer =>
    Buffer.concat([Buffer.from('}('), ...items.flat(), Buffer.from('u')]),
  whole: (...operations: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from([0x80, 2]), ...operations, Buffer.from('.')]),
};

const hooks = pickle.call(pickle.name('collections', 'OrderedDict'), Buffer.from(')'));

/** The call that makes a tensor. `legacy`: with the view of a storage that files before torch 1.6 have. */
export function tensorCall({ key, type, count, shape, strides = inOrder(shape), offset = 0 }: TorchTensor, legacy = false): Buffer {
  const id = [pickle.text('storage'), pickle.name('torch', type), pickle.text(key), pickle.text('cpu'), pickle.integer(count)];
  const storage = Buffer.concat([pickle.tuple(...id, ...(legacy ? [Buffer.from('N')] : [])), Buffer.from('Q')]);
  const sizes = [shape, strides].map((list) => pickle.tuple(...list.map(pickle.integer)));
  const args = pickle.tuple(storage, pickle.integer(offset), ...sizes, Buffer.from([0x89]), hooks);
  return pickle.call(pickle.name('torch._utils', '_rebuild_tensor_v2'), args);
}

/** The pickle of tensors by name. */
export function tensorPickle(tensors: readonly TorchTensor[], legacy = false): Buffer {
  return pickle.whole(pickle.dictionary(tensors.map((tensor) => [pickle.text(tensor.name), tensorCall(tensor, legacy)])));
}

/** Each storage once. */
function storagesOf(tensors: readonly TorchTensor[]): Map<string, TorchTensor> {
  return new Map(tensors.map((tensor) => [tensor.key, tensor]));
}

/** A zip archive of torch 1.6 and later; `data` in place of the tensors' own pickle. */
export function torchArchive(tensors: readonly TorchTensor[], data = tensorPickle(tensors)): Buffer {
  const files = [...storagesOf(tensors)].map(([key, { bytes }]) => [`archive/data/${key}`, bytes] as const);
  return zip([['archive/data.pkl', data], ['archive/byteorder', Buffer.from('little')], ...files, ['archive/version', Buffer.from('3\n')]]);
}

/** The stream of torch before 1.6. */
export function torchStream(tensors: readonly TorchTensor[], data = tensorPickle(tensors, true)): Buffer {
  const magic = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex');
  const machine = pickle.dictionary([[pickle.text('little_endian'), Buffer.from([0x88])]]);
  const storages = storagesOf(tensors);
  const keys = Buffer.concat([Buffer.from(']('), ...[...storages.keys()].map(pickle.text), Buffer.from('e')]);
  const values = [...storages.values()].flatMap(({ count, bytes }) => {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(count));
    return [head, bytes];
  });
  return Buffer.concat([
    pickle.whole(magic),
    pickle.whole(pickle.integer(1001)),
    pickle.whole(machine),
    data,
    pickle.whole(keys),
    ...values,
  ]);
}

/** How an archive differs from a sound one. */
export interface ZipFaults {
  /** The method of compression that the directory names. */
  readonly method?: number;
  readonly flags?: number;
  /** Sizes and places of 64 bits, in the directory and behind it. */
  readonly long?: boolean;
}

/** A zip archive of files as they are. */
export function zip(files: readonly (readonly [string, Buffer])[], { method = 0, flags = 0, long = false }: ZipFaults = {}): Buffer {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(long ? 28 : 0, 30);
    for (const [field, value] of [
      [20, content.length],
      [24, content.length],
      [42, at],
    ] as const) {
      entry.writeUInt32LE(long ? 0xffffffff : value, field);
    }
    const extra = Buffer.alloc(long ? 28 : 0);
    if (long) {
      extra.writeUInt32LE((24 << 16) | 1);
      [content.length, content.length, at].forEach((value, i) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
    }
    parts.push(local, Buffer.from(name), content);
    entries.push(entry, Buffer.from(name), extra);
    at += 30 + name.length + content.length;
  }
  const directory = Buffer.concat(entries);
  const end64 = Buffer.alloc(long ? 76 : 0);
  if (long) {
    end64.writeUInt32LE(0x06064b50);
    [files.length, directory.length, at].forEach((value, i) => end64.writeBigUInt64LE(BigInt(value), 32 + 8 * i));
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(at + directory.length), 64);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(long ? 0xffff : files.length, 10);
  end.writeUInt32LE(long ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(long ? 0xffffffff : at, 16);
  return Buffer.concat([...parts, directory, end64, end]);
}

const kTypes: Readonly<Partial<Record<Dtype, string>>> = { F32: 'FloatStorage', I64: 'LongStorage', F16: 'HalfStorage' };

/** The tensors of a safetensors file as torch.save has them, matrices transposed where that is asked for. */
export async function readAsTorch(file: string, transposes: boolean): Promise<TorchTensor[]> {
  const opened = await SafetensorsFile.open(file);
  const tensors: TorchTensor[] = [];
  for (const [name, { dtype, shape }] of opened.tensors) {
    const bytes = Buffer.from(await opened.read(name));
    const count = shape.reduce((a, b) => a * b, 1);
    const [rows = 0, cols = 0] = shape;
    const turns = transposes && shape.length === 2 && dtype === 'F32';
    const values = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const turned = turns ? Uint32Array.from(values, (_, i) => values[(i % rows) * cols + Math.floor(i / rows)]!) : values;
    const stored = Buffer.from(turned.buffer, turned.byteOffset, turned.byteLength);
    tensors.push({
      name,
      key: `${tensors.length}`,
      type: kTypes[dtype]!,
      bytes: stored,
      count,
      shape,
      strides: turns ? [1, rows] : inOrder(shape),
    });
  }
  await opened.close();
  return tensors;
}
