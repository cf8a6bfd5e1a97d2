import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { CollatedBatch } from '../../src/training/collators/collator.js';

/**
 * Writes batches for scripts/pretraining/reference.py, int32 in the machine's byte order, each: rows, tokens, selected tokens, then cuSeqlens [rows + 1], ids [tokens], types
 * [tokens], selected rows of the sequences [selected], their labels [selected], and the pairs' labels [rows]. `digest` tells them from others.
 */
export class BatchFile {
  readonly #file: number;
  readonly #hash = createHash('sha256');

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  add({ rows, tokens, batch }: CollatedBatch): void {
    const { cuSeqlens, inputIds, tokenTypeIds, selected, labels, sentenceLabels, cuSelected } = batch;
    // Selected tokens count from the start of their sequence; in the file from the start of the batch.
    const places = Int32Array.from(selected!);
    for (let row = 0; row < rows; row++) for (let i = cuSelected![row]!; i < cuSelected![row + 1]!; i++) places[i]! += cuSeqlens[row]!;
    const parts = [Int32Array.of(rows, tokens, places.length), cuSeqlens, inputIds, tokenTypeIds, places, labels!, sentenceLabels!];
    for (const part of parts) {
      const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
      writeSync(this.#file, bytes);
      this.#hash.update(bytes);
    }
  }

  close(): string {
    closeSync(this.#file);
    return this.#hash.digest('hex').slice(0, 16);
  }
}
