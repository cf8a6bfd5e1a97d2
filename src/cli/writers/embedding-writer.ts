import type { Embedding } from '../../index.js';

/** A text and what it became. */
export interface EmbeddedText extends Embedding {
  readonly index: number;
  readonly text: string;
}

/** Takes results in order; `finish` writes what comes last. */
export interface EmbeddingWriter {
  write(rows: readonly EmbeddedText[]): Promise<void>;
  finish(): Promise<void>;
}
