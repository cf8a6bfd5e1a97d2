import type { TrainerSession } from '../native/trainer-session.js';
import type { TensorKind } from '../trainer/trainable-model.js';
import { place, take, type TrainedPart, type TrainedWeight } from '../program/trained-weights.js';

/** Numbers that one call copies on the event loop: a fraction of a millisecond. */
const kNumbersAtOnce = 1 << 17;

/** Rows `begin` to `end` in blocks that are copied in a short turn. */
export function* rowBlocks(begin: number, end: number, cols: number): Generator<readonly [begin: number, end: number]> {
  const rows = Math.max(1, Math.floor(kNumbersAtOnce / cols));
  for (let first = begin; first < end; first += rows) yield [first, Math.min(end, first + rows)];
}

/** A part of a weight, row-major, block by block: between two steps all of it is of the same one. */
export async function readPart(session: TrainerSession, weight: TrainedWeight, part: TrainedPart, kind: TensorKind): Promise<Float32Array> {
  const values = new Float32Array(part.rows * part.cols);
  for (const [begin, end] of rowBlocks(part.rowBegin, part.rowBegin + part.rows, weight.cols)) {
    const block = { ...part, rowBegin: begin, rows: end - begin };
    values.set(take(await session.read(weight.id, kind, begin, end), weight.cols, block, begin), (begin - part.rowBegin) * part.cols);
  }
  return values;
}

/** Writes a part of a weight [part.rows, part.cols], block by block. Errors: NON_FINITE, which leaves the blocks before it written. */
export async function writePart(
  session: TrainerSession,
  weight: TrainedWeight,
  part: TrainedPart,
  kind: TensorKind,
  values: Float32Array,
): Promise<void> {
  const isWhole = part.colBegin === 0 && part.cols === weight.cols;
  for (const [begin, end] of rowBlocks(part.rowBegin, part.rowBegin + part.rows, weight.cols)) {
    const own = values.subarray((begin - part.rowBegin) * part.cols, (end - part.rowBegin) * part.cols);
    const rows = isWhole ? own : await session.read(weight.id, kind, begin, end);
    if (!isWhole) place(rows, weight.cols, { ...part, rowBegin: 0, rows: end - begin }, own);
    await session.write(weight.id, kind, begin, rows);
  }
}
