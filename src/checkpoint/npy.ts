// NumPy's file format for one array, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html: what matrices need of it.
import type { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { quotePath } from './describe.js';
import { openRegularFile, readFully } from './files.js';

/** A row-major matrix in a file. */
export interface NpyMatrix {
  readonly data: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Types of elements: float32 and float64, and the bytes of quantised vectors. */
export type NpyType = '<f4' | '<f8' | '|i1' | '|u1';

const kMagic = '\x93NUMPY';
/** The longest header that is read; numpy writes 118 bytes for a matrix. */
const kMostHeaderBytes = 1 << 16;

/**
 * The header of a matrix, version 1.0, padded to a multiple of 64 bytes, or to `bytes`, room for any number of rows.
 */
export function npyHeader(type: NpyType, rows: number, columns: number, bytes = 128): Uint8Array {
  const header = Buffer.alloc(bytes, ' ');
  header.write(`${kMagic}\x01\x00`, 'latin1');
  header.writeUInt16LE(bytes - 10, 8);
  header.write(`{'descr': '${type}', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`, 10);
  header.write('\n', bytes - 1);
  return header;
}

/** What the header of a .npy file says of its matrix. */
export interface NpyHeader {
  readonly rows: number;
  readonly columns: number;
  readonly bytesPerNumber: 4 | 8;
  /** Where the numbers begin; they end with the file. */
  readonly dataOffset: number;
}

/**
 * Reads the header from the first bytes of a file of `size` bytes.
 *
 * Errors: VECTOR_FILE for another type, order or number of dimensions, and for a file that is damaged, cut or longer than its header says.
 */
export function parseNpyHeader(head: Buffer, size: number, path: string): NpyHeader {
  const refuse = (expected: string, got: string): BerthaError => unexpected('VECTOR_FILE', `${expected} in ${quotePath(path)}`, got);
  if (head.length < 12 || head.toString('latin1', 0, 6) !== kMagic) throw refuse('a .npy file', 'something else');
  const version = head[6]!;
  if (version < 1 || version > 3) throw refuse('version 1, 2 or 3 of the format', `version ${version}`);
  const first = version === 1 ? 10 : 12;
  const dataOffset = first + (version === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8));
  if (dataOffset > head.length) throw refuse(`a header of at most ${head.length - first} bytes`, `one of ${dataOffset - first}`);
  const header = head.toString('latin1', first, dataOffset);
  const match = /^\{'descr': ?'([^']*)', ?'fortran_order': ?(True|False), ?'shape': ?\(([\d, ]*)\),? ?\}\s*$/.exec(header);
  if (match === null) throw refuse('descr, fortran_order and shape in the header', JSON.stringify(header.slice(0, 120)));
  const [, type, order, shape] = match;
  const bytesPerNumber = type === '<f4' ? 4 : 8;
  if (type !== '<f4' && type !== '<f8') throw refuse('float32 or float64, little-endian', `the type ${JSON.stringify(type)}`);
  if (order === 'True') throw refuse('rows one after another', 'columns (fortran_order)');
  const sizes = shape!.split(',').flatMap((each) => (each.trim() === '' ? [] : [Number(each)]));
  const [rows, columns] = sizes;
  if (sizes.length !== 2 || rows === undefined || columns === undefined || !sizes.every(Number.isSafeInteger)) {
    throw refuse('two dimensions', `(${shape})`);
  }
  const bytes = rows * columns * bytesPerNumber;
  if (bytes !== size - dataOffset) throw refuse(`${bytes} bytes of data, as (${shape}) has`, `${size - dataOffset}`);
  return { rows, columns, bytesPerNumber, dataOffset };
}

/**
 * Reads a matrix of float32 or float64 in C order.
 *
 * Errors: VECTOR_FILE as `parseNpyHeader` says; IO, OUT_OF_MEMORY.
 */
export async function readNpy(path: string): Promise<NpyMatrix> {
  const { handle, size } = await openRegularFile(path);
  try {
    const head = Buffer.alloc(Math.min(size, kMostHeaderBytes + 12));
    await readFully(handle, head, 0, path);
    const { rows, columns, bytesPerNumber, dataOffset } = parseNpyHeader(head, size, path);
    const data = allocate(rows * columns, bytesPerNumber === 4 ? Float32Array : Float64Array);
    await readFully(handle, new Uint8Array(data.buffer), dataOffset, path);
    return { data, rows, columns };
  } finally {
    await handle.close();
  }
}

function allocate(count: number, type: typeof Float32Array | typeof Float64Array): Float32Array | Float64Array {
  try {
    return new type(count);
  } catch (error) {
    throw unexpected('OUT_OF_MEMORY', `memory for ${count} numbers`, 'none', { cause: error });
  }
}
