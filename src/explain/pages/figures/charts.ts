import type { ErrorsBody, ProbeBody } from '../data.js';
import { percent } from '../view/numbers.js';
import type { Words } from '../view/words-en.js';
import { chartFigure } from './chart.js';
import type { Figure } from './figure.js';

/** Accuracy by layer, with its interval, the control and the majority. */
export function probeChart({ layers, majority }: ProbeBody, words: Words): Figure {
  const xs = layers.map(({ layer }) => layer);
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const controls = layers.map(({ controlAccuracy = NaN }) => controlAccuracy);
  return chartFigure({
    curves: [
      { name: words.accuracy, xs, ys: layers.map(({ accuracy }) => accuracy), band: layers.map(({ interval }) => interval), hasDots: true },
      ...(controls.some(Number.isFinite) ? [{ name: words.control, xs, ys: controls }] : []),
      { name: words.majority, xs: [least, most], ys: [majority, majority] },
    ],
    x: { name: `${words.layer} (0: ${words.embeddings})`, least, most, isWhole: true, write: String },
    y: { name: words.accuracy, least: 0, most: 1 },
  });
}

/** How often a classifier is right against how sure it is. */
export function calibrationChart({ observed, predicted }: ErrorsBody['calibration'], words: Words): Figure {
  return chartFigure({
    curves: [
      { name: words.observed, xs: predicted, ys: observed, hasDots: true },
      { name: `${words.confidence} = ${words.observed}`, xs: [0, 1], ys: [0, 1] },
    ],
    x: { name: words.confidence, least: 0, most: 1, write: (value) => percent(value) },
    y: { name: words.observed, least: 0, most: 1 },
  });
}
