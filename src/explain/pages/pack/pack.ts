import { deflateRawSync } from 'node:zlib';
import type { PackedMatrix } from '../data.js';

/** base64 of raw deflate, which a browser's DecompressionStream reads. */
export function packBytes(bytes: Uint8Array): string {
  return deflateRawSync(bytes, { level: 9 }).toString('base64');
}

/** A matrix in 16 bits: every number within 1/65534 of the largest. */
export function packMatrix(data: ArrayLike<number>, rows: number, columns: number): PackedMatrix {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]!));
  const scaled = Int16Array.from(data, (value) => (largest === 0 ? 0 : Math.round((32_767 * value) / largest)));
  return { rows, columns, largest, values: Buffer.from(littleEndian(scaled)).toString('base64') };
}

/** Numbers of 16 bits as bytes, the low one first. */
export function littleEndian(values: Int16Array | Uint16Array): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  values.forEach((value, i) => {
    bytes[2 * i] = value & 255;
    bytes[2 * i + 1] = (value >> 8) & 255;
  });
  return bytes;
}
