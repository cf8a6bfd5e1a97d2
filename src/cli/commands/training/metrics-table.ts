import { table } from '../../terminal/table.js';

/** Scores with their names, a line each. */
export function metricsTable(metrics: Readonly<Record<string, number>>): string {
  const names = Object.keys(metrics);
  const columns = [
    { name: 'metric', width: Math.max(6, ...names.map(({ length }) => length)) },
    { name: 'value', width: 12, align: 'right' as const },
  ];
  const rows = names.map((name) => [name, Number.isNaN(metrics[name]) ? '–' : metrics[name]!.toFixed(4)]);
  return table(columns, rows, { header: true });
}
