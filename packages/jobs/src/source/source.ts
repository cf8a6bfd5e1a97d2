import type { JsonObject } from 'bertha-encoder';

/** A text with its id, the same in every run. */
export interface Document {
  readonly id: string;
  readonly text: string;
  readonly metadata: JsonObject;
}

/** A row, or a file, that cannot be read; what follows it is read on. */
export interface BadRow {
  /** Such as `line 7 of texts.jsonl`. */
  readonly place: string;
  /** What is wrong with it. */
  readonly problem: string;
}

/** What a source gives. */
export type SourceItem = { readonly document: Document } | { readonly bad: BadRow };

/** A part of a source, by reference: JSON, without texts. */
export interface Unit {
  /** Hash of the source's definition, the reference and the version: the same for the same part. */
  readonly id: string;
  /** Its place among the source's units, from 0. */
  readonly ordinal: number;
  /** What of the source: a file, a range of bytes, rows or keys. */
  readonly reference: JsonObject;
  /** Of what is referred to, as it was when the unit was made, such as a file's size and time. */
  readonly version: string;
  /** In the source's measure (bytes or rows), for progress. */
  readonly size: number;
}

/** Where documents come from. */
export interface Source {
  /** From which `openSource` makes it again, on whatever machine. Without credentials. */
  readonly definition: JsonObject;
  /** Changes when something changes that units refer to; a run that broke off goes on only with the same version. */
  readonly version: string;
  /** Sum of the units' sizes, where it is known beforehand. */
  readonly total?: number | undefined;
  /** Its parts, always in the same order. */
  units(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Unit>;
  /** The documents of a unit. Errors: IO, DATASET (what the unit refers to has changed since), STORE, the signal's reason. */
  read(unit: Unit, signal?: AbortSignal): AsyncIterable<SourceItem>;
  close(): Promise<void>;
}
