import type { Sequence, SearchSettings } from './settings.js';

/** One text to search for. */
export interface SearchTask {
  /** What the encoder reads; undefined for a decoder alone. */
  readonly source: { readonly ids: Int32Array; readonly typeIds?: Int32Array } | undefined;
  /** What the decoder begins with. */
  readonly prompt: Int32Array;
  readonly settings: SearchSettings;
}

/** How a search runs. */
export interface SearchRun {
  readonly signal?: AbortSignal | undefined;
  readonly priority?: 'interactive' | 'bulk' | undefined;
  /** Milliseconds until it ends with what it has. */
  readonly deadlineMs?: number | undefined;
  /** Hears the new ids of each text while they come, without beams; `stop` ends a text: what follows is of no use. */
  readonly onIds?: ((ids: readonly (readonly number[])[], stop: (sequence: number) => void) => void) | undefined;
}

/** What a search found, and how long it waited and took. */
export interface SearchResult {
  readonly sequences: readonly Sequence[];
  readonly queuedMs: number;
  readonly computeMs: number;
}

/**
 * Searches for one text, or as many as its settings say.
 *
 * Errors: DISPOSED, INVALID_OPTION (settings that ban every id), INPUT_TOO_LARGE, NON_FINITE, OUT_OF_MEMORY, DEADLINE, DEVICE; the signal's reason.
 */
export type SearchEngine = (task: SearchTask, run: SearchRun) => Promise<SearchResult>;
