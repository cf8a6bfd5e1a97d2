import type { ErrorsBody, ProbeBody, TrainingBody } from '../data.js';
import { percent, short } from '../view/numbers.js';
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

/** One chart a name, in the order of the names: its curve in every run that has it. */
export function trainingCharts({ curves }: TrainingBody, words: Words): { readonly name: string; readonly figure: Figure }[] {
  return [...new Set(curves.map(({ name }) => name))].flatMap((name) => {
    const own = curves.filter((curve) => curve.name === name);
    const [xs, ys] = [own.flatMap(({ steps }) => steps), own.flatMap(({ values }) => values.filter((value) => value !== null))];
    if (ys.length === 0) return [];
    const [left, right, least, most] = [extreme(xs, Math.min), extreme(xs, Math.max), extreme(ys, Math.min), extreme(ys, Math.max)];
    const figure = chartFigure({
      curves: own.map(({ run, steps, values }) => ({ name: run, xs: steps, ys: values.map((value) => value ?? NaN) })),
      x: { name: words.step, least: left, most: right, isWhole: true, write: String },
      y: { name, least, most: most > least ? most : least + 1, write: short },
    });
    return [{ name, figure }];
  });
}

const extreme = (values: readonly number[], of: (a: number, b: number) => number): number => values.reduce((a, b) => of(a, b));
