import * as metrics from '../../src/metrics/index.js';
import { check, type Golden, number, type Outcome, refusedOr, type Refusal } from './read.js';

type Labels = readonly metrics.Label[];

/** One call of scikit-learn or scipy, and its answer; NaN and infinity as text. */
export interface MetricCase extends Refusal {
  readonly kind: string;
  readonly yTrue: number[];
  readonly yPred: Labels;
  readonly scores: number[] & number[][];
  readonly a: number[];
  readonly b: number[];
  readonly x: number[][];
  readonly labels: number[];
  readonly options?: Readonly<Record<string, never>>;
  readonly result?: unknown;
}

const list = ({ precision, recall, f1 }: metrics.PrecisionRecall): number[] => [precision, recall, f1];

/** Our function for each kind of case. */
export const metricCalls: Readonly<Record<string, (c: MetricCase) => unknown>> = {
  confusionMatrix: (c) => metrics.confusionMatrix(c.yTrue, c.yPred, c.options),
  accuracy: (c) => metrics.accuracy(c.yTrue, c.yPred),
  balancedAccuracy: (c) => metrics.balancedAccuracy(c.yTrue, c.yPred),
  matthews: (c) => metrics.matthews(c.yTrue, c.yPred),
  cohenKappa: (c) => metrics.cohenKappa(c.yTrue, c.yPred),
  precisionRecallF1(c) {
    if (c.options!['average'] !== null) return [...list(metrics.precisionRecallF1(c.yTrue, c.yPred, c.options as never)), null];
    const classes = metrics.classScores(c.yTrue, c.yPred);
    return (['precision', 'recall', 'f1', 'support'] as const).map((name) => classes.map((each) => each[name]));
  },
  fBeta: (c) => metrics.fBeta(c.yTrue, c.yPred, c.options as never),
  rocAuc: (c) =>
    Array.isArray(c.scores[0])
      ? metrics.rocAucOfClasses(c.yTrue, c.scores, c.options as never)
      : metrics.rocAuc(c.yTrue, c.scores, c.options),
  averagePrecision: (c) => metrics.averagePrecision(c.yTrue, c.scores),
  brier: (c) => metrics.brier(c.yTrue, c.scores),
  logLoss: (c) => metrics.logLoss(c.yTrue, c.scores),
  rocCurve(c) {
    const { falsePositiveRate, truePositiveRate, thresholds } = metrics.rocCurve(c.yTrue, c.scores, c.options);
    return [falsePositiveRate, truePositiveRate, thresholds];
  },
  precisionRecallCurve(c) {
    const { precision, recall, thresholds } = metrics.precisionRecallCurve(c.yTrue, c.scores);
    return [precision, recall, thresholds];
  },
  calibrationCurve(c) {
    const { observed, predicted } = metrics.calibrationCurve(c.yTrue, c.scores, c.options);
    return [observed, predicted];
  },
  topKAccuracy: (c) => metrics.topKAccuracy(c.yTrue, c.scores, c.options),
  spearman: (c) => metrics.spearman(c.a, c.b),
  pearson: (c) => metrics.pearson(c.a, c.b),
  kendall: (c) => metrics.kendall(c.a, c.b),
  meanSquaredError: (c) => metrics.meanSquaredError(c.a, c.b),
  meanAbsoluteError: (c) => metrics.meanAbsoluteError(c.a, c.b),
  r2: (c) => metrics.r2(c.a, c.b),
  silhouette: (c) => metrics.silhouette(c.x, c.labels, c.options),
};

/** metrics.json. */
export async function scores(golden: Golden, outcome: Outcome): Promise<void> {
  for (const [i, item] of golden.json<{ cases: MetricCase[] }>('metrics.json').cases.entries()) {
    const name = `${item.kind} ${i}`;
    await refusedOr(outcome, name, item, () => {
      const got = metricCalls[item.kind]!(item);
      if (item.error === undefined)
        check(outcome, name, isNear(got, item.result), `${JSON.stringify(got)} for ${JSON.stringify(item.result)}`);
    });
  }
}

/** Whether numbers are within 1e-12, in lists of any depth. */
export function isNear(got: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(got) && got.length === expected.length && expected.every((value, i) => isNear(got[i], value));
  }
  if (expected === null) return got === null || Number.isNaN(got);
  const [a, b] = [Number(got), number(expected)];
  return Object.is(a, b) || Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(b));
}

type Listed = Labels | { readonly runs: readonly (readonly [metrics.Label, number])[] };

interface ReportCase extends Refusal {
  readonly id: string;
  readonly yTrue: Listed;
  readonly yPred: Listed;
  readonly options: Omit<metrics.ReportOptions, 'zeroDivision'> & { readonly zeroDivision?: number | string };
  readonly text: string;
  readonly dict: Readonly<Record<string, number | string | Readonly<Record<string, number | string>>>>;
}

/** report.json: reports as text, to the letter, and as objects. */
export async function report(golden: Golden, outcome: Outcome): Promise<void> {
  for (const item of golden.json<{ cases: ReportCase[] }>('report.json').cases) {
    await refusedOr(outcome, item.id, item, () => {
      const { zeroDivision, ...rest } = item.options;
      const [yTrue, yPred] = [spread(item.yTrue), spread(item.yPred)];
      const options = {
        ...rest,
        targetNames: rest.targetNames ?? pythonFloats(item),
        zeroDivision: zeroDivision === 'warn' ? 0 : zeroDivision === undefined ? undefined : number(zeroDivision),
      };
      const text = metrics.classificationReport(yTrue, yPred, options);
      if (item.error !== undefined) return;
      check(outcome, `${item.id} text`, text === item.text, `\n${text}\nfor\n${item.text}`);
      const object = metrics.classificationReport(yTrue, yPred, { ...options, outputDict: true });
      for (const [title, line] of Object.entries(item.dict)) {
        const got = object[title];
        const isRight =
          typeof line !== 'object'
            ? isNear(got, line)
            : typeof got === 'object' &&
              isNear(
                [got.precision, got.recall, got['f1-score'], got.support],
                [line['precision'], line['recall'], line['f1-score'], line['support']],
              );
        check(outcome, `${item.id} ${title}`, isRight, `${JSON.stringify(got)} for ${JSON.stringify(line)}`);
      }
      check(outcome, `${item.id} titles`, Object.keys(object).length === Object.keys(item.dict).length);
    });
  }
}

function spread(labels: Listed): Labels {
  return 'runs' in labels ? labels.runs.flatMap(([label, count]) => new Array<metrics.Label>(count).fill(label)) : labels;
}

/** The names of classes that are floats in Python: 1.0, which JSON.parse reads as 1. */
function pythonFloats({ dict }: ReportCase): readonly string[] | undefined {
  const titles = Object.keys(dict ?? {}).filter((title) => title !== 'accuracy' && !title.endsWith(' avg'));
  return titles.length > 0 && titles.every((title) => /^-?\d+\.\d+$/.test(title)) ? titles : undefined;
}
