import type { Embedding } from '../../index.js';
import type { Item } from '../readers/item.js';

/** A text and what it became. */
export interface EmbeddedText extends Embedding {
  readonly index: number;
  readonly item: Item;
}

/** Takes results in order; `finish` writes what comes last. */
export interface EmbeddingWriter {
  write(rows: readonly EmbeddedText[]): Promise<void>;
  finish(): Promise<void>;
}
