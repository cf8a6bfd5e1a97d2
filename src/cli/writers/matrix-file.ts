import type { Output } from '../output.js';
import type { EmbeddedText, EmbeddingWriter } from './embedding-writer.js';

/** Room for the header, which holds the number of rows and is therefore written again at the end. A multiple of 64, as numpy aligns. */
const kHeaderBytes = 256;

/** Streams rows [rows, width] of little-endian float32 behind a header of fixed size. */
abstract class MatrixWriter implements EmbeddingWriter {
  readonly #output: Output;
  readonly #width: number;
  #rows = 0;

  constructor(output: Output, width: number) {
    this.#output = output;
    this.#width = width;
  }

  async write(rows: readonly EmbeddedText[]): Promise<void> {
    if (this.#rows === 0) await this.#output.write(this.header(0, this.#width));
    const values = new Float32Array(rows.length * this.#width);
    rows.forEach(({ vector }, i) => values.set(vector, i * this.#width));
    await this.#output.write(new Uint8Array(values.buffer));
    this.#rows += rows.length;
  }

  async finish(): Promise<void> {
    const header = this.header(this.#rows, this.#width);
    await (this.#rows === 0 ? this.#output.write(header) : this.#output.patch(header, 0));
  }

  protected abstract header(rows: number, width: number): Uint8Array;
}

/** NumPy's format, version 1.0: `numpy.load(path)` gives [texts, width] float32. */
export class NpyWriter extends MatrixWriter {
  protected override header(rows: number, width: number): Uint8Array {
    const description = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
    const header = Buffer.alloc(kHeaderBytes, ' ');
    header.write('\x93NUMPY\x01\x00', 'latin1');
    header.writeUInt16LE(kHeaderBytes - 10, 8);
    header.write(description, 10);
    header.write('\n', kHeaderBytes - 1);
    return header;
  }
}

/** A safetensors file with one tensor, `embeddings` [texts, width] float32. */
export class SafetensorsWriter extends MatrixWriter {
  protected override header(rows: number, width: number): Uint8Array {
    const embeddings = { dtype: 'F32', shape: [rows, width], data_offsets: [0, rows * width * 4] };
    const header = Buffer.alloc(kHeaderBytes, ' ');
    header.writeBigUInt64LE(BigInt(kHeaderBytes - 8), 0);
    header.write(JSON.stringify({ embeddings }), 8);
    return header;
  }
}
