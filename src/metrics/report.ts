import { unexpected } from '../expected.js';
import { averageOf, classScores, type Label, labelsOf, type PrecisionRecall, precisionRecallF1 } from './classification.js';
import type { Numbers } from './lists.js';
import { multiLabelScores } from './multi-label.js';

/** Options of `classificationReport`. */
export interface ReportOptions {
  /** Decimals. Default 2. */
  readonly digits?: number | undefined;
  /** What the classes are called, in their order. Default: the classes; true and false as `True` and `False`. */
  readonly targetNames?: readonly string[] | undefined;
  /** Classes, in the order of the lines. Default: those that occur, sorted. */
  readonly labels?: readonly Label[] | undefined;
  /** A weight for each sample. Default: 1. */
  readonly sampleWeight?: Numbers | undefined;
  /** What 0 / 0 gives; NaN counts in no average. Default 0. */
  readonly zeroDivision?: number | undefined;
}

/** A line of a report, under the names of scikit-learn's `output_dict`. */
export interface ReportScores extends Omit<PrecisionRecall, 'f1'> {
  readonly 'f1-score': number;
  readonly support: number;
}

/**
 * A report as an object: the scores of each class and of each average by its title, `accuracy` a number. Where `labels` leave out classes
 * that occur, `micro avg` is in its place.
 */
export type ReportObject = Readonly<Record<string, ReportScores | number>>;

/** Classes of samples, or tables [samples, classes] of zeros and ones. */
export type Classes = readonly Label[] | readonly (readonly number[])[];

interface Line extends PrecisionRecall {
  readonly title: string;
  readonly support: number;
}

/**
 * The scores of all classes and their averages as a text, laid out as scikit-learn's `classification_report`; with `outputDict` as an object.
 * Samples with several classes are tables of zeros and ones.
 *
 * Errors: INVALID_ARG for lists of different lengths, classes of mixed kinds, and other numbers of names than of classes.
 */
export function classificationReport(yTrue: Classes, yPred: Classes, options: ReportOptions & { readonly outputDict: true }): ReportObject;
export function classificationReport(yTrue: Classes, yPred: Classes, options?: ReportOptions): string;
export function classificationReport(
  yTrue: Classes,
  yPred: Classes,
  { outputDict = false, ...options }: ReportOptions & { readonly outputDict?: boolean } = {},
): string | ReportObject {
  const [classes, averages] = isTable(yTrue)
    ? tableLines(yTrue, yPred as readonly (readonly number[])[], options)
    : lines(yTrue, yPred as readonly Label[], options);
  if (outputDict) {
    return Object.fromEntries<ReportScores | number>(
      [...classes, ...averages].map(({ title, precision, recall, f1, support }) => [
        title,
        title === 'accuracy' ? precision : { precision, recall, 'f1-score': f1, support },
      ]),
    );
  }
  const { digits = 2, sampleWeight } = options;
  // scikit-learn counts in floats where there are weights, and where nothing is right: Python prints them with their point.
  const isFloat = sampleWeight !== undefined || (!isTable(yTrue) && !yTrue.some((label, i) => label === yPred[i]));
  const count = (support: number): string => (isFloat && Number.isInteger(support) ? support.toFixed(1) : String(support));
  const width = Math.max(...classes.map(({ title }) => [...title].length), 'weighted avg'.length, digits);
  const text = (title: string, cells: readonly string[]): string =>
    `${' '.repeat(width - [...title].length)}${title} ${cells.map((cell) => ` ${cell.padStart(9)}`).join('')}\n`;
  const row = ({ title, precision, recall, f1, support }: Line): string => {
    const scores = [precision, recall, f1].map((value) => toFixedEven(value, digits));
    return text(title, [...(title === 'accuracy' ? ['', '', scores[0]!] : scores), count(support)]);
  };
  return [text('', ['precision', 'recall', 'f1-score', 'support']), '\n', ...classes.map(row), '\n', ...averages.map(row)].join('');
}

function isTable(classes: Classes): classes is readonly (readonly number[])[] {
  return Array.isArray(classes[0]);
}

function lines(yTrue: readonly Label[], yPred: readonly Label[], options: ReportOptions): [Line[], Line[]] {
  const kinds = new Set([...yTrue, ...yPred].map((label) => typeof label));
  if (kinds.size > 1) throw unexpected('INVALID_ARG', 'classes of one kind for classificationReport', [...kinds].join(' and '));
  const found = labelsOf(yTrue, yPred);
  const { labels = found, sampleWeight, zeroDivision } = options;
  const classes = classScores(yTrue, yPred, { labels, sampleWeight, zeroDivision });
  const titles = titlesOf(labels, options);
  const support = classes.reduce((sum, each) => sum + each.support, 0);
  const isWhole = found.every((label) => labels.includes(label));
  const micro = precisionRecallF1(yTrue, yPred, { average: 'micro', labels, sampleWeight, zeroDivision });
  return [
    classes.map(({ label: _, ...scores }, i) => ({ title: titles[i]!, ...scores })),
    [
      { title: isWhole ? 'accuracy' : 'micro avg', ...micro, support },
      ...(['macro', 'weighted'] as const).map((name) => ({ title: `${name} avg`, ...averageOf(classes, name), support })),
    ],
  ];
}

function tableLines(
  yTrue: readonly (readonly number[])[],
  yPred: readonly (readonly number[])[],
  options: ReportOptions,
): [Line[], Line[]] {
  if (options.labels !== undefined || options.sampleWeight !== undefined) {
    throw unexpected('INVALID_ARG', 'neither labels nor sampleWeight for a report of tables', 'one of them');
  }
  const scores = multiLabelScores(yTrue, yPred, { zeroDivision: options.zeroDivision });
  const titles = titlesOf(
    scores.classes.map((_, i) => i),
    options,
  );
  const support = scores.classes.reduce((sum, each) => sum + each.support, 0);
  return [
    scores.classes.map((each, i) => ({ title: titles[i]!, ...each })),
    (['micro', 'macro', 'weighted', 'samples'] as const).map((name) => ({ title: `${name} avg`, ...scores[name], support })),
  ];
}

function titlesOf(labels: readonly Label[], { targetNames }: ReportOptions): readonly string[] {
  if (targetNames === undefined) return labels.map((label) => (typeof label === 'boolean' ? (label ? 'True' : 'False') : String(label)));
  if (targetNames.length !== labels.length) {
    throw unexpected('INVALID_ARG', `${labels.length} names, one for each class, for targetNames`, targetNames.length);
  }
  return targetNames;
}

/** Python rounds the exact value of a double, halves to even; toFixed rounds them up. */
function toFixedEven(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'nan';
  const rounded = value.toFixed(digits);
  const isHalf = (value * 2 * 10 ** digits) % 2 === 1 && Number.isInteger(value * 2 ** 20);
  if (!isHalf) return rounded;
  const lower = Math.floor(value * 10 ** digits);
  return ((lower % 2 === 0 ? lower : lower + 1) / 10 ** digits).toFixed(digits);
}
