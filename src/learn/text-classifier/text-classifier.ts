import path from 'node:path';
import { type Embedder, loadEmbedder } from '../../embedding/embed.js';
import { embedderCheck } from '../../embedding/embedder-check.js';
import { readFilePath, type FilePath } from '../../file-path.js';
import type { Label } from '../../metrics/classification.js';
import { abortSignal, readOptions } from '../../options.js';
import { scaledProbabilities } from '../calibration/temperature.js';
import type { SignalOption } from '../features/standard-scaler.js';
import { LogisticRegression } from '../linear/logistic-regression.js';
import { readEstimator, writeEstimator } from '../saving/estimator-files.js';
import { type LoadVectorizerOptions } from '../text/saved-vectorizer.js';
import { TfidfVectorizer } from '../text/tfidf-vectorizer.js';
import { logitsOf } from './held-out.js';
import { identify, modelOf, readIdentity, requireModel, toJson } from './model-identity.js';
import { featuresCheck, requireTextList, type TextFeature, TextFeatures } from './text-features.js';

/** A class and how likely it is. */
export interface LabelScore {
  readonly label: Label;
  readonly score: number;
}

/** What a text classifier got right of texts that it had not seen. */
export interface TextEvaluation {
  readonly accuracy: number;
  /** Scikit-learn's classification report. */
  readonly report: string;
  /** How often each class (rows, in the order of `classes`) was taken for each. */
  readonly confusionMatrix: readonly (readonly number[])[];
  readonly classes: readonly Label[];
  /** How many texts. */
  readonly support: number;
  /** The mean of minus the logarithms of the true classes' calibrated probabilities. */
  readonly logLoss: number;
}

/** What a text classifier consists of. @internal */
export interface TextClassifierParts {
  readonly model: LogisticRegression;
  readonly features: TextFeatures;
  readonly temperature: number;
  readonly evaluation?: TextEvaluation | undefined;
  /** Whether the embedder belongs to the classifier, which disposes of it. */
  readonly ownsEmbedder: boolean;
}

/** Options of `loadTextClassifier`. */
export interface LoadTextClassifierOptions extends LoadVectorizerOptions {
  /** The loaded model that the classifier learned from. Default: it is loaded by the name in classifier.json. */
  readonly embedder?: Embedder | undefined;
}

/**
 * Classifies texts by BERT's vectors, TF-IDF or both, and a logistic regression. Made by `trainTextClassifier` and `loadTextClassifier`.
 */
export class TextClassifier {
  readonly #parts: TextClassifierParts;

  /** @internal */
  constructor(parts: TextClassifierParts) {
    this.#parts = parts;
  }

  /** The classes, sorted. */
  get classes(): readonly Label[] {
    return this.#parts.model.classes;
  }

  /** What is looked at. */
  get features(): readonly TextFeature[] {
    return this.#parts.features.names;
  }

  /** The classifier of rows: vectors first, then words. */
  get model(): LogisticRegression {
    return this.#parts.model;
  }

  /** The model of the vectors, where they are looked at. @internal */
  get embedder(): Embedder | undefined {
    return this.#parts.features.embedder;
  }

  /** The words that are looked at, where they are. */
  get vectorizer(): TfidfVectorizer | undefined {
    return this.#parts.features.vectorizer;
  }

  /** What scores are divided by to give probabilities that come true; 1 where it could not be measured. */
  get temperature(): number {
    return this.#parts.temperature;
  }

  /** What was right of the texts that were held back; undefined where none were, and after loading. */
  get evaluation(): TextEvaluation | undefined {
    return this.#parts.evaluation;
  }

  /** The evaluation's report as a text. */
  get report(): string | undefined {
    return this.evaluation?.report;
  }

  /** The evaluation's confusion matrix. */
  get confusionMatrix(): TextEvaluation['confusionMatrix'] | undefined {
    return this.evaluation?.confusionMatrix;
  }

  /** The likeliest class of each text. Errors: INVALID_ARG, those of `embed`, the signal's reason. */
  async predict(texts: readonly string[], options?: SignalOption): Promise<Label[]> {
    const { model } = this.#parts;
    requireTextList(texts, 'the texts of predict');
    return texts.length === 0 ? [] : model.predict(await this.#rows('predict', texts, options));
  }

  /** The calibrated probabilities of the classes, [texts][classes]. Errors: as `predict`. */
  async predictProba(texts: readonly string[], options?: SignalOption): Promise<Float64Array[]> {
    requireTextList(texts, 'the texts of predictProba');
    if (texts.length === 0) return [];
    const scores = await this.#parts.model.decisionFunction(await this.#rows('predictProba', texts, options));
    return scaledProbabilities(logitsOf(scores), this.temperature);
  }

  /** The classes of one text, or of each of many, the likeliest first. Errors: as `predict`. */
  classify(text: string, options?: SignalOption): Promise<LabelScore[]>;
  classify(texts: readonly string[], options?: SignalOption): Promise<LabelScore[][]>;
  async classify(texts: string | readonly string[], options?: SignalOption): Promise<LabelScore[] | LabelScore[][]> {
    const rows = await this.predictProba(typeof texts === 'string' ? [texts] : texts, options);
    const sorted = rows.map((row) => Array.from(row, (score, i) => ({ label: this.classes[i]!, score })).sort((a, b) => b.score - a.score));
    return typeof texts === 'string' ? sorted[0]! : sorted;
  }

  /**
   * Writes the classifier into a folder: classifier.json with the model's name and hash, classifier.safetensors, and with TF-IDF
   * vectorizer.json and vectorizer.safetensors. The model itself is not copied; one that lies in
   * the same folder may be moved with it.
   *
   * Errors: INVALID_ARG, IO.
   */
  async save(directory: FilePath): Promise<void> {
    const { model, features, temperature, evaluation } = this.#parts;
    await features.vectorizer?.save(directory);
    const saved = model.saved();
    const { embedder } = features;
    await writeEstimator(directory, 'classifier', {
      ...saved,
      state: {
        ...saved.state,
        features: features.names,
        model: embedder === undefined ? null : toJson(await identify(embedder.directory, resolved(directory))),
        temperature,
        ...(evaluation === undefined ? {} : { accuracy: evaluation.accuracy, support: evaluation.support }),
      },
    });
  }

  /** Gives the model's memory back, if the classifier loaded it. */
  dispose(): void {
    if (this.#parts.ownsEmbedder) this.#parts.features.embedder?.dispose();
  }

  /** As `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #rows(call: string, texts: readonly string[], options: SignalOption | undefined): ReturnType<TextFeatures['transform']> {
    const { signal } = readOptions(call, options, { signal: abortSignal });
    return this.#parts.features.transform(texts, signal);
  }
}

function resolved(directory: FilePath): string | undefined {
  const folder = readFilePath(directory);
  return folder === undefined ? undefined : path.resolve(folder);
}

/**
 * Reads a classifier that `save` wrote, and loads the model that it learned from unless `embedder` is given.
 *
 * Errors: ESTIMATOR, MODEL_NOT_FOUND, MODEL_MISMATCH for another model than it learned from, UNSAFE_FORMAT, INVALID_OPTION, IO, those of
 * `loadEmbedder`.
 *
 * @example
 * const classifier = await loadTextClassifier('./sentiment');
 * const [{ label, score }] = await classifier.classify('What a film.');
 */
export function loadTextClassifier(directory: FilePath, options?: LoadTextClassifierOptions): Promise<TextClassifier> {
  const { embedder: given, ...vectorizing } = { embedder: undefined, ...options };
  if (given !== undefined) embedderCheck(given, 'loadTextClassifier option embedder');
  return readEstimator(directory, 'classifier', ['LogisticRegression'], async (reader) => {
    const { fields } = reader;
    if (!fields.has('features')) throw fields.error('features', '"bert", "tfidf" or both', undefined);
    const names = reader.make(() => featuresCheck(fields.get('features'), 'features'));
    const temperature = fields.get('temperature') ?? 1;
    if (typeof temperature !== 'number' || !(temperature > 0)) throw fields.error('temperature', 'a number above 0', temperature);
    const identity = readIdentity(reader);
    if (names.includes('bert') && identity === undefined) throw fields.error('model', 'the model of the vectors', undefined);
    const model = await LogisticRegression.read(reader);
    const vectorizer = names.includes('tfidf') ? await TfidfVectorizer.load(directory, vectorizing) : undefined;
    const needed = names.includes('bert') ? identity : undefined;
    const embedder = needed && (given ?? (await loadEmbedder(modelOf(needed, resolved(directory)))));
    const parts = { model, features: new TextFeatures(embedder, vectorizer), temperature, ownsEmbedder: given === undefined };
    try {
      if (needed !== undefined) await requireModel(embedder!.directory, needed, reader.file);
      const width = model.coef[0]!.length;
      if (parts.features.columns !== width) {
        throw fields.error('features', `features of ${width} numbers, as many as coef has columns,`, parts.features.columns);
      }
      return new TextClassifier(parts);
    } catch (error) {
      if (given === undefined) embedder?.dispose();
      throw error;
    }
  });
}
