import Table from 'cli-table3';
import { colors } from './colors.js';

/** A column of fixed width, so that a table can be written in parts. */
export interface Column {
  readonly name: string;
  readonly width: number;
  readonly align?: 'left' | 'right';
}

/** Columns between two cells. */
export const kGap = 2;

/** The columns with the width of the one called `flexible` changed, down to `least`, so that the table is at most `width` wide. */
export function fit(columns: readonly Column[], width: number, flexible: string, least = 12): readonly Column[] {
  const total = columns.reduce((sum, column) => sum + column.width + kGap, -kGap);
  const change = (own: number): number => Math.max(Math.min(own, least), own - Math.max(0, total - width));
  return columns.map((column) => (column.name === flexible ? { ...column, width: change(column.width) } : column));
}

const kNoBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(kGap),
};

/** Rows under their column names, without borders, ending with a newline. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], { header }: { readonly header: boolean }): string {
  const lines = new Table({
    colWidths: columns.map(({ width }) => width),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: kNoBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  if (header) lines.push(columns.map(({ name }) => colors.bold(name)));
  lines.push(...rows.map((row) => [...row]));
  if (lines.length === 0) return '';
  return `${lines
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}
