import { basename } from 'node:path';
import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { quote, quotePath } from '../describe.js';
import { readFully } from '../files.js';
import type { TensorHeader } from '../safetensors/safetensors-header.js';
import { allocate, openTensorFile, TensorFile, type OpenedFile, type TensorInfo } from '../weights/tensor-file.js';
import { isKind, readPickle, type PickleValue, type ReadPickle } from './pickle.js';
import { rearrange, type ScatteredTensor } from './rearranged.js';
import { bytesPerValue, countOf, isContiguous, requireInside, tensorsOf, torchNames, type Storage, type View } from './state-dict.js';
import { readZip, ZIP_SIGNATURE } from './zip.js';

/** The open files of one file's tensors, and the tensors. */
export interface TorchTensors {
  /** The file itself, and a temporary one where there are tensors whose values did not lie end to end. */
  readonly files: readonly TensorFile[];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** What a file says: its tensors, and where each storage lies. */
interface Contents {
  readonly views: ReadonlyMap<string, View>;
  readonly storages: ReadonlyMap<string, { readonly byteOffset: number; readonly byteLength: number }>;
}

const kMagicNumber = 0x1950a86a20f9469cfc6cn;
const kProtocol = 1001;
/** What every pickle of protocol 2 and later begins with. */
const kPickleByte = 0x80;
const kMaxPickleBytes = 32 << 20;
const kFirstPickleBytes = 1 << 16;

/**
 * Opens a file that torch.save wrote, a zip archive or the stream that it was before torch 1.6, and reads what it says about its tensors. It is read as
 * data: nothing in it is called. No tensor is read but those that are transposed or cut out of others, which are laid out anew.
 *
 * Errors: UNSAFE_FORMAT (anything that is not a tensor; it is named), WEIGHTS (damaged), IO, LFS_POINTER, OUT_OF_MEMORY, NAME, OVERFLOW.
 */
export async function openTorchFile(path: string): Promise<TorchTensors> {
  const opened = await openTensorFile(path);
  try {
    return await layOut(opened, await readContents(opened));
  } catch (error) {
    await opened.handle.close();
    if (!(error instanceof BerthaError) || error.code === 'IO') throw error;
    const hint = error.code === 'UNSAFE_FORMAT' ? ` ${conversion(basename(path))}` : '';
    throw new BerthaError(error.code, `${quotePath(path)}: ${error.message}${hint}`, { cause: error });
  }
}

/** How Python makes safetensors of a file. */
function conversion(name: string): string {
  return `To convert it, in a place where you trust the file: python -c "import torch; from safetensors.torch import save_file; w = torch.load('${name}', map_location='cpu', weights_only=True); save_file({k: v.contiguous().clone() for k, v in w.items()}, 'model.safetensors')" (pip install torch safetensors)`;
}

async function readContents(opened: OpenedFile): Promise<Contents> {
  const { handle, size, path } = opened;
  const start = Buffer.alloc(Math.min(size, 16));
  await readFully(handle, start, 0, path);
  if (start.length >= 4 && start.readUInt32LE(0) === ZIP_SIGNATURE) return readArchive(opened);
  if (start[0] === kPickleByte) return readStream(opened);
  throw unexpected('UNSAFE_FORMAT', 'a file that torch.save wrote', `one that begins with ${quote(start.toString('latin1'))}`);
}

/** `name/data.pkl` and a file `name/data/KEY` for each storage. */
async function readArchive(opened: OpenedFile): Promise<Contents> {
  const { handle, path } = opened;
  const entries = await readZip(opened);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const root = pickles[0]?.replace(/data\.pkl$/, '');
  if (root === undefined || pickles.length > 1) throw damaged('one data.pkl in the archive of torch.save', `${pickles.length}`);
  if (entries.has(`${root}constants.pkl`))
    throw unexpected('UNSAFE_FORMAT', 'tensors in the archive of torch.save', 'a TorchScript program');
  const read = async (name: string): Promise<Buffer | undefined> => {
    const entry = entries.get(root + name);
    if (entry === undefined) return undefined;
    if (entry.byteLength > kMaxPickleBytes)
      throw damaged(`at most ${kMaxPickleBytes} bytes for ${name} in the archive`, `${entry.byteLength}`);
    const bytes = Buffer.alloc(entry.byteLength);
    await readFully(handle, bytes, entry.byteOffset, path);
    return bytes;
  };
  const order = (await read('byteorder'))?.toString('latin1') ?? 'little';
  if (order !== 'little') throw damaged('little-endian numbers', quote(order));
  const pickle = readPickle((await read('data.pkl'))!, 0, torchNames);
  if (pickle === undefined) throw damaged('a whole pickle in data.pkl', 'one that is cut off');
  const prefix = `${root}data/`;
  const storages = [...entries].flatMap(([name, entry]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), entry] as const] : []));
  return { views: tensorsOf(pickle.value), storages: new Map(storages) };
}

/** Five pickles (a number, a version, the machine that wrote it, the tensors, the keys of their storages), then each storage behind its size. */
async function readStream(opened: OpenedFile): Promise<Contents> {
  const { handle, size, path } = opened;
  const { views, keys, end } = await readHead(opened);
  const known = new Map<string, Storage>();
  for (const [name, { storage }] of views) {
    const other = known.get(storage.key);
    if (other !== undefined && (other.dtype !== storage.dtype || other.count !== storage.count)) {
      throw damaged(`one type and size for the storage of ${quote(name)}`, 'two');
    }
    known.set(storage.key, storage);
  }
  const storages = new Map<string, { byteOffset: number; byteLength: number }>();
  let at = end;
  for (const key of keys) {
    const storage = known.get(key);
    if (storage === undefined || storages.has(key)) throw damaged('each storage once, and tensors of it', quote(key));
    const byteLength = storage.count * bytesPerValue(storage.dtype);
    if (at + kCountBytes + byteLength > size)
      throw damaged(`storage ${quote(key)} of ${byteLength} bytes inside the file`, `${size - at} bytes`);
    const count = Buffer.alloc(kCountBytes);
    await readFully(handle, count, at, path);
    if (count.readBigUInt64LE(0) !== BigInt(storage.count)) {
      throw damaged(`${storage.count} values in storage ${quote(key)}`, `${count.readBigUInt64LE(0)}`);
    }
    storages.set(key, { byteOffset: at + kCountBytes, byteLength });
    at += kCountBytes + byteLength;
  }
  if (at !== size) throw damaged(`the file to end after its storages, at byte ${at},`, `${size} bytes`);
  return { views, storages };
}

const kCountBytes = 8;

/** The five pickles. How long they are is only known once they are read: more of the file is taken until it is enough. */
async function readHead(opened: OpenedFile): Promise<{ views: ReadonlyMap<string, View>; keys: readonly string[]; end: number }> {
  const { handle, size, path } = opened;
  for (let length = kFirstPickleBytes; ; length *= 4) {
    const bytes = Buffer.from(allocate(Math.min(length, size, kMaxPickleBytes), `the head of ${quotePath(path)}`).buffer);
    await readFully(handle, bytes, 0, path);
    const head = parseHead(bytes);
    if (head !== undefined) return head;
    if (bytes.length === size) throw damaged('a whole pickle', 'one that is cut off');
    if (bytes.length === kMaxPickleBytes) throw damaged(`at most ${kMaxPickleBytes} bytes before the storages`, 'more');
  }
}

function parseHead(bytes: Buffer): { views: ReadonlyMap<string, View>; keys: readonly string[]; end: number } | undefined {
  let at = 0;
  const next = (): ReadPickle<Storage | View> => {
    const pickle = readPickle(bytes, at, torchNames);
    at = pickle?.end ?? at;
    return pickle;
  };
  const magic = next();
  if (magic === undefined) return undefined;
  if (magic.value !== kMagicNumber) throw unexpected('UNSAFE_FORMAT', 'a file that torch.save wrote', 'a pickle of something else');
  const protocol = next();
  if (protocol !== undefined && protocol.value !== kProtocol) throw damaged(`version ${kProtocol} of torch.save's stream`, 'another');
  const machine = protocol && next();
  if (machine !== undefined && !isLittleEndian(machine.value)) throw damaged('a file of a little-endian machine', 'another');
  const object = machine && next();
  const keys = object && next();
  return keys && { views: tensorsOf(object.value), keys: keysOf(keys.value), end: at };
}

function isLittleEndian(machine: PickleValue<unknown>): boolean {
  if (!isKind(machine, 'dict')) return false;
  return machine.values[machine.keys.indexOf('little_endian')] === true;
}

function keysOf(value: PickleValue<unknown>): readonly string[] {
  if (!isKind(value, 'list')) throw damaged('a list of storages', 'another value');
  return value.items.map((key) => {
    if (typeof key !== 'string') throw damaged('a string for the key of each storage', 'another value');
    return key;
  });
}

/** Tensors whose values lie end to end stay where they are; the others go to a temporary file, of at most the size of this one. */
async function layOut(opened: OpenedFile, { views, storages }: Contents): Promise<TorchTensors> {
  const stored: TensorHeader[] = [];
  const scattered: ScatteredTensor[] = [];
  let scatteredBytes = 0;
  for (const [name, view] of views) {
    const { dtype, count, key } = view.storage;
    const place = storages.get(key);
    const bytes = bytesPerValue(dtype);
    if (place === undefined) throw damaged(`storage ${quote(key)} of tensor ${quote(name)} in the file`, 'none');
    if (place.byteLength !== count * bytes) {
      throw damaged(`${count * bytes} bytes (${count} ${dtype}) in storage ${quote(key)} of tensor ${quote(name)}`, `${place.byteLength}`);
    }
    requireInside(name, view);
    const byteLength = countOf(view.shape) * bytes;
    if (isContiguous(view)) {
      stored.push({ name, dtype, shape: view.shape, byteOffset: place.byteOffset + view.offset * bytes, byteLength });
    } else {
      scattered.push({ name, view, storageOffset: place.byteOffset });
      scatteredBytes += byteLength;
    }
  }
  if (scatteredBytes > opened.size) {
    throw damaged(`tensors that are not stored in order to have at most the ${opened.size} bytes of the file`, `${scatteredBytes} bytes`);
  }
  const rearranged = scattered.length === 0 ? undefined : await rearrange(opened, scattered);
  const file = new TensorFile(opened, stored);
  const all = new Map([...file.tensors, ...(rearranged?.tensors ?? [])]);
  const tensors = new Map([...views.keys()].map((name) => [name, all.get(name)!]));
  return { files: rearranged === undefined ? [file] : [file, rearranged], tensors };
}

function damaged(expected: string, got: string): BerthaError {
  return unexpected('WEIGHTS', expected, got);
}
