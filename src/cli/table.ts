import Table from 'cli-table3';
import pc from 'picocolors';

/** A column of fixed width, so that a table can be written in parts. */
export interface Column {
  readonly name: string;
  readonly width: number;
  readonly align?: 'left' | 'right';
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
  middle: '  ',
};

/** Rows under their column names, without borders, ending with a newline. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], { header }: { readonly header: boolean }): string {
  const lines = new Table({
    colWidths: columns.map(({ width }) => width),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: kNoBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  if (header) lines.push(columns.map(({ name }) => pc.bold(name)));
  lines.push(...rows.map((row) => [...row]));
  if (lines.length === 0) return '';
  return `${lines
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** A text on one line of at most `width` columns: control characters made visible, the rest of a long one replaced by an ellipsis. */
export function shorten(text: string, width: number): string {
  const line = text.slice(0, width * 4).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => (c === '\n' || c === '\t' ? ' ' : '\u{fffd}'));
  const characters = [...line];
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : line;
}
