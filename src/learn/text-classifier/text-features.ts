import { inSlices } from '../../calls/text-reader.js';
import type { Embedder } from '../../embedding/embed.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { Check } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { hstackSlices, type Matrix } from '../matrix/matrix.js';
import type { TfidfVectorizer } from '../text/tfidf-vectorizer.js';

/** What a text classifier looks at: BERT's sentence vectors, TF-IDF of words, or both side by side. */
export type TextFeature = 'bert' | 'tfidf';

/** A check for `'bert'`, `'tfidf'`, `'both'`, or a list of the first two. */
export const featuresCheck: Check<readonly TextFeature[]> = (value, name) => {
  const list: readonly unknown[] = value === 'both' ? ['bert', 'tfidf'] : Array.isArray(value) ? value : [value];
  if (list.length === 0 || new Set(list).size < list.length || !list.every((each) => each === 'bert' || each === 'tfidf')) {
    throw wrongOption(`"bert", "tfidf", "both" or a list of the first two for ${name}`, value);
  }
  return (['bert', 'tfidf'] as const).filter((each) => list.includes(each));
};

/** How texts are turned into rows. */
export interface FeatureOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears how many texts are embedded. */
  readonly onEmbedded?: ((done: number) => void) | undefined;
}

/** The rows of texts for a classifier: first the vectors, then the words. */
export class TextFeatures {
  constructor(
    readonly embedder: Embedder | undefined,
    readonly vectorizer: TfidfVectorizer | undefined,
  ) {}

  /** What is looked at. */
  get names(): readonly TextFeature[] {
    return [...(this.embedder === undefined ? [] : (['bert'] as const)), ...(this.vectorizer === undefined ? [] : (['tfidf'] as const))];
  }

  /** Numbers in a row. Errors: INVALID_ARG before the vectorizer is fitted. */
  get columns(): number {
    return (this.embedder?.dimensions ?? 0) + (this.vectorizer?.getFeatureNamesOut().length ?? 0);
  }

  /** Learns the words of texts and gives the texts' rows. Errors: EMPTY_INPUT, INVALID_ARG, those of `embed`, the signal's reason. */
  async fitTransform(texts: readonly string[], { signal, onEmbedded }: FeatureOptions = {}): Promise<Matrix> {
    const words = await this.vectorizer?.fitTransform(texts, { signal });
    const vectors: Float32Array[] = [];
    const onProgress = ({ done }: { readonly done: number }): void => onEmbedded?.(done);
    for await (const { vector } of this.embedder?.embedMany(texts, { signal, onProgress }) ?? []) vectors.push(vector);
    return joined(vectors, words, signal);
  }

  /** The rows of texts. Errors: INVALID_ARG, those of `embed`, the signal's reason. */
  async transform(texts: readonly string[], signal?: AbortSignal): Promise<Matrix> {
    const vectors = (await this.embedder?.embed(texts, { signal }))?.map(({ vector }) => vector) ?? [];
    return joined(vectors, await this.vectorizer?.transform(texts, { signal }), signal);
  }
}

async function joined(vectors: readonly Float32Array[], words: Matrix | undefined, signal: AbortSignal | undefined): Promise<Matrix> {
  if (words === undefined) return vectors;
  return vectors.length === 0 ? words : inSlices(hstackSlices([vectors, words]), new Budget(signal));
}

/** Requires a list of strings. Errors: INVALID_ARG, which names the index. */
export function requireTextList(texts: unknown, name: string): asserts texts is readonly string[] {
  if (!Array.isArray(texts)) throw unexpected('INVALID_ARG', `a list of texts for ${name}`, typeof texts);
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) throw unexpected('INVALID_ARG', `a string for ${name}`, `${typeof texts[wrong]} at index ${wrong}`);
}
