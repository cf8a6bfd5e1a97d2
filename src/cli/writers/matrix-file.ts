import { npyHeader, type NpyType } from '../../checkpoint/npy.js';
import type { VectorFormat } from '../../index.js';
import { kBinaryVersion } from '../../vectors/quantize-vectors.js';
import type { Output } from '../output.js';
import type { EmbeddedText, EmbeddingWriter } from './embedding-writer.js';

/** Room for the header, which holds the number of rows and is therefore written again at the end. A multiple of 64, as numpy aligns. */
const kHeaderBytes = 256;

/** What a row of the matrix is made of. */
interface Cells {
  readonly name: string;
  readonly npy: NpyType;
  readonly safetensors: string;
  readonly columns: number;
  readonly bytesPerRow: number;
}

function cellsOf(width: number, quantize: VectorFormat | undefined): Cells {
  if (quantize === 'int8') return { name: 'codes', npy: '|i1', safetensors: 'I8', columns: width, bytesPerRow: width };
  const bytes = (width + 7) >> 3;
  if (quantize === 'binary') return { name: 'codes', npy: '|u1', safetensors: 'U8', columns: bytes, bytesPerRow: bytes };
  return { name: 'embeddings', npy: '<f4', safetensors: 'F32', columns: width, bytesPerRow: 4 * width };
}

/** Streams rows of little-endian float32, or of the codes of quantised vectors, behind a header of fixed size. */
abstract class MatrixWriter implements EmbeddingWriter {
  protected readonly output: Output;
  protected readonly cells: Cells;
  #rows = 0;

  constructor(output: Output, width: number, quantize?: VectorFormat) {
    this.output = output;
    this.cells = cellsOf(width, quantize);
  }

  async write(rows: readonly EmbeddedText[]): Promise<void> {
    if (this.#rows === 0) await this.output.write(this.header(0));
    const { bytesPerRow } = this.cells;
    const bytes = new Uint8Array(rows.length * bytesPerRow);
    rows.forEach(({ vector, quantized }, i) => {
      const { buffer, byteOffset, byteLength } = quantized?.codes ?? vector;
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), i * bytesPerRow);
    });
    await this.output.write(bytes);
    this.#rows += rows.length;
  }

  async finish(): Promise<void> {
    const header = this.header(this.#rows);
    await (this.#rows === 0 ? this.output.write(header) : this.output.patch(header, 0));
  }

  protected abstract header(rows: number): Uint8Array;
}

/** NumPy's format, version 1.0: `numpy.load(path)` gives [texts, width] float32, or the codes as int8 or uint8, without scales. */
export class NpyWriter extends MatrixWriter {
  protected override header(rows: number): Uint8Array {
    return npyHeader(this.cells.npy, rows, this.cells.columns, kHeaderBytes);
  }
}

/**
 * A safetensors file with one tensor, `embeddings` [texts, width] float32; for quantised vectors `codes` as int8 [texts, width] or uint8
 * [texts, width / 8] (the metadata says which version of the format), and for int8 `scales` [texts] float32 as well.
 */
export class SafetensorsWriter extends MatrixWriter {
  readonly #scales: number[] = [];

  override async write(rows: readonly EmbeddedText[]): Promise<void> {
    for (const { quantized } of rows) if (quantized?.format === 'int8') this.#scales.push(quantized.scales[0]!);
    await super.write(rows);
  }

  override async finish(): Promise<void> {
    // Behind codes of any number of bytes; the format does not ask for alignment.
    if (this.#scales.length > 0) await this.output.write(new Uint8Array(Float32Array.from(this.#scales).buffer));
    await super.finish();
  }

  protected override header(rows: number): Uint8Array {
    const { name, safetensors, columns, bytesPerRow } = this.cells;
    const end = rows * bytesPerRow;
    const tensors = {
      [name]: { dtype: safetensors, shape: [rows, columns], data_offsets: [0, end] },
      ...(safetensors === 'U8' ? { __metadata__: { format: 'binary', version: String(kBinaryVersion) } } : {}),
      ...(safetensors === 'I8' ? { scales: { dtype: 'F32', shape: [rows], data_offsets: [end, end + 4 * rows] } } : {}),
    };
    const header = Buffer.alloc(kHeaderBytes, ' ');
    header.writeBigUInt64LE(BigInt(kHeaderBytes - 8), 0);
    header.write(JSON.stringify(tensors), 8);
    return header;
  }
}
