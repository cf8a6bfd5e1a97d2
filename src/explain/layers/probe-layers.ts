import { requireModel } from '../../calls/inputs.js';
import { limitSchema } from '../../calls/options.js';
import { unexpected, wrongArgument } from '../../expected.js';
import { classesOf } from '../../learn/linear/labels.js';
import { LogisticRegression } from '../../learn/linear/logistic-regression.js';
import { NumpyRandom } from '../../learn/split/numpy-random.js';
import { splitIndices, type Split } from '../../learn/split/train-test-split.js';
import type { Label } from '../../metrics/classification.js';
import type { Model } from '../../models/index.js';
import { type Check, flag, oneOf, readOptions } from '../../options.js';
import { collectionSchema, seedCheck, type CollectionOptions } from '../reading/collection-options.js';
import { readExplained, type ExplainedText } from '../reading/explained-text.js';

/** Options of `probeLayers`. */
export interface ProbeOptions extends CollectionOptions {
  /** What of a text is looked at: the mean of its tokens' vectors (default), or the first token's. Words always have that of their first piece. */
  readonly pooling?: 'mean' | 'cls' | undefined;
  /** A share below 1 of the texts, or how many. Default 0.2. */
  readonly testSize?: number | undefined;
  /** Of the split and of control labels. Default 1. */
  readonly seed?: number | undefined;
  /** Probe labels too that were dealt out at random (Hewitt, Liang 2019): what a probe learns by heart. Default true. */
  readonly control?: boolean | undefined;
  readonly maxLength?: number | undefined;
}

/** What a probe reads from one layer. */
export interface ProbedLayer {
  /** 0: the embeddings; then the layers. */
  readonly layer: number;
  /** Of rows that were held back. */
  readonly accuracy: number;
  /** Wilson's interval of the accuracy, 95 %. */
  readonly interval: readonly [number, number];
  readonly trainAccuracy: number;
  /** The same probe on labels dealt out at random; undefined without `control`. */
  readonly controlAccuracy?: number;
  /** The predictions for the rows that were held back, in their order. */
  readonly predictions: readonly Label[];
}

/** A probe shows that something can be read from a layer, not that the model uses it. */
export interface LayerProbe {
  readonly classes: readonly Label[];
  readonly layers: readonly ProbedLayer[];
  /** The accuracy of always saying the most frequent class of the rows that were held back. */
  readonly majority: number;
  readonly trainRows: number;
  readonly testRows: number;
  /** The model's directory. */
  readonly model: string;
}

const size: Check<number> = (value, name) => {
  if (typeof value === 'number' && ((value > 0 && value < 1) || (Number.isInteger(value) && value >= 1))) return value;
  throw wrongArgument(`a share between 0 and 1 or a whole number from 1 for ${name}`, value);
};
const schema = {
  pooling: oneOf(['mean', 'cls']),
  testSize: size,
  seed: seedCheck,
  control: flag,
  maxLength: limitSchema.maxLength,
  ...collectionSchema,
};

/** Texts of a forward: all layers' outputs are in memory at once. */
const kBlockTokens = 4096;

/**
 * Finds out in which layers a property of texts, or of their words, can be read: a logistic regression (C 1, 1,000 iterations) on the vectors of each
 * layer. Texts that are lists of words have a list of labels, one a word; they are split by text, never by word.
 *
 * Errors: INVALID_ARG for lists of different lengths, one class, a class with one text; INVALID_OPTION, MAX_LENGTH, those of `forward` and of
 * `LogisticRegression.fit`, the signal's reason.
 *
 * @example
 * const { layers, majority } = await probeLayers(model, texts, labels);
 * for (const { layer, accuracy, controlAccuracy } of layers) console.log(layer, accuracy, controlAccuracy, majority);
 */
export async function probeLayers(
  model: Model,
  texts: readonly string[] | readonly (readonly string[])[],
  labels: readonly Label[] | readonly (readonly Label[])[],
  options?: ProbeOptions,
): Promise<LayerProbe> {
  requireModel(model, 'probeLayers');
  const settings = readOptions('probeLayers', options, schema);
  const { pooling = 'mean', testSize = 0.2, seed = 1, control = true, signal, onProgress } = settings;
  const rows = readRows(texts, labels);
  requireClasses(rows);
  const numLayers = model.values.hiddenStates.length;
  const total = texts.length + numLayers;
  const tell = (done: number): void => onProgress?.({ done, total });
  const features = await featuresOf(model, texts, rows, { pooling, maxLength: settings.maxLength, signal, tell });
  const { train, test } = splitIndices(texts.length, { testSize, randomState: seed });
  const [trainTexts, testTexts] = [new Set(train), new Set(test)];
  const rowsIn = (own: ReadonlySet<number>): number[] => [...rows.keys()].filter((i) => own.has(rows[i]!.text));
  const split = { train: rowsIn(trainTexts), test: rowsIn(testTexts) };
  const all = rows.map(({ label }) => label);
  const random = new NumpyRandom(seed);
  const dealt = control ? random.permutation(all.length).map((i) => all[i]!) : undefined;
  const probed = await probeFeatures(features, all, split, dealt, { signal, onLayer: (layer) => tell(texts.length + layer + 1) });
  return { ...probed, trainRows: split.train.length, testRows: split.test.length, model: model.directory };
}

interface Row {
  readonly text: number;
  /** Of a word: where it begins in its text. */
  readonly start?: number;
  readonly label: Label;
}

function readRows(texts: unknown, labels: unknown): Row[] {
  if (!Array.isArray(texts) || !Array.isArray(labels) || texts.length !== labels.length) {
    throw wrongArgument('as many labels as texts for probeLayers', labels);
  }
  return texts.flatMap((text: unknown, i): Row[] => {
    const own: unknown = labels[i];
    if (typeof text === 'string') return [{ text: i, label: own as Label }];
    const isList = Array.isArray(text) && Array.isArray(own) && own.length === text.length;
    if (!isList) throw wrongArgument(`a string with its label, or a list of words with as many labels, for text ${i} of probeLayers`, text);
    let start = 0;
    return (text as string[]).map((word, w) => {
      const row = { text: i, start, label: (own as Label[])[w]! };
      start += word.length + 1;
      return row;
    });
  });
}

function requireClasses(rows: readonly Row[]): void {
  const classes = classesOf(
    rows.map(({ label }) => label),
    'the labels of probeLayers',
  );
  const textsOf = (label: Label): number => new Set(rows.filter((row) => row.label === label).map(({ text }) => text)).size;
  if (classes.length < 2) throw unexpected('INVALID_ARG', 'labels of two or more classes for probeLayers', `${classes.length}`);
  const rare = classes.find((label) => textsOf(label) < 2);
  if (rare !== undefined) throw unexpected('INVALID_ARG', 'two or more texts of each class for probeLayers', `one of ${String(rare)}`);
}

/** For each layer a vector a row. */
async function featuresOf(
  model: Model,
  texts: readonly (string | readonly string[])[],
  rows: readonly Row[],
  {
    pooling,
    maxLength,
    signal,
    tell,
  }: {
    readonly pooling: 'mean' | 'cls';
    readonly maxLength: number | undefined;
    readonly signal: AbortSignal | undefined;
    readonly tell: (done: number) => void;
  },
): Promise<Float32Array[][]> {
  const features: Float32Array[][] = model.values.hiddenStates.map(() => []);
  const ofText: Row[][] = texts.map(() => []);
  for (const row of rows) ofText[row.text]!.push(row);
  for (let first = 0; first < texts.length;) {
    const reads: ExplainedText[] = [];
    for (let tokens = 0; first < texts.length && tokens < kBlockTokens; first++) {
      const text = texts[first]!;
      const read = await readExplained('probeLayers', model, typeof text === 'string' ? text : text.join(' '), { maxLength, signal });
      if (read.tokens.length === 0) throw unexpected('EMPTY_INPUT', `tokens in text ${first} of probeLayers`, 'none');
      reads.push(read);
      tokens += read.tokens.length;
    }
    const outputs = await model.forward(
      reads.map(({ encoding }) => encoding),
      { hiddenStates: true, pooler: false, signal, priority: 'bulk' },
    );
    outputs.forEach(({ hiddenStates }, i) => {
      const text = first - reads.length + i;
      for (const row of ofText[text]!) {
        const token = row.start === undefined ? undefined : firstPiece(reads[i]!, row.start, text);
        hiddenStates!.forEach(({ data, dims }, layer) => features[layer]!.push(vectorOf(data, dims[1]!, token ?? pooling)));
      }
    });
    tell(first);
  }
  return features;
}

function firstPiece({ tokens }: ExplainedText, start: number, text: number): number {
  const token = tokens.findIndex((each) => !each.special && each.end > start);
  if (token >= 0) return token;
  throw unexpected('MAX_LENGTH', `a text within the limit for text ${text} of probeLayers`, 'a word beyond it');
}

function vectorOf(data: Float32Array, width: number, what: number | 'mean' | 'cls'): Float32Array {
  if (what !== 'mean') return data.slice(what === 'cls' ? 0 : what * width, (what === 'cls' ? 1 : what + 1) * width);
  const sums = new Float64Array(width);
  for (let i = 0; i < data.length; i++) sums[i % width]! += data[i]!;
  return Float32Array.from(sums, (sum) => sum / (data.length / width));
}

/** Probes vectors of layers that are there already. */
export async function probeFeatures(
  features: readonly (readonly Float32Array[])[],
  labels: readonly Label[],
  { train, test }: Split,
  control: readonly Label[] | undefined,
  { signal, onLayer }: { readonly signal?: AbortSignal | undefined; readonly onLayer?: (layer: number) => void } = {},
): Promise<Pick<LayerProbe, 'classes' | 'layers' | 'majority'>> {
  const take = <T>(list: readonly T[], own: readonly number[]): T[] => own.map((i) => list[i]!);
  const layers: ProbedLayer[] = [];
  const expected = take(labels, test);
  for (const [layer, rows] of features.entries()) {
    const fit = (y: readonly Label[]): Promise<LogisticRegression> =>
      new LogisticRegression({ C: 1, maxIter: 1000 }).fit(take(rows, train), take(y, train), { signal });
    const probe = await fit(labels);
    const predictions = await probe.predict(take(rows, test));
    const right = predictions.filter((label, i) => label === expected[i]).length;
    layers.push({
      layer,
      accuracy: right / test.length,
      interval: wilson(right, test.length),
      trainAccuracy: await probe.score(take(rows, train), take(labels, train)),
      ...(control && { controlAccuracy: await (await fit(control)).score(take(rows, test), take(control, test)) }),
      predictions,
    });
    onLayer?.(layer);
  }
  const classes = classesOf(labels, 'the labels of probeLayers');
  const most = Math.max(...classes.map((label) => expected.filter((each) => each === label).length));
  return { classes, layers, majority: most / test.length };
}

/** Wilson's interval of a share, at 95 %. */
function wilson(right: number, count: number): [number, number] {
  const z = 1.959963984540054;
  const share = right / count;
  const centre = (share + (z * z) / (2 * count)) / (1 + (z * z) / count);
  const half = (z / (1 + (z * z) / count)) * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
