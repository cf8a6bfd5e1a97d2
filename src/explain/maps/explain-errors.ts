import { requireModel } from '../../calls/inputs.js';
import { unexpected, wrongArgument } from '../../expected.js';
import { calibrationCurve, type CalibrationCurve } from '../../metrics/probability.js';
import { confusionMatrix } from '../../metrics/classification.js';
import { classificationReport, type ReportObject } from '../../metrics/report.js';
import type { Model } from '../../models/index.js';
import { integer, readOptions } from '../../options.js';
import { classifyText } from '../../tasks/index.js';
import { explain } from '../attribution/explain.js';
import type { Attribution } from '../attribution/attribute.js';
import { methodCheck, type AttributionMethod } from '../attribution/options.js';
import { collectionSchema, type CollectionOptions } from '../reading/collection-options.js';

/** Options of `explainErrors`. */
export interface ErrorsOptions extends CollectionOptions {
  /** Texts that are shown of each label, those of the largest loss first. Default 20. */
  readonly worst?: number | undefined;
  /** Of these, how many in all are explained: the wrong label against the right one. Default 10. */
  readonly explained?: number | undefined;
  /** Default `'integrated-gradients'`. */
  readonly method?: AttributionMethod | undefined;
}

/** A text that was classified. */
export interface ClassifiedExample {
  /** Its place in the list that was given. */
  readonly index: number;
  readonly text: string;
  readonly label: string;
  readonly predicted: string;
  /** Of the label that is right, by the model. */
  readonly probability: number;
  /** -ln(probability). */
  readonly loss: number;
  readonly tokens: number;
  readonly truncated: boolean;
  /** Of texts that are explained: why the predicted label and not the right one. */
  readonly attribution?: Attribution;
}

/** A word and what it added to wrong answers. */
export interface MisleadingWord {
  readonly word: string;
  /** The sum of its values, for the wrong label against the right one. */
  readonly value: number;
  /** Texts that have it, of those that were explained. */
  readonly texts: number;
}

/** Texts of a length, or cut, and how many were right. */
export interface LengthAccuracy {
  /** Tokens, from and to. */
  readonly from: number;
  readonly to: number;
  readonly texts: number;
  readonly accuracy: number;
}

/** What a classifier gets wrong. */
export interface ErrorAnalysis {
  readonly labels: readonly string[];
  readonly accuracy: number;
  /** [right label, predicted label]: how many. */
  readonly confusion: readonly (readonly number[])[];
  readonly report: ReportObject;
  /** How far the probability of the predicted label is the share of right answers. */
  readonly calibration: CalibrationCurve;
  /** For each label, its texts of the largest loss among those that were wrong. */
  readonly worst: readonly { readonly label: string; readonly texts: readonly ClassifiedExample[] }[];
  /** Words that added most to the wrong answers that were explained. */
  readonly words: readonly MisleadingWord[];
  /** Quarters of the texts by their length. */
  readonly lengths: readonly LengthAccuracy[];
  readonly truncated: { readonly texts: number; readonly accuracy: number };
  /** Every text, in the order that was given, as a cell of `confusion` filters them. */
  readonly texts: readonly ClassifiedExample[];
  /** The model's directory. */
  readonly model: string;
}

const schema = { worst: integer(0, 10_000), explained: integer(0, 1000), method: methodCheck, ...collectionSchema };
/** Texts of one call. */
const kBlock = 256;
const kWords = 20;

/**
 * Classifies texts whose labels are known, and says what goes wrong: confusion, calibration, the worst texts of each label with the words that led the
 * model astray, accuracy by length.
 *
 * Errors: NO_HEAD, INVALID_ARG for lists of different lengths or without a text, INVALID_LABEL for labels that the model does not have, INVALID_OPTION, those
 * of `classifyText` and `explain`, the signal's reason.
 *
 * @example
 * const { confusion, worst, words } = await explainErrors(model, texts, labels, { worst: 5 });
 */
export async function explainErrors(
  model: Model,
  texts: readonly string[],
  labels: readonly string[],
  options?: ErrorsOptions,
): Promise<ErrorAnalysis> {
  requireModel(model, 'explainErrors');
  const { worst: most = 20, explained = 10, method, signal, onProgress } = readOptions('explainErrors', options, schema);
  if (!Array.isArray(texts) || texts.length === 0) throw wrongArgument('a list of texts for explainErrors', texts);
  if (!Array.isArray(labels) || labels.length !== texts.length) throw wrongArgument(`a label for each of ${texts.length} texts`, labels);
  const { id2label } = model.config;
  const unknown = labels.findIndex((label) => !id2label.includes(label));
  if (unknown >= 0) {
    throw unexpected(
      'INVALID_LABEL',
      `labels of the model (${id2label.slice(0, 12).join(', ')})`,
      `${String(labels[unknown])} at index ${unknown}`,
    );
  }
  let total = texts.length + explained;
  const examples: (ClassifiedExample & { readonly certainty: number })[] = [];
  for (let first = 0; first < texts.length; first += kBlock) {
    const found = await classifyText(model, texts.slice(first, first + kBlock), { topK: null, signal, priority: 'bulk' });
    found.forEach(({ labels: scores, tokens, truncated }, i) => {
      const index = first + i;
      const label = labels[index]!;
      const probability = scores.find((each) => each.label === label)!.score;
      const [best] = scores;
      const loss = -Math.log(probability);
      examples.push({
        index,
        text: texts[index]!,
        label,
        predicted: best!.label,
        probability,
        loss,
        tokens,
        truncated,
        certainty: best!.score,
      });
    });
    onProgress?.({ done: examples.length, total });
  }
  const isWrong = ({ label, predicted }: ClassifiedExample): boolean => label !== predicted;
  const wrong = examples.filter(isWrong).sort((a, b) => b.loss - a.loss);
  const chosen = wrong.slice(0, explained);
  total = texts.length + chosen.length;
  const attributions = new Map<number, Attribution>();
  for (const { index, text, label, predicted } of chosen) {
    attributions.set(index, await explain(model, text, { target: { label: predicted, versus: label }, method, signal }));
    onProgress?.({ done: texts.length + attributions.size, total });
  }
  const all = examples.map(({ certainty: _, ...example }): ClassifiedExample => {
    const attribution = attributions.get(example.index);
    return attribution === undefined ? example : { ...example, attribution };
  });
  const predicted = all.map((each) => each.predicted);
  const isRight = examples.map((each) => (isWrong(each) ? 0 : 1));
  return {
    labels: id2label,
    accuracy: accuracyOf(all),
    confusion: confusionMatrix(labels, predicted, { labels: id2label }),
    report: classificationReport(labels, predicted, { outputDict: true }),
    calibration: calibrationCurve(
      isRight,
      examples.map(({ certainty }) => certainty),
      { bins: 10 },
    ),
    worst: id2label.map((label) => ({
      label,
      texts: wrong
        .filter((each) => each.label === label)
        .slice(0, most)
        .map(({ index }) => all[index]!),
    })),
    words: misleadingWords([...attributions.values()]),
    lengths: byLength(all),
    truncated: { texts: all.filter(({ truncated }) => truncated).length, accuracy: accuracyOf(all.filter(({ truncated }) => truncated)) },
    texts: all,
    model: model.directory,
  };
}

/** NaN of no texts. */
function accuracyOf(examples: readonly ClassifiedExample[]): number {
  return examples.filter(({ label, predicted }) => label === predicted).length / examples.length;
}

function misleadingWords(attributions: readonly Attribution[]): MisleadingWord[] {
  const words = new Map<string, { value: number; texts: Set<number> }>();
  attributions.forEach(({ attributions: units }, i) => {
    for (const { text, value } of units) {
      const key = text.toLowerCase();
      const known = words.get(key) ?? { value: 0, texts: new Set() };
      known.value += value;
      known.texts.add(i);
      words.set(key, known);
    }
  });
  return Array.from(words, ([word, { value, texts }]) => ({ word, value, texts: texts.size }))
    .sort((a, b) => b.value - a.value)
    .slice(0, kWords)
    .filter(({ value }) => value > 0);
}

/** Up to four parts of as many texts each; texts of equal length stay together. */
function byLength(examples: readonly ClassifiedExample[]): LengthAccuracy[] {
  const sorted = examples.toSorted((a, b) => a.tokens - b.tokens);
  const edges = [0.25, 0.5, 0.75, 1].map((share) => sorted[Math.ceil(share * sorted.length) - 1]!.tokens);
  return [...new Set(edges)].map((to, i, all) => {
    const from = i === 0 ? sorted[0]!.tokens : all[i - 1]! + 1;
    const own = sorted.filter(({ tokens }) => tokens >= from && tokens <= to);
    return { from, to, texts: own.length, accuracy: accuracyOf(own) };
  });
}
