/** Texts that the addon generates, as native/addon/generation/generation_calls.cc reads and makes them. Nothing here is public. */
import type { BatchInputs } from '../batch.js';

/** What is asked of one text. */
export interface NativeText {
  /** The value of the program that holds the logits, in rows of the decoder. */
  readonly logits: number;
  /** `SearchSettings` of src/generation/settings.ts, all of them. */
  readonly settings: object;
  /** The decoder's first ids; at least one. */
  readonly prompt: Int32Array;
  /** One text for the encoder; absent for a decoder alone. */
  readonly source?: BatchInputs | undefined;
  readonly bulk?: boolean | undefined;
  readonly deadlineMs?: number | undefined;
}

/** A text that was written. */
export interface NativeSequence {
  /** The prompt among them. */
  readonly ids: readonly number[];
  /** Of each new id. */
  readonly logProbabilities: readonly number[];
  /** Of each new id of a beam search: the beam that it was added to. */
  readonly beams: readonly number[];
  /** Sum of the log-probabilities / number of new ids ^ length penalty. */
  readonly score: number;
  readonly finish: 'eos' | 'length' | 'stop' | 'deadline' | null;
}

/** What became of a text. */
export interface NativeGenerated {
  readonly sequences: readonly NativeSequence[];
  readonly queuedMs: number;
  readonly computeMs: number;
}

/** Takes the new ids of each sequence; several steps may come at once. */
export type TakeIds = (ids: readonly (readonly number[])[]) => void;

/** The texts that the process generates now, and their steps since it started. */
export interface GenerationStats {
  /** Texts that have memory for their state. */
  readonly texts: number;
  /** Texts that wait for memory. */
  readonly waiting: number;
  /** Tokens computed, those of every beam. */
  readonly tokens: number;
  /** Steps of single texts; many share a batch. */
  readonly steps: number;
  /** Bytes reserved for keys and values, and the most that may be (`setMaxStateBytes`). */
  readonly stateBytes: number;
  readonly maxStateBytes: number;
}
