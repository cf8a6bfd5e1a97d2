import { isUtf8 } from 'node:buffer';
import type { BerthaError, ErrorCode } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import { dtypeBits, isDtype, type Dtype } from './dtype.js';
import { HeaderScanner } from './header-scanner.js';

/** Bytes before the JSON: its length, a little-endian u64. */
export const PREFIX_BYTES = 8;
/** Longest JSON header, in bytes; the reference reader's cap (decimal, not MiB). */
export const MAX_HEADER_BYTES = 100_000_000;

// A 99 MB header must not cost gigabytes of small objects: real checkpoints hold a few hundred tensors of at most four dimensions.
const kMaxTensors = 1 << 16;
const kMaxDimensions = 1 << 20;
const kMaxMetadataEntries = 1 << 16;
const kMaxU64 = (1n << 64n) - 1n;

/** What the header says about one tensor. */
export interface TensorHeader {
  readonly name: string;
  readonly dtype: Dtype;
  /** Outermost first. Dimensions above 2^53 (possible only in an empty tensor) are rounded. */
  readonly shape: readonly number[];
  /** From the start of the file; no alignment is promised. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** In the order of the header. */
  readonly tensors: readonly TensorHeader[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Where the tensors' bytes begin, from the start of the file. */
  readonly dataOffset: number;
}

/** Caps beyond the format's own; a model directory is read with `MODEL_LIMITS`. */
export interface HeaderLimits {
  readonly maxRank: number;
  readonly maxNameBytes: number;
}

/** Caps for files that hold a model's weights. */
export const MODEL_LIMITS: HeaderLimits = { maxRank: 8, maxNameBytes: 1024 };
const kNoLimits: HeaderLimits = { maxRank: Infinity, maxNameBytes: Infinity };

/**
 * Length in bytes of the JSON header, from the first eight bytes of a file of `fileSize` bytes. Nothing needs to be allocated before
 * this check.
 *
 * Errors: HEADER_TOO_SMALL, HEADER_TOO_LARGE, HEADER_LENGTH.
 */
export function safetensorsHeaderLength(prefix: Uint8Array, fileSize: number): number {
  if (fileSize < PREFIX_BYTES || prefix.byteLength < PREFIX_BYTES) {
    throw unexpected('HEADER_TOO_SMALL', `at least ${PREFIX_BYTES} bytes for a safetensors file`, fileSize);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw unexpected('HEADER_TOO_LARGE', `at most ${MAX_HEADER_BYTES} bytes for the safetensors header`, length);
  }
  if (PREFIX_BYTES + Number(length) > fileSize) {
    throw unexpected(
      'HEADER_LENGTH',
      `the safetensors header to end within the file (${fileSize} bytes)`,
      `a header of ${length} bytes after the first ${PREFIX_BYTES}`,
    );
  }
  return Number(length);
}

/**
 * Parses and validates the header of a safetensors file. `bytes` is the start of the file, at least up to the end of the header;
 * `fileSize` is the size of the whole file in bytes.
 *
 * Accepts and rejects what the reference reader (safetensors 0.8.0) accepts and rejects, except that repeated keys, tensor entries
 * that are not objects, and headers made to exhaust memory are errors; docs/faults.md lists the differences.
 *
 * Errors: HEADER_TOO_SMALL, HEADER_TOO_LARGE, HEADER_LENGTH, HEADER_UTF8, HEADER_JSON, DUPLICATE_KEY, METADATA, NAME, TENSOR_INFO,
 * OFFSETS, OVERFLOW, NOT_COVERED.
 * Source: https://github.com/huggingface/safetensors (format description and tensor.rs).
 */
export function parseSafetensorsHeader(bytes: Uint8Array, fileSize: number, limits: HeaderLimits = kNoLimits): SafetensorsHeader {
  const dataOffset = PREFIX_BYTES + safetensorsHeaderLength(bytes, fileSize);
  if (bytes.byteLength < dataOffset) {
    throw unexpected('HEADER_LENGTH', `${dataOffset} bytes up to the end of the header`, bytes.byteLength);
  }
  const json = Buffer.from(bytes.buffer, bytes.byteOffset + PREFIX_BYTES, dataOffset - PREFIX_BYTES);
  if (!isUtf8(json)) throw unexpected('HEADER_UTF8', 'UTF-8 for the safetensors header', 'other bytes');

  const { entries, metadata } = new HeaderReader(json, limits).read();
  requireGaplessLayout(entries, fileSize - dataOffset);
  const tensors = entries.map(({ name, dtype, shape, begin, end }) => ({
    name,
    dtype,
    shape: shape.map(Number),
    byteOffset: dataOffset + begin,
    byteLength: end - begin,
  }));
  return { tensors, metadata, dataOffset };
}

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly (number | bigint)[];
  readonly begin: number;
  readonly end: number;
}

class HeaderReader {
  readonly #scanner: HeaderScanner;
  readonly #limits: HeaderLimits;
  readonly #names = new Set<string>();
  readonly #entries: Entry[] = [];
  #metadata: Map<string, string> | undefined;
  #dimensions = 0;

  constructor(json: Buffer, limits: HeaderLimits) {
    this.#scanner = new HeaderScanner(json);
    this.#limits = limits;
  }

  read(): { entries: readonly Entry[]; metadata: ReadonlyMap<string, string> } {
    this.#scanner.object((key) => {
      if (key === '__metadata__') this.#readMetadata();
      else this.#entries.push(this.#readTensor(key));
    });
    this.#scanner.end();
    return { entries: this.#entries, metadata: this.#metadata ?? new Map() };
  }

  #readMetadata(): void {
    if (this.#metadata !== undefined) throw duplicateKey('"__metadata__" in the header');
    const metadata = new Map<string, string>();
    this.#metadata = metadata;
    if (this.#scanner.isNull()) return;
    if (!this.#scanner.startsWith('{')) this.#reject(1, unexpected('METADATA', 'an object for "__metadata__"', 'another value'));
    this.#scanner.object((key) => {
      if (metadata.has(key)) throw duplicateKey(`${quote(key)} in "__metadata__"`);
      if (!this.#scanner.startsWith('"')) {
        this.#reject(2, unexpected('METADATA', `a string for ${quote(key)} in "__metadata__"`, 'another value'));
      }
      if (metadata.size >= kMaxMetadataEntries) {
        throw unexpected('METADATA', `at most ${kMaxMetadataEntries} entries for "__metadata__"`, 'more');
      }
      metadata.set(key, this.#scanner.string('a string'));
    });
  }

  #readTensor(name: string): Entry {
    if (this.#names.has(name)) throw duplicateKey(`tensor ${quote(name)} in the header`);
    this.#names.add(name);
    if (this.#names.size > kMaxTensors) {
      throw unexpected('HEADER_TOO_LARGE', `at most ${kMaxTensors} tensors for one safetensors file`, 'more');
    }
    if (name.length > this.#limits.maxNameBytes || Buffer.byteLength(name) > this.#limits.maxNameBytes) {
      throw unexpected('NAME', `at most ${this.#limits.maxNameBytes} bytes for a tensor name`, quote(name));
    }
    if (!this.#scanner.startsWith('{')) this.#reject(1, tensorInfo(name, 'an object', 'another value'));

    let dtype: Dtype | undefined;
    let shape: (number | bigint)[] | undefined;
    let offsets: (number | bigint)[] | undefined;
    this.#scanner.object((key) => {
      if (key === 'dtype') {
        if (dtype !== undefined) throw duplicateKey(`"dtype" in tensor ${quote(name)}`);
        dtype = this.#readDtype(name);
      } else if (key === 'shape') {
        if (shape !== undefined) throw duplicateKey(`"shape" in tensor ${quote(name)}`);
        shape = this.#readIntegers(name, '"shape"', 'TENSOR_INFO');
        this.#requireShapeLimits(name, shape.length);
      } else if (key === 'data_offsets') {
        if (offsets !== undefined) throw duplicateKey(`"data_offsets" in tensor ${quote(name)}`);
        offsets = this.#readIntegers(name, '"data_offsets"', 'OFFSETS');
      } else {
        this.#scanner.skip(2);
      }
    });
    if (dtype === undefined) throw tensorInfo(name, 'a "dtype"', 'none');
    if (shape === undefined) throw tensorInfo(name, 'a "shape"', 'none');
    if (offsets === undefined) throw tensorInfo(name, '"data_offsets"', 'none');
    const [begin, end] = offsets;
    if (offsets.length !== 2 || typeof begin !== 'number' || typeof end !== 'number') {
      const received = offsets.length === 2 ? `${begin}, ${end}` : `${offsets.length} numbers`;
      throw unexpected('OFFSETS', `[begin, end] within the file for "data_offsets" of tensor ${quote(name)}`, received);
    }
    return { name, dtype, shape, begin, end };
  }

  #readDtype(tensor: string): Dtype {
    if (!this.#scanner.startsWith('"')) this.#reject(2, tensorInfo(tensor, 'a string for "dtype"', 'another value'));
    const dtype = this.#scanner.string('a string');
    if (!isDtype(dtype)) throw tensorInfo(tensor, 'a known "dtype"', quote(dtype));
    return dtype;
  }

  #readIntegers(tensor: string, field: string, code: ErrorCode): (number | bigint)[] {
    const expected = `an array of integers in 0..2^64 - 1 for ${field} of tensor ${quote(tensor)}`;
    if (!this.#scanner.startsWith('[')) this.#reject(2, unexpected(code, expected, 'another value'));
    const integers: (number | bigint)[] = [];
    this.#scanner.array(() => {
      const value = this.#scanner.unsigned();
      if (value === null) this.#reject(3, unexpected(code, expected, `another value at index ${integers.length}`));
      if (integers.length >= kMaxDimensions) throw unexpected(code, expected, `more than ${kMaxDimensions}`);
      integers.push(value);
    });
    return integers;
  }

  /** Throws `error` for the value that comes next, unless that value is not even JSON. */
  #reject(depth: number, error: BerthaError): never {
    this.#scanner.skip(depth);
    throw error;
  }

  #requireShapeLimits(tensor: string, rank: number): void {
    if (rank > this.#limits.maxRank) throw tensorInfo(tensor, `at most ${this.#limits.maxRank} dimensions`, String(rank));
    this.#dimensions += rank;
    if (this.#dimensions > kMaxDimensions) throw tensorInfo(tensor, `at most ${kMaxDimensions} dimensions in one header`, 'more');
  }
}

/** The tensors, sorted by their bytes, must follow each other without hole or overlap and end where the file ends. */
function requireGaplessLayout(entries: readonly Entry[], dataBytes: number): void {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, dtype, shape, begin, end } of sorted) {
    if (begin !== covered || end < begin) {
      const expected = begin === covered ? `an end of ${begin} or more` : `a begin of ${covered}, where the tensor before it ends,`;
      throw unexpected('OFFSETS', `${expected} for "data_offsets" of tensor ${quote(name)}`, `[${begin}, ${end}]`);
    }
    const bytes = storedBytes(name, dtype, shape);
    if (bytes !== BigInt(end - begin))
      throw tensorInfo(name, `${bytes} bytes for ${dtype} ${shapeText(shape)}`, `"data_offsets" of ${end - begin} bytes`);
    covered = end;
  }
  if (covered !== dataBytes) {
    throw unexpected(
      'NOT_COVERED',
      `the tensors to cover the ${dataBytes} bytes after the header exactly`,
      `${covered} bytes of tensors: the file is cut, or holds something else`,
    );
  }
}

function storedBytes(tensor: string, dtype: Dtype, shape: readonly (number | bigint)[]): bigint {
  let bits = 1n;
  for (const factor of [...shape, dtypeBits(dtype)]) {
    bits *= BigInt(factor);
    if (bits > kMaxU64) throw unexpected('OVERFLOW', `fewer than 2^64 bits for tensor ${quote(tensor)}`, `${dtype} ${shapeText(shape)}`);
  }
  if (bits % 8n !== 0n) throw tensorInfo(tensor, 'a whole number of bytes', `${dtype} ${shapeText(shape)}, ${bits} bits`);
  return bits / 8n;
}

function shapeText(shape: readonly (number | bigint)[]): string {
  return shape.length <= 8 ? `[${shape.join(', ')}]` : `[${shape.slice(0, 8).join(', ')}, … ${shape.length} dimensions]`;
}

function tensorInfo(tensor: string, expected: string, received: string): BerthaError {
  return unexpected('TENSOR_INFO', `${expected} for tensor ${quote(tensor)}`, received);
}

function duplicateKey(what: string): BerthaError {
  return unexpected('DUPLICATE_KEY', 'every key once', `${what} a second time`);
}
