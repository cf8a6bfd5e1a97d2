import { unexpected, wrongOption } from '../../expected.js';
import { abortSignal, type Check, readOptions } from '../../options.js';
import { accuracy, balancedAccuracy, fBeta, type Label } from '../../metrics/classification.js';
import { classesOf } from '../linear/labels.js';
import { type Matrix, shapeOf, takeRows } from '../matrix/matrix.js';
import { stratifiedKFold } from './folds.js';
import type { Split } from './train-test-split.js';

/** A model that fits and predicts classes. */
export interface Classifier {
  /** Learns from x [rows, features] and y [rows]. */
  fit(x: Matrix, y: readonly Label[], options?: { readonly signal?: AbortSignal | undefined }): Promise<unknown>;
  /** Classes of the rows of x, [rows]. */
  predict(x: Matrix): Promise<readonly Label[]>;
}

/** A score of true and predicted classes; larger is better. */
export type Scorer = (yTrue: readonly Label[], yPred: readonly Label[]) => number;

const scorers: Readonly<Record<string, Scorer>> = {
  accuracy,
  balanced_accuracy: balancedAccuracy,
  f1_macro: (yTrue, yPred) => fBeta(yTrue, yPred, { average: 'macro' }),
  f1_micro: (yTrue, yPred) => fBeta(yTrue, yPred, { average: 'micro' }),
  f1_weighted: (yTrue, yPred) => fBeta(yTrue, yPred, { average: 'weighted' }),
};

/** Options of `crossValScore`. */
export interface CrossValidationOptions {
  /** Splits, or how many folds with equal shares of the classes. Default 5. */
  readonly cv?: number | readonly Split[] | undefined;
  /** `accuracy` (default), `balanced_accuracy`, `f1_macro`, `f1_micro`, `f1_weighted`, or a function of true and predicted classes. */
  readonly scoring?: string | Scorer | undefined;
  readonly signal?: AbortSignal | undefined;
}

const cvCheck: Check<number | readonly Split[]> = (value, name) => {
  if (!Array.isArray(value) && !(Number.isInteger(value) && (value as number) >= 2))
    throw wrongOption(`splits or a whole number from 2 for ${name}`, value);
  return value as number | readonly Split[];
};
const scoringCheck: Check<Scorer> = (value, name) => {
  if (typeof value === 'function') return value as Scorer;
  if (typeof value !== 'string' || !Object.hasOwn(scorers, value)) {
    throw wrongOption(`a function or one of ${Object.keys(scorers).join(', ')} for ${name}`, value);
  }
  return scorers[value]!;
};
const schema = { cv: cvCheck, scoring: scoringCheck, signal: abortSignal };

/**
 * Fits a new model on each split and scores it on the rest, [splits].
 *
 * Errors: those of the model and of the splits; INVALID_ARG, INVALID_OPTION, the signal's reason.
 */
export async function crossValScore(
  makeModel: () => Classifier,
  x: Matrix,
  y: readonly Label[],
  options?: CrossValidationOptions,
): Promise<Float64Array> {
  const { cv = 5, scoring = accuracy, signal } = readOptions('crossValScore', options, schema);
  const { rows } = shapeOf(x, 'x of crossValScore');
  if (y.length !== rows) throw unexpected('INVALID_ARG', `${rows} labels for y of crossValScore`, y.length);
  classesOf(y, 'y of crossValScore');
  const splits = typeof cv === 'number' ? stratifiedKFold(y, { nSplits: cv }) : cv;
  const found = new Float64Array(splits.length);
  for (const [i, { train, test }] of splits.entries()) {
    const model = makeModel();
    await model.fit(
      takeRows(x, train),
      train.map((row) => y[row]!),
      { signal },
    );
    found[i] = scoring(
      test.map((row) => y[row]!),
      await model.predict(takeRows(x, test)),
    );
  }
  return found;
}
