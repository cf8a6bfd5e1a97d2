import { abortSignal, callback, integer } from '../../options.js';

/** How far a call over many texts has come. */
export interface CollectionProgress {
  readonly done: number;
  readonly total: number;
}

/** Options of everything that looks at a collection of texts. */
export interface CollectionOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears of texts, layers, or epochs of UMAP, that are done. */
  readonly onProgress?: ((progress: CollectionProgress) => void) | undefined;
}

/** The checks of `CollectionOptions`. */
export const collectionSchema = { signal: abortSignal, onProgress: callback };

/** The check of a seed. */
export const seedCheck = integer(0, 2 ** 32 - 1);
