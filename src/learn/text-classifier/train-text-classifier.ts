import { type Embedder, loadEmbedder } from '../../embedding/embed.js';
import { embedderCheck } from '../../embedding/embedder-check.js';
import { unexpected, wrongOption } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { accuracy, confusionMatrix, type Label } from '../../metrics/classification.js';
import { classificationReport } from '../../metrics/report.js';
import { abortSignal, callback, type Check, flag, integer, readOptions } from '../../options.js';
import { scaledProbabilities } from '../calibration/temperature.js';
import { classesOf } from '../linear/labels.js';
import { LogisticRegression, type LogisticRegressionOptions } from '../linear/logistic-regression.js';
import { seed, splitIndices } from '../split/train-test-split.js';
import { TfidfVectorizer, type TfidfVectorizerOptions } from '../text/tfidf-vectorizer.js';
import { HeldOut, logitsOf } from './held-out.js';
import { type LabelledColumns, type LabelledTexts, readLabelledTexts } from './read-labelled-texts.js';
import { TextClassifier, type TextClassifierParts, type TextEvaluation } from './text-classifier.js';
import { featuresCheck, requireTextList, type TextFeature, TextFeatures } from './text-features.js';

/** What `onProgress` of `trainTextClassifier` hears. */
export interface TextClassifierProgress {
  /** `embed`: texts; `search`, `calibrate`: fits on a part of the texts; `fit`: iterations of the last fit. */
  readonly phase: 'embed' | 'search' | 'calibrate' | 'fit';
  readonly done: number;
  readonly of: number;
}

/** Options of `trainTextClassifier`. */
export interface TextClassifierOptions {
  /** What is looked at: `'both'` (default), `'bert'`, `'tfidf'`, or a list. */
  readonly features?: 'both' | TextFeature | readonly TextFeature[] | undefined;
  /** How little large coefficients are punished; `'search'`: the best of 0.1, 1, 10 and 100 on held-out fifths. Default 1. */
  readonly C?: number | 'search' | undefined;
  readonly classWeight?: LogisticRegressionOptions['classWeight'];
  /** Default 1000. */
  readonly maxIter?: number | undefined;
  /** Texts that are held back for the report: a share, how many, or 0 for none. Default 0.2; with `test` 0. */
  readonly testSize?: number | undefined;
  /** Texts of its own for the report. */
  readonly test?: LabelledTexts | undefined;
  /** Seed of the splits. Default 42. */
  readonly randomState?: number | undefined;
  /** Options of the TF-IDF; for Chinese `{ tokenizer: segmentWords }`. */
  readonly vectorizer?: TfidfVectorizerOptions | undefined;
  /** Fit the temperature of the probabilities on held-out fifths. Default true. */
  readonly calibrate?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TextClassifierProgress) => void) | undefined;
}

/** What `trainTextClassifier` takes as one object: the data, the model, and the options. */
export interface TextClassifierData extends TextClassifierOptions {
  readonly texts?: readonly string[] | undefined;
  readonly labels?: readonly Label[] | undefined;
  /** .csv, .tsv, .jsonl or .json instead of texts and labels. */
  readonly file?: FilePath | undefined;
  /** The columns of `file`. Default: found by the usual names. */
  readonly columns?: LabelledColumns | undefined;
  /** Default: the bundled model, which the classifier loads and disposes of. */
  readonly embedder?: Embedder | undefined;
}

const regularization: Check<number | 'search'> = (value, name) => {
  if (value !== 'search' && !(typeof value === 'number' && value > 0)) throw wrongOption(`a number above 0 or "search" for ${name}`, value);
  return value;
};
const shareOrCount: Check<number> = (value, name) => {
  if (typeof value === 'number' && value >= 0 && (value < 1 || Number.isInteger(value))) return value;
  throw wrongOption(`a share below 1 or a whole number for ${name}`, value);
};
const anyObject: Check<object> = (value, name) => {
  if (typeof value !== 'object' || value === null) throw wrongOption(`an object for ${name}`, value);
  return value;
};
const anything: Check<unknown> = (value) => value;
const schema = {
  texts: anything,
  labels: anything,
  file: filePath,
  columns: anyObject as Check<LabelledColumns>,
  embedder: embedderCheck,
  features: featuresCheck,
  C: regularization,
  classWeight: anything as Check<NonNullable<LogisticRegressionOptions['classWeight']>>,
  maxIter: integer(1, 1_000_000),
  testSize: shareOrCount,
  test: anyObject as Check<LabelledTexts>,
  randomState: seed,
  vectorizer: anyObject as Check<TfidfVectorizerOptions>,
  calibrate: flag,
  signal: abortSignal,
  onProgress: callback as unknown as Check<(progress: TextClassifierProgress) => void>,
};

/**
 * Trains a classifier of texts: BERT's sentence vectors and TF-IDF side by side into a logistic regression, with probabilities that a
 * temperature calibrates, and a report on texts that were held back. Computes on the pool and in slices of the event loop.
 *
 * Errors: INVALID_ARG for texts and labels of different lengths, labels of mixed kinds or one class; DATASET for a file's rows;
 * INVALID_OPTION, EMPTY_INPUT where TF-IDF finds no word, IO, those of `loadEmbedder` and `embed`, the signal's reason.
 *
 * @example
 * const classifier = await trainTextClassifier(await loadEmbedder(), texts, labels, { testSize: 0.2, randomState: 42 });
 * console.log(classifier.report);
 * await classifier.save('./sentiment');
 */
export function trainTextClassifier(data: TextClassifierData): Promise<TextClassifier>;
export function trainTextClassifier(
  embedder: Embedder | undefined,
  texts: readonly string[],
  labels: readonly Label[],
  options?: TextClassifierOptions,
): Promise<TextClassifier>;
export async function trainTextClassifier(
  first: TextClassifierData | Embedder | undefined,
  texts?: readonly string[],
  labels?: readonly Label[],
  options?: TextClassifierOptions,
): Promise<TextClassifier> {
  if (texts === undefined) return trainOn((first ?? {}) as TextClassifierData);
  return trainOn({ ...options, embedder: first as Embedder | undefined, texts, labels });
}

async function trainOn(given: TextClassifierData): Promise<TextClassifier> {
  const read = readOptions('trainTextClassifier', given, schema);
  const { features = ['bert', 'tfidf'], test, signal, randomState = 42, testSize = test === undefined ? 0.2 : 0 } = read;
  const all = requireLabels(
    read.file === undefined
      ? ({ texts: read.texts, labels: read.labels } as LabelledTexts)
      : await readLabelledTexts(read.file, read.columns),
    'trainTextClassifier',
  );
  const classes = classesOf(all.labels, 'the labels of trainTextClassifier');
  if (classes.length < 2)
    throw unexpected('INVALID_ARG', 'labels of two or more classes for trainTextClassifier', String(classes[0] ?? 'none'));
  const [learned, held] = split(all, testSize, randomState);
  const checked = test === undefined ? held : requireLabels(test, 'trainTextClassifier option test');
  const vectorizer = features.includes('tfidf') ? new TfidfVectorizer(read.vectorizer) : undefined;
  signal?.throwIfAborted();
  const ownsEmbedder = read.embedder === undefined && features.includes('bert');
  const embedder = features.includes('bert') ? (read.embedder ?? (await loadEmbedder())) : undefined;
  try {
    const rows = new TextFeatures(embedder, vectorizer);
    const tell = (phase: TextClassifierProgress['phase'], done: number, of: number): void => read.onProgress?.({ phase, done, of });
    const x = await rows.fitTransform(learned.texts, { signal, onEmbedded: (done) => tell('embed', done, learned.texts.length) });
    const { classWeight, maxIter = 1000, C: wanted = 1 } = read;
    const make = (C: number): LogisticRegression => new LogisticRegression({ C, classWeight, maxIter });
    const heldOut = new HeldOut(x, learned.labels, { randomState, signal, make });
    const C = wanted === 'search' ? await heldOut.search((done, of) => tell('search', done, of)) : wanted;
    const temperature = read.calibrate === false ? 1 : await heldOut.temperature(C, (done, of) => tell('calibrate', done, of));
    const model = await make(C).fit(x, learned.labels, {
      signal,
      onProgress: ({ iteration }) => tell('fit', iteration, maxIter),
    });
    const parts = { model, features: rows, temperature, ownsEmbedder };
    const evaluation = checked.texts.length === 0 ? undefined : await evaluate(parts, checked, signal);
    return new TextClassifier({ ...parts, evaluation });
  } catch (error) {
    if (ownsEmbedder) embedder?.dispose();
    throw error;
  }
}

function requireLabels({ texts, labels }: LabelledTexts, name: string): LabelledTexts {
  requireTextList(texts, `the texts of ${name}`);
  if (Array.isArray(labels) && labels.length === texts.length) return { texts, labels };
  throw unexpected(
    'INVALID_ARG',
    `a label for each of ${texts.length} texts of ${name}`,
    Array.isArray(labels) ? labels.length : 'no list',
  );
}

/** The texts to learn from and those held back: every class on both sides in its share, where each has two texts or more. */
function split({ texts, labels }: LabelledTexts, testSize: number, randomState: number): readonly [LabelledTexts, LabelledTexts] {
  if (testSize === 0)
    return [
      { texts, labels },
      { texts: [], labels: [] },
    ];
  const counts = countsOf(labels);
  const single = [...counts].find(([, count]) => count < 2)?.[0];
  if (single !== undefined) {
    process.emitWarning(`trainTextClassifier splits without regard to classes: ${JSON.stringify(single)} has one text only.`, {
      code: 'BERTHA_LEARN',
    });
  }
  const { train, test } = splitIndices(texts.length, { testSize, randomState, ...(single === undefined ? { stratify: labels } : {}) });
  const side = (rows: readonly number[]): LabelledTexts => ({ texts: rows.map((i) => texts[i]!), labels: rows.map((i) => labels[i]!) });
  return [side(train), side(test)];
}

function countsOf(labels: readonly Label[]): Map<Label, number> {
  const counts = new Map<Label, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** What a classifier gets right of texts. */
async function evaluate(
  { model, features, temperature }: TextClassifierParts,
  { texts, labels }: LabelledTexts,
  signal: AbortSignal | undefined,
): Promise<TextEvaluation> {
  const probabilities = scaledProbabilities(logitsOf(await model.decisionFunction(await features.transform(texts, signal))), temperature);
  const predicted = probabilities.map((row) => model.classes[row.indexOf(Math.max(...row))]!);
  const classes = classesOf([...labels, ...predicted], 'the labels to check');
  // A class that was not learned has no probability; it costs what the smallest number does.
  const least = 2 ** -52;
  const losses = labels.map((label, i) => -Math.log(Math.max(least, probabilities[i]![model.classes.indexOf(label)] ?? 0)));
  return {
    accuracy: accuracy(labels, predicted),
    report: classificationReport(labels, predicted),
    confusionMatrix: confusionMatrix(labels, predicted, { labels: classes }),
    classes,
    support: texts.length,
    logLoss: losses.reduce((sum, loss) => sum + loss, 0) / texts.length,
  };
}
