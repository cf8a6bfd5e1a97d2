import type { ModelReport } from '../../../training/index.js';

/** Two models beside each other: layers, megabytes, texts a second, then their scores; `last` is each line's last cell. */
export function reportRows(before: ModelReport, after: ModelReport, last: readonly string[]): string[][] {
  const facts: readonly (readonly [string, (model: ModelReport) => string])[] = [
    ['layers', ({ layers }) => String(layers)],
    ['weights, MB', ({ weightBytes }) => (weightBytes / 1e6).toFixed(1)],
    ['texts a second', ({ textsPerSecond }) => textsPerSecond.toFixed(0)],
    ...Object.keys(before.metrics).map((name) => [name, ({ metrics }: ModelReport) => shown(metrics[name]!)] as const),
  ];
  return facts.map(([name, of], i) => [name, of(before), of(after), last[i] ?? '']);
}

/** The share of a score that is left; nothing where it was 0. */
export function percentKept(after: number, before: number): string {
  return before === 0 || !Number.isFinite(after / before) ? '' : `${((100 * after) / before).toFixed(1)} %`;
}

function shown(score: number): string {
  return Number.isNaN(score) ? '–' : score.toFixed(4);
}
