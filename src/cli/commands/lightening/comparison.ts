import type { ModelReport } from '../../../training/index.js';
import { table } from '../../terminal/table.js';

/** Two models beside each other under `names`: layers, megabytes, texts a second, then their scores; the last column is the share that is left. */
export function comparison(before: ModelReport, after: ModelReport, names: readonly [string, string, string]): string {
  const speed = `${(after.textsPerSecond / before.textsPerSecond).toFixed(2)} x`;
  const rows = [
    ['layers', String(before.layers), String(after.layers), ''],
    ['weights, MB', megabytes(before), megabytes(after), percentKept(after.weightBytes, before.weightBytes)],
    ['texts a second', before.textsPerSecond.toFixed(0), after.textsPerSecond.toFixed(0), speed],
    ...Object.entries(before.metrics).map(([name, score]) => {
      const now = after.metrics[name]!;
      return [name, shown(score), shown(now), percentKept(now, score)];
    }),
  ];
  const columns = [
    { name: '', width: Math.max(16, ...rows.map(([first]) => first!.length)) },
    ...names.map((name) => ({ name, width: 12, align: 'right' as const })),
  ];
  return table(columns, rows, { header: true });
}

function megabytes({ weightBytes }: ModelReport): string {
  return (weightBytes / 1e6).toFixed(1);
}

/** Nothing where there was nothing. */
function percentKept(after: number, before: number): string {
  return before === 0 || !Number.isFinite(after / before) ? '' : `${((100 * after) / before).toFixed(1)} %`;
}

function shown(score: number): string {
  return Number.isNaN(score) ? '–' : score.toFixed(4);
}
