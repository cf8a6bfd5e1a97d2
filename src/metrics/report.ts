import { accuracy, averageOf, classScores, type Label, type PrecisionRecall } from './classification.js';

/** Options of `classificationReport`. */
export interface ReportOptions {
  /** Decimals. Default 2. */
  readonly digits?: number | undefined;
  /** What the classes are called, in their order. Default: the classes. */
  readonly names?: readonly string[] | undefined;
}

/** The scores of all classes and their averages as a text, laid out as scikit-learn's `classification_report`. Errors: INVALID_ARG. */
export function classificationReport(yTrue: readonly Label[], yPred: readonly Label[], { digits = 2, names }: ReportOptions = {}): string {
  const classes = classScores(yTrue, yPred);
  const titles = classes.map(({ label }, i) => names?.[i] ?? String(label));
  const width = Math.max(...titles.map(({ length }) => length), 'weighted avg'.length, digits);
  const line = (title: string, cells: readonly string[]): string =>
    `${title.padStart(width)} ${cells.map((cell) => ` ${cell.padStart(9)}`).join('')}\n`;
  const row = (title: string, { precision, recall, f1 }: PrecisionRecall, support: number): string =>
    line(title, [...[precision, recall, f1].map((value) => toFixedEven(value, digits)), String(support)]);
  const support = yTrue.length;
  return [
    line('', ['precision', 'recall', 'f1-score', 'support']),
    '\n',
    ...classes.map((each, i) => row(titles[i]!, each, each.support)),
    '\n',
    line('accuracy', ['', '', toFixedEven(accuracy(yTrue, yPred), digits), String(support)]),
    row('macro avg', averageOf(classes, 'macro'), support),
    row('weighted avg', averageOf(classes, 'weighted'), support),
  ].join('');
}

/** Python rounds the exact value of a double, halves to even; toFixed rounds them up. */
function toFixedEven(value: number, digits: number): string {
  const rounded = value.toFixed(digits);
  const isHalf = (value * 2 * 10 ** digits) % 2 === 1 && Number.isInteger(value * 2 ** 20);
  if (!isHalf) return rounded;
  const lower = Math.floor(value * 10 ** digits);
  return ((lower % 2 === 0 ? lower : lower + 1) / 10 ** digits).toFixed(digits);
}
