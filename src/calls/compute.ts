import type { Value } from '../models/index.js';
import type { BatchInputs } from '../runtime/batch.js';
import type { Encoding } from '../tokenizer/index.js';
import { Call } from './call.js';
import type { TextInput } from './inputs.js';
import { rowsOf, type Computing, type Job, type Sequence } from './job.js';
import { SequenceSource, TextSource } from './source.js';
import { asEncoding, type TextReader } from './text-reader.js';

/** What the texts of a call became. */
export interface Computed {
  /** One a text. */
  readonly encodings: readonly Encoding[];
  /** For each sequence one array a value: its own rows. */
  readonly rows: readonly (readonly Float32Array[])[];
}

/**
 * Reads texts, and computes `values` of them, or of the sequences that `sequencesOf` makes of each encoding.
 *
 * Errors: MAX_LENGTH, INPUT_TOO_LARGE, those of `sequencesOf`; as `Session.run`; DEADLINE, the signal's reason.
 */
export async function computeTexts(
  call: Call,
  reader: TextReader,
  inputs: readonly TextInput[],
  values: readonly Value[],
  sequencesOf: (encoding: Encoding, index: number) => readonly Sequence[] = (encoding) => [encoding],
): Promise<Computed> {
  const encodings: Encoding[] = [];
  const rows: Float32Array[][] = [];
  const source = new TextSource(inputs, reader, asEncoding, (encoding, index) => {
    encodings.push(encoding);
    return sequencesOf(encoding, index);
  });
  await call.compute(source, values, (job, outputs, batch) => dealRows(rows, job, values, outputs, batch));
  reader.warn();
  return { encodings, rows };
}

/** Computes `values` of sequences: for each of them one array a value. Errors: as `Session.run`. */
export async function computeSequences(
  model: Computing,
  sequences: readonly Sequence[],
  values: readonly Value[],
): Promise<Float32Array[][]> {
  return computeRows(new Call('forward', model, {}), sequences, values);
}

/** The same as a part of a call. Errors: as `Call.compute`. */
export async function computeRows<M extends Computing>(
  call: Call<M>,
  sequences: readonly Sequence[],
  values: readonly Value[],
): Promise<Float32Array[][]> {
  const rows: Float32Array[][] = [];
  await call.compute(new SequenceSource(sequences), values, (job, outputs, batch) => dealRows(rows, job, values, outputs, batch));
  return rows;
}

function dealRows(
  rows: Float32Array[][],
  { first, sequences }: Job<Sequence>,
  values: readonly Value[],
  outputs: readonly Float32Array[],
  batch: BatchInputs,
): void {
  sequences.forEach((_, i) => (rows[first + i] = values.map((value, v) => rowsOf(outputs[v]!, value, batch, i))));
}
