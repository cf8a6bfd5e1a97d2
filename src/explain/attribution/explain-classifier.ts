import { requireString } from '../../calls/inputs.js';
import { unexpected } from '../../expected.js';
import type { TextClassifier } from '../../learn/text-classifier/text-classifier.js';
import type { Value } from '../../models/index.js';
import type { Label } from '../../metrics/classification.js';
import { readOptions } from '../../options.js';
import { argmax } from '../../tasks/scoring/scores.js';
import { resolveBaseline } from '../evaluation/baseline.js';
import { modelValue, valuesOf } from '../evaluation/evaluate.js';
import type { ScoreOutput } from '../evaluation/output.js';
import { scoreOf, type Form, type Probability, type Score, type Share } from '../evaluation/score.js';
import type { ExplainedTarget, TargetOptions } from '../evaluation/target.js';
import { readExplained } from '../reading/explained-text.js';
import { attribute, type Attribution } from './attribute.js';
import { explainSchema, type ExplainOptions } from './explain-options.js';
import { runningOf } from './options.js';

/** Options of `explain` for a text classifier. Its target has a label and a `versus`. */
export type ClassifierExplainOptions = Omit<ExplainOptions, 'head'>;

/** A word, or piece, that a classifier looks at beside the vector. */
export interface FeatureValue {
  readonly feature: string;
  /** Its TF-IDF weight in the text. */
  readonly weight: number;
  readonly coefficient: number;
  /** What it adds to the decision: coefficient · weight. */
  readonly value: number;
}

/** Attributions of what a text classifier says of a text. */
export interface ClassifierExplanation extends Attribution {
  readonly target: ExplainedTarget;
  /** Words of the text by their TF-IDF, the largest first: exact, in the decision's units. At the baseline of the attributions they stay as they are. */
  readonly features: readonly FeatureValue[];
  readonly intercept: number;
  /** The embedder's directory; undefined for a classifier of words alone. */
  readonly model?: string;
}

/** Whether it is a text classifier, of this copy of the package or another. */
export function isTextClassifier(value: unknown): value is TextClassifier {
  const { predictProba, classify, features } = (value ?? {}) as Partial<TextClassifier>;
  return typeof predictProba === 'function' && typeof classify === 'function' && Array.isArray(features);
}

const { head: _, ...schema } = explainSchema;
/** The vector of a classifier that has none. */
const kNoVector: Value = { id: -1, rows: 'sequences', width: 0 };

/** Attributions of a text classifier's decision. Errors: as `explain`. */
export async function explainClassifier(
  classifier: TextClassifier,
  input: unknown,
  options?: ClassifierExplainOptions,
): Promise<ClassifierExplanation> {
  const text = requireString(input, 'the text of explain with a text classifier');
  const settings = readOptions('explain', options, schema);
  const { maxLength, splitSpecialTokens, signal, target: wanted = {}, output = 'logit' } = settings;
  const surplus = Object.keys(wanted).find(
    (key) => key !== 'label' && key !== 'versus' && wanted[key as keyof TargetOptions] !== undefined,
  );
  if (surplus !== undefined) throw unexpected('INVALID_ARG', 'a target with "label" or "versus" for a text classifier', `"${surplus}"`);
  const running = runningOf(settings);
  const model = classifier.embedder?.model;
  const read = model && (await readExplained('explain', model, text, { maxLength, splitSpecialTokens, signal, isSentence: true }));
  if (read?.tokens.length === 0) throw unexpected('EMPTY_INPUT', 'a text with tokens', 'one without');
  const name = model?.values.normalizes === true ? 'normalizedVector' : 'vector';
  const value = model === undefined ? kNoVector : modelValue(model, name);
  const { onDone: __, ...quiet } = running;
  const [vector = new Float32Array()] = read === undefined ? [] : await valuesOf(model!, [read.encoding], value, read.poolSkip, quiet);
  const words = await wordsOf(classifier, text, value.width, signal);
  const decisions = new Decisions(classifier, words, value.width);
  const { chosen, versus } = decisions.choose(wanted, (form) => scoreOf({ value: name, ...form }, value, vector));
  const score: Score = { value: name, ...decisions.form(chosen, versus), ...decisions.probability(chosen, versus, output) };
  const [row, intercept] = decisions.row(chosen, versus);
  const features = words
    .map(({ feature, weight, column }) => ({ feature, weight, coefficient: row[column]!, value: row[column]! * weight }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const { classes } = classifier;
  const target = {
    head: 'decision',
    label: String(classes[chosen]),
    ...(versus === undefined ? {} : { versus: String(classes[versus]) }),
  } as const;
  const found = { target, features, intercept };
  if (read === undefined) return { ...ofWordsAlone(text, scoreOf(score, value, vector)), ...found };
  const baseline = resolveBaseline(model!, settings.baseline ?? 'pad');
  return { ...(await attribute({ model: model!, read, score, baseline, running }, settings)), ...found, model: model!.directory };
}

/** A word of a text and the column of its weight. */
interface Counted {
  readonly feature: string;
  readonly weight: number;
  readonly column: number;
}

async function wordsOf({ vectorizer }: TextClassifier, text: string, width: number, signal: AbortSignal | undefined): Promise<Counted[]> {
  const words: Counted[] = [];
  if (vectorizer === undefined) return words;
  const names = vectorizer.getFeatureNamesOut();
  const weights = await vectorizer.transform([text], { signal });
  weights.each(0, (word, weight) => words.push({ feature: names[word]!, weight, column: width + word }));
  return words;
}

/** The decision of each class as a function of the vector, the words staying as they are. */
class Decisions {
  readonly #classifier: TextClassifier;
  readonly #words: readonly Counted[];
  readonly #width: number;

  constructor(classifier: TextClassifier, words: readonly Counted[], width: number) {
    [this.#classifier, this.#words, this.#width] = [classifier, words, width];
  }

  /** The labels that are asked for, or the likeliest. Errors: INVALID_LABEL. */
  choose({ label, versus }: TargetOptions, numberOf: (form: Form) => number): { readonly chosen: number; readonly versus?: number } {
    const { classes } = this.#classifier;
    const find = (wanted: Label): number => {
      const found = classes.findIndex((each) => String(each) === String(wanted));
      if (found >= 0) return found;
      const names = classes.slice(0, 12).map((each) => JSON.stringify(each));
      throw unexpected('INVALID_LABEL', `a class of the classifier (${names.join(', ')})`, JSON.stringify(wanted));
    };
    const chosen = label === undefined ? argmax(classes.map((_, i) => numberOf(this.form(i)))) : find(label);
    return { chosen, ...(versus === undefined ? {} : { versus: find(versus) }) };
  }

  /** Coefficients and intercept of a class's decision, less those of another; of two classes the one decision is for the second and against the first. */
  row(chosen: number, versus?: number): readonly [Float64Array, number] {
    const { coef, intercept } = this.#classifier.model;
    const [own, sign] = coef.length === 1 ? [0, chosen === 1 ? 1 : -1] : [chosen, 1];
    const other = coef.length === 1 || versus === undefined ? undefined : versus;
    const less = (value: number, from: number): number => sign * value - from;
    return [
      coef[own]!.map((value, i) => less(value, other === undefined ? 0 : coef[other]![i]!)),
      less(intercept[own]!, other === undefined ? 0 : intercept[other]!),
    ];
  }

  form(chosen: number, versus?: number): Form {
    const [row, intercept] = this.row(chosen, versus);
    return {
      terms: Array.from(row.subarray(0, this.#width), (coefficient, column) => ({ column, coefficient })),
      constant: this.#words.reduce((sum, { weight, column }) => sum + weight * row[column]!, intercept),
    };
  }

  probability(chosen: number, versus: number | undefined, output: ScoreOutput): { readonly probability?: Probability } {
    if (output === 'logit') return {};
    const isOne = this.#classifier.model.coef.length === 1;
    const logits = (isOne ? [chosen] : [...this.#classifier.classes.keys()]).map((label) => this.#scaled(this.form(label)));
    const share = (label: number, coefficient: number): Share =>
      isOne ? { coefficient, logits, chosen: 0, fixed: [0] } : { coefficient, logits, chosen: label };
    const others = versus === undefined || isOne ? [] : [share(versus, -1)];
    return { probability: { output, shares: [share(chosen, 1), ...others] } };
  }

  #scaled({ terms, constant = 0 }: Form): Form {
    const { temperature } = this.#classifier;
    return {
      terms: terms.map((term) => ({ ...term, coefficient: term.coefficient / temperature })),
      constant: constant / temperature,
    };
  }
}

function ofWordsAlone(text: string, score: number): Attribution {
  return {
    text,
    method: 'integrated-gradients',
    baseline: 'none',
    steps: 0,
    score,
    baselineScore: score,
    attributions: [],
    tokens: [],
    delta: 0,
    converged: true,
    truncated: false,
    unread: [],
    warnings: ['The classifier looks at words alone: their values are exact, in features.'],
  };
}
