import { unexpected } from '../../expected.js';
import { PCA } from '../../learn/decomposition/pca.js';
import { readOptions, text } from '../../options.js';
import type { WordMatrix } from '../queries/word-matrix.js';
import { plotHtml, plotSvg, type PlottedWord } from './word-map.js';

/** Options of `plot`. */
export interface PlotOptions {
  readonly title?: string | undefined;
}

/** Words in a plane. */
export interface WordPlot {
  /** [words] with their first two principal components. */
  readonly points: readonly PlottedWord[];
  /** The shares of the variance that the two show. */
  readonly explainedVarianceRatio: readonly [number, number];
  /** A picture. */
  readonly svg: string;
  /** The same as a page that needs nothing else, with a table of the points. */
  readonly html: string;
}

/** Words of a picture at most. */
const kMostWords = 5000;

/** The first two principal components of words' vectors as a picture. Errors: INVALID_ARG, INVALID_OPTION. */
export async function plotWords(matrix: WordMatrix, words: readonly string[], options?: PlotOptions): Promise<WordPlot> {
  const { title = `${words.length} words of ${matrix.size}` } = readOptions('plot', options, { title: text });
  const different = [...new Set(words)];
  if (different.length < 3 || different.length > kMostWords || matrix.dimensions < 2) {
    throw unexpected('INVALID_ARG', `from 3 to ${kMostWords} known words of at least 2 numbers for plot`, `${different.length} words`);
  }
  const vectors = different.map((word) => matrix.known(word));
  const pca = await new PCA({ nComponents: 2 }).fit(vectors);
  const { data } = await pca.transform(vectors);
  const points = different.map((word, i) => ({ word, x: data[2 * i]!, y: data[2 * i + 1]! }));
  const ratio = Array.from(pca.explainedVarianceRatio) as [number, number];
  return { points, explainedVarianceRatio: ratio, svg: plotSvg(points, title, ratio), html: plotHtml(points, title, ratio) };
}
