import { inSlices } from '../../calls/text-reader.js';
import { accuracy, type Label } from '../../metrics/classification.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { temperatureSlices } from '../calibration/temperature.js';
import { classesOf, placesOf } from '../linear/labels.js';
import type { LogisticRegression } from '../linear/logistic-regression.js';
import { type Matrix, takeRows } from '../matrix/matrix.js';
import { stratifiedKFold } from '../split/folds.js';
import type { Split } from '../split/train-test-split.js';

/** What choosing by held-out rows depends on. */
export interface HeldOutOptions {
  readonly randomState: number;
  readonly signal: AbortSignal | undefined;
  /** A model that is not fitted. */
  make(C: number): LogisticRegression;
}

const kGrid = [0.1, 1, 10, 100];
const kFolds = 5;

/** Scores of rows by models that did not see them: each fifth by a model of the other four. Fewer folds where a class has fewer rows. */
export class HeldOut {
  readonly #x: Matrix;
  readonly #y: readonly Label[];
  readonly #options: HeldOutOptions;
  readonly #folds: readonly Split[];
  readonly #scores = new Map<number, readonly Float64Array[]>();

  constructor(x: Matrix, y: readonly Label[], options: HeldOutOptions) {
    [this.#x, this.#y, this.#options] = [x, y, options];
    const counts = new Map<Label, number>();
    for (const label of y) counts.set(label, (counts.get(label) ?? 0) + 1);
    const nSplits = Math.min(kFolds, ...counts.values());
    this.#folds = nSplits < 2 ? [] : stratifiedKFold(y, { nSplits, shuffle: true, randomState: options.randomState });
  }

  /** The C of the grid by which most rows are right; of equal ones the smallest. 1 where a class has one row. Errors: as `fit`. */
  async search(tell: (done: number, of: number) => void): Promise<number> {
    if (this.#folds.length === 0) return 1;
    let best = { C: 1, right: -1 };
    for (const [i, C] of kGrid.entries()) {
      const scores = await this.#scoresAt(C, (done) => tell(i * this.#folds.length + done, kGrid.length * this.#folds.length));
      const classes = classesOf(this.#y, 'labels');
      const right = accuracy(
        this.#y,
        scores.map((row) => classes[row.length === 1 ? Number(row[0]! > 0) : row.indexOf(Math.max(...row))]!),
      );
      if (right > best.right) best = { C, right };
    }
    return best.C;
  }

  /** The temperature by which the rows' probabilities fit best; 1 where a class has one row. Errors: as `fit`. */
  async temperature(C: number, tell: (done: number, of: number) => void): Promise<number> {
    if (this.#folds.length === 0) return 1;
    const scores = await this.#scoresAt(C, (done) => tell(done, this.#folds.length));
    const targets = placesOf(this.#y, classesOf(this.#y, 'labels'), 'labels');
    const found = await inSlices(temperatureSlices(logitsOf(scores), targets), new Budget(this.#options.signal));
    return found.temperature;
  }

  async #scoresAt(C: number, tell: (done: number) => void): Promise<readonly Float64Array[]> {
    const known = this.#scores.get(C);
    if (known !== undefined) return known;
    const scores: Float64Array[] = [];
    for (const [i, { train, test }] of this.#folds.entries()) {
      const labels = train.map((row) => this.#y[row]!);
      const model = await this.#options.make(C).fit(takeRows(this.#x, train), labels, { signal: this.#options.signal });
      const found = await model.decisionFunction(takeRows(this.#x, test));
      test.forEach((row, j) => (scores[row] = found[j]!));
      tell(i + 1);
    }
    this.#scores.set(C, scores);
    return scores;
  }
}

/** Scores of a model as `fitTemperature` takes them. */
export function logitsOf(scores: readonly Float64Array[]): readonly (Float64Array | number)[] {
  return scores.map((row) => (row.length === 1 ? row[0]! : row));
}
