import { accuracy, averageOf, classScores, type Label, type PrecisionRecall } from './classification.js';

/** Options of `classificationReport`. */
export interface ReportOptions {
  /** Decimals. Default 2. */
  readonly digits?: number | undefined;
  /** What the classes are called, in their order. Default: the classes. */
  readonly names?: readonly string[] | undefined;
}

/** A line of a report. */
export interface ReportScores extends PrecisionRecall {
  readonly support: number;
}

/** A report as an object: `accuracy`, and the scores of each class, of `macro avg` and of `weighted avg` by its title. */
export type ReportObject = Readonly<Record<string, ReportScores | number>>;

/**
 * The scores of all classes and their averages as a text, laid out as scikit-learn's `classification_report`; with `outputDict` as an object.
 * Errors: INVALID_ARG.
 */
export function classificationReport(
  yTrue: readonly Label[],
  yPred: readonly Label[],
  options: ReportOptions & { readonly outputDict: true },
): ReportObject;
export function classificationReport(yTrue: readonly Label[], yPred: readonly Label[], options?: ReportOptions): string;
export function classificationReport(
  yTrue: readonly Label[],
  yPred: readonly Label[],
  { digits = 2, names, outputDict = false }: ReportOptions & { readonly outputDict?: boolean } = {},
): string | ReportObject {
  const classes = classScores(yTrue, yPred);
  const titles = classes.map(({ label }, i) => names?.[i] ?? String(label));
  if (outputDict) {
    const own = classes.map(
      ({ precision, recall, f1, support: count }, i) => [titles[i]!, { precision, recall, f1, support: count }] as const,
    );
    const averages = (['macro', 'weighted'] as const).map(
      (name) => [`${name} avg`, { ...averageOf(classes, name), support: yTrue.length }] as const,
    );
    return Object.fromEntries<ReportScores | number>([...own, ['accuracy', accuracy(yTrue, yPred)], ...averages]);
  }
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
