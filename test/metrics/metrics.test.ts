import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import * as metrics from '../../src/metrics/index.js';
import { metricCalls, type MetricCase } from '../../scripts/golden-vectors/metrics.js';
import { codeOf, golden } from '../support/checkpoint-files.js';

const t = suite('metrics');

const list = ({ precision, recall, f1 }: metrics.PrecisionRecall) => [precision, recall, f1];

/** Requires numbers within 1e-12 in lists of any depth. */
function near(actual: unknown, expected: unknown, what: string): void {
  if (Array.isArray(expected)) {
    assert.ok(
      Array.isArray(actual) && actual.length === expected.length,
      `${what}: ${JSON.stringify(actual)} for ${JSON.stringify(expected)}`,
    );
    expected.forEach((value, i) => near((actual as unknown[])[i], value, `${what}[${i}]`));
  } else if (expected === null) {
    assert.ok(actual === null || Number.isNaN(actual), `${what}: ${String(actual)}`);
  } else {
    const value = typeof expected === 'string' ? { nan: NaN, inf: Infinity, '-inf': -Infinity }[expected]! : Number(expected);
    const number = actual as number;
    assert.ok(
      Object.is(number, value) || Math.abs(number - value) <= 1e-12 * Math.max(1, Math.abs(value)),
      `${what}: ${number} for ${String(expected)}`,
    );
  }
}

const shared = resolve(fileURLToPath(new URL('../..', import.meta.url)), process.env['BERTHA_SHARED'] ?? '../shared');
for (const file of [golden('vectors/metrics.json'), join(shared, 'golden-vectors/metrics.json')]) {
  if (!existsSync(file)) continue;
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: MetricCase[] };
  for (const kind of new Set(cases.map((each) => each.kind))) {
    t(`${kind} is that of scikit-learn and scipy (${cases.length} calls)`, () => {
      cases.forEach((each, i) => {
        if (each.kind !== kind) return;
        if (each.error !== undefined)
          assert.is(
            codeOf(() => metricCalls[kind]!(each)),
            'INVALID_ARG',
          );
        else near(metricCalls[kind]!(each), each.result, `case ${i}`);
      });
    });
  }
}

/** What shared/golden-training/metrics.json holds of a part. */
interface Part {
  readonly labels: never[];
  readonly predictions: never[];
  readonly scores: Readonly<Record<string, never>> & { readonly report: string };
}

const training = [
  golden('vectors/metrics-training.json'),
  process.env['BERTHA_GOLDEN_TRAINING']
    ? join(process.env['BERTHA_GOLDEN_TRAINING'], 'metrics.json')
    : join(shared, 'golden-training/metrics.json'),
].filter((file) => existsSync(file));
for (const file of training) {
  const parts = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Part>>;
  for (const name of ['three', 'binary', 'missing-class']) {
    t(`classes: ${name}, and the report to the letter`, () => {
      const { labels, predictions, scores } = parts[name]!;
      near(metrics.accuracy(labels, predictions), scores['accuracy'], 'accuracy');
      near(metrics.matthews(labels, predictions), scores['matthews'], 'matthews');
      near(metrics.balancedAccuracy(labels, predictions), scores['balanced_accuracy'], 'balanced accuracy');
      const confusion: number[][] = scores['confusion']!;
      const classes = confusion.map((_, label) => label);
      near(metrics.confusionMatrix(labels, predictions, { labels: classes }), confusion, 'confusion');
      for (const average of ['macro', 'micro', 'weighted'] as const) {
        near(list(metrics.precisionRecallF1(labels, predictions, { average })), (scores[average]! as unknown[]).slice(0, 3), average);
      }
      assert.is(metrics.classificationReport(labels, predictions), scores.report);
      if (name !== 'binary') return;
      const probabilities = scores['probabilities']!;
      near(metrics.precisionRecallF1(labels, predictions, { average: 'binary' }).f1, scores['f1_binary'], 'f1');
      near(metrics.rocAuc(labels, probabilities), scores['roc_auc'], 'roc auc');
      near(metrics.averagePrecision(labels, probabilities), scores['average_precision'], 'average precision');
      near(metrics.logLoss(labels, probabilities), scores['log_loss'], 'log loss');
    });
  }
  t('many labels, regression, constants', () => {
    const many = metrics.multiLabelScores(parts['multi-label']!.labels, parts['multi-label']!.predictions);
    const { scores } = parts['multi-label']!;
    near(many.subsetAccuracy, scores['subset_accuracy'], 'subset accuracy');
    near(many.hammingLoss, scores['hamming'], 'hamming');
    for (const average of ['micro', 'macro', 'weighted', 'samples'] as const) near(list(many[average]), scores[average], average);
    for (const name of ['regression', 'constant']) {
      const { labels: a, predictions: b, scores: expected } = parts[name]!;
      near(metrics.pearson(a, b), expected['pearson'], 'pearson');
      near(metrics.spearman(a, b), expected['spearman'], 'spearman');
      near(metrics.meanSquaredError(a, b), expected['mse'], 'mse');
      if (name === 'constant') continue;
      near(metrics.kendall(a, b), expected['kendall'], 'kendall');
      near(metrics.meanAbsoluteError(a, b), expected['mae'], 'mae');
      near(metrics.r2(a, b), expected['r2'], 'r2');
    }
  });
  t('entities as seqeval counts them, answers as SQuAD does', () => {
    const entities = parts['entities'] as unknown as Part & Record<string, Record<string, never>>;
    for (const strict of [false, true]) {
      const expected = entities[strict ? 'strict-iob2' : 'default']!;
      const scores = metrics.entityScores(entities.labels, entities.predictions, { strict });
      const field = (each: object, from: Readonly<Record<string, number>>): void =>
        Object.entries(from).forEach(([key, value]) => near((each as Record<string, number>)[key], value, key));
      field(scores.micro, expected['micro']!);
      field(scores.macro, expected['macro']!);
      near(scores.tokenAccuracy, expected['token_accuracy'], 'tokens');
      Object.entries(expected['by_type']!).forEach(([type, each]) => field(scores.byType[type]!, each as Record<string, number>));
    }
    const answers = parts['squad'] as unknown as readonly { prediction: string; answers: string[]; exact: number; f1: number }[];
    assert.ok(answers.length > 5);
    for (const { prediction, answers: right, exact, f1 } of answers) {
      const scores = metrics.squadScores(prediction, right);
      near([scores.exact, scores.f1], [exact, f1], prediction);
    }
  });
}

t("scikit-learn's names give scikit-learn's shapes", () => {
  const [yTrue, yPred] = [
    [0, 1, 2, 2, 1],
    [0, 2, 2, 2, 1],
  ];
  const each = metrics.precisionRecallFscoreSupport(yTrue, yPred);
  assert.equal(each, { precision: [1, 1, 2 / 3], recall: [1, 0.5, 1], fscore: [1, 2 / 3, 0.8], support: [1, 2, 2] });
  assert.equal(metrics.f1Score(yTrue, yPred, { average: null }), each.fscore);
  assert.ok(Math.abs(metrics.f1Score(yTrue, yPred, { average: 'macro' }) - (1 + 2 / 3 + 0.8) / 3) < 1e-15);
  assert.is(metrics.f1Score([1, 0, 1], [1, 1, 0]), 0.5);
  assert.is(metrics.precisionRecallFscoreSupport(yTrue, yPred, { average: 'micro' }).support, null);
  const report = metrics.classificationReport(yTrue, yPred, { outputDict: true });
  assert.equal(report['2'], { precision: 2 / 3, recall: 1, 'f1-score': 0.8, support: 2 });
  assert.equal(Object.keys(report), ['0', '1', '2', 'accuracy', 'macro avg', 'weighted avg']);
  assert.is(report['accuracy'], metrics.accuracyScore(yTrue, yPred));
});

t.run();
