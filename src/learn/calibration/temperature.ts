import { atOnce } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';

/** What `fitTemperature` found. */
export interface Temperature {
  /** What logits are divided by: above 1 where a model was too sure of itself. */
  readonly temperature: number;
  /** The mean of minus the logarithms of the true classes' probabilities, with that temperature and with 1. */
  readonly logLoss: number;
  readonly logLossBefore: number;
}

/** Temperatures are looked for between e^-10 and e^10. */
const kFarthest = 10;
const kMostSteps = 200;
/** Rows that are looked at between two looks at the clock. */
const kSliceRows = 256;

/**
 * Fits one number by which logits are divided, so that probabilities are what comes true (Guo et al., 2017): the minimum of the log loss.
 * Classes do not change. `logits` are rows [classes], or numbers for two classes (the score of class 1); `targets` are classes' numbers.
 * Use texts that the model was not trained on.
 *
 * Errors: INVALID_ARG for different lengths, no rows, rows of different widths, numbers that are not finite, and targets that are no class.
 */
export function fitTemperature(logits: readonly (ArrayLike<number> | number)[], targets: ArrayLike<number>): Temperature {
  return atOnce(temperatureSlices(logits, targets));
}

/** `fitTemperature` in slices. */
export function* temperatureSlices(
  logits: readonly (ArrayLike<number> | number)[],
  targets: ArrayLike<number>,
): Generator<void, Temperature> {
  const rows = toRows(logits, 'logits of fitTemperature');
  if (rows.length === 0 || rows.length !== targets.length) {
    throw unexpected(
      'INVALID_ARG',
      `as many targets as rows of logits, one or more, for fitTemperature`,
      `${targets.length} and ${rows.length}`,
    );
  }
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (!Number.isInteger(target) || target < 0 || target >= rows[i]!.length) {
      throw unexpected('INVALID_ARG', `classes below ${rows[i]!.length} for targets of fitTemperature`, `${target} at index ${i}`);
    }
  }
  // The loss is convex in 1 / temperature, so its slope rises: halve the interval where it changes sign, on a scale of logarithms.
  let [low, high] = [-kFarthest, kFarthest];
  for (let step = 0; step < kMostSteps && high - low > 1e-14 * Math.max(1, Math.abs(low)); step++) {
    const middle = (low + high) / 2;
    if ((yield* slope(rows, targets, Math.exp(middle))) > 0) high = middle;
    else low = middle;
  }
  const inverse = Math.exp((low + high) / 2);
  return { temperature: 1 / inverse, logLoss: loss(rows, targets, inverse), logLossBefore: loss(rows, targets, 1) };
}

/** Probabilities [rows][classes] of logits divided by `temperature`. Errors: INVALID_ARG. */
export function scaledProbabilities(logits: readonly (ArrayLike<number> | number)[], temperature: number): Float64Array[] {
  if (!(temperature > 0)) throw unexpected('INVALID_ARG', 'a temperature above 0 for scaledProbabilities', temperature);
  return toRows(logits, 'logits of scaledProbabilities').map((row) => softmax(row, 1 / temperature));
}

function toRows(logits: readonly (ArrayLike<number> | number)[], name: string): Float64Array[] {
  if (!Array.isArray(logits)) throw unexpected('INVALID_ARG', `a list of rows for ${name}`, typeof logits);
  const rows = logits.map((row: ArrayLike<number> | number) => Float64Array.from(typeof row === 'number' ? [0, row] : row));
  const width = rows[0]?.length ?? 2;
  const wrong = rows.findIndex((row) => row.length !== width || row.length < 2 || !row.every(Number.isFinite));
  if (wrong >= 0) throw unexpected('INVALID_ARG', `rows of ${Math.max(2, width)} finite numbers for ${name}`, `others in row ${wrong}`);
  return rows;
}

function softmax(row: Float64Array, inverse: number): Float64Array {
  const most = row.reduce((largest, logit) => Math.max(largest, logit), -Infinity);
  const powers = row.map((logit) => Math.exp((logit - most) * inverse));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function loss(rows: readonly Float64Array[], targets: ArrayLike<number>, inverse: number): number {
  let sum = 0;
  rows.forEach((row, i) => {
    const most = row.reduce((largest, logit) => Math.max(largest, logit), -Infinity);
    const powers = row.reduce((total, logit) => total + Math.exp((logit - most) * inverse), 0);
    sum += Math.log(powers) + (most - row[targets[i]!]!) * inverse;
  });
  return sum / rows.length;
}

/** The derivative of the loss by 1 / temperature. */
function* slope(rows: readonly Float64Array[], targets: ArrayLike<number>, inverse: number): Generator<void, number> {
  let sum = 0;
  for (const [i, row] of rows.entries()) {
    const shares = softmax(row, inverse);
    sum += shares.reduce((mean, share, j) => mean + share * row[j]!, 0) - row[targets[i]!]!;
    if (i % kSliceRows === 0) yield;
  }
  return sum / rows.length;
}
