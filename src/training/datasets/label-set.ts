import { unexpected } from '../../expected.js';
import { columnRoles, Columns, type ColumnNames } from './columns.js';
import { rowsOf, type Dataset } from './dataset.js';
import { describeRow, type Row } from './row.js';

/** The classes of a task by their ids. */
export interface LabelSet {
  /** [labels] */
  readonly id2label: readonly string[];
  readonly label2id: ReadonlyMap<string, number>;
  /** What the column holds: one class, several of them, or numbers to predict. */
  readonly kind: 'class' | 'classes' | 'numbers';
}

/** A label set with ids in the order of the names. */
export function labelSet(id2label: readonly string[], kind: LabelSet['kind'] = 'class'): LabelSet {
  return { id2label, label2id: new Map(id2label.map((label, id) => [label, id])), kind };
}

/** What is read of labels. */
export type LabelTask = 'text-classification' | 'regression' | 'multi-label' | 'token-classification';

/** Ignored everywhere. */
const kIgnored = -100;
/** Between the names of several labels in one cell of a table. */
const separators = /[|;,]/;

/**
 * The labels that a dataset has, in a stable order: numbers by value, names by their UTF-16 units, `O` first among tags. `'text-classification'` also finds
 * out what the labels are: text or whole numbers are classes, lists are several classes, and other numbers are numbers to predict.
 *
 * Errors: DATASET (a row without a label, or with one of another kind; file and line are named), INVALID_LABEL (fewer than two classes), those of the dataset.
 */
export async function readLabelSet(task: LabelTask, dataset: Dataset<Row>, names?: ColumnNames): Promise<LabelSet> {
  if (task === 'token-classification') return tagSet(dataset, new Columns(names));
  const columns = new Columns(names);
  const seen = new Map<string, unknown>();
  let kind: LabelSet['kind'] | undefined = { regression: 'numbers', 'multi-label': 'classes', 'text-classification': undefined }[
    task
  ] as never;
  let hasFractions = false;
  let isTable = true;
  let width = 0;
  let index = 0;
  for await (const row of rowsOf(dataset)) {
    const value = columns.require(row, 'label', index);
    if (task === 'regression') {
      width = Math.max(width, Array.isArray(value) ? value.length : 1);
    } else if (Array.isArray(value) || task === 'multi-label') {
      kind ??= 'classes';
      if (kind !== 'classes') throw mixed(row, index);
      const cells = namesOf(value);
      isTable &&= isZeroOneRow(cells) && (width === 0 || width === cells.length);
      width = Math.max(width, cells.length);
      for (const cell of cells) seen.set(String(cell), cell);
    } else {
      if (kind === 'classes') throw mixed(row, index);
      kind = 'class';
      if (!['string', 'number', 'boolean'].includes(typeof value)) throw mixed(row, index);
      if (value === kIgnored) continue;
      if (isFraction(value)) hasFractions = true;
      seen.set(String(value), value);
    }
    index++;
  }
  if (task === 'regression')
    return labelSet(
      Array.from({ length: Math.max(1, width) }, (_, i) => `LABEL_${i}`),
      'numbers',
    );
  if (hasFractions && [...seen.values()].every(isNumber)) return labelSet(['LABEL_0'], 'numbers');
  if (kind === 'classes' && isTable && width > 0)
    return labelSet(
      Array.from({ length: width }, (_, i) => `LABEL_${i}`),
      'classes',
    );
  const labels = sorted([...seen.keys()]);
  if (labels.length < (kind === 'classes' ? 1 : 2)) {
    throw unexpected(
      'INVALID_LABEL',
      'at least two different labels to learn',
      labels.length === 0 ? 'none' : `only ${JSON.stringify(labels[0])}`,
    );
  }
  return labelSet(labels, kind ?? 'class');
}

/** Several labels of one row: a list, a list as JSON, or names with |, ; or commas between them. */
export function namesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string') return [value];
  if (value.trim().startsWith('[')) {
    try {
      return JSON.parse(value) as unknown[];
    } catch {
      // A name with a bracket.
    }
  }
  return value
    .split(separators)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Whether a list is a row of a table [samples, labels] of zeros, ones and what lies between. */
export function isZeroOneRow(cells: readonly unknown[]): cells is readonly number[] {
  return cells.length > 1 && cells.every((cell) => typeof cell === 'number' && cell >= 0 && cell <= 1);
}

async function tagSet(dataset: Dataset<Row>, columns: Columns): Promise<LabelSet> {
  const seen = new Set<string>();
  const types = new Set<string>();
  let index = 0;
  let largest = -1;
  for await (const row of rowsOf(dataset)) {
    const spans = columns.get(row, 'entities');
    if (columns.get(row, 'tokens') === undefined && Array.isArray(spans)) {
      for (const { label } of spans as { label?: unknown }[]) types.add(String(label));
      index++;
      continue;
    }
    const tags = columns.require(row, 'tags', index);
    if (!Array.isArray(tags)) throw unexpected('DATASET', `a list of tags in ${describeRow(row, index)}`, typeof tags);
    for (const tag of tags as unknown[]) {
      if (typeof tag === 'number') largest = Math.max(largest, tag);
      else seen.add(String(tag));
    }
    index++;
  }
  if (largest >= 0) return labelSet(Array.from({ length: largest + 1 }, (_, i) => `LABEL_${i}`));
  for (const type of types) for (const prefix of ['B', 'I']) seen.add(`${prefix}-${type}`);
  if (types.size > 0) seen.add('O');
  const rest = sorted([...seen].filter((tag) => tag !== 'O'));
  return labelSet(seen.has('O') ? ['O', ...rest] : rest);
}

function sorted(labels: readonly string[]): string[] {
  if (labels.every((label) => label.trim() !== '' && Number.isFinite(Number(label))))
    return [...labels].sort((a, b) => Number(a) - Number(b));
  return [...labels].sort((a, b) => (a < b ? -1 : 1));
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)));
}

function isFraction(value: unknown): boolean {
  return isNumber(value) && !Number.isInteger(Number(value));
}

function mixed(row: Row, index: number): Error {
  return unexpected('DATASET', `a label of the same kind as in the rows before, in ${describeRow(row, index)}`, 'one of another kind', {
    hint: `Labels are text, numbers, or lists of them. Columns can be mapped: ${columnRoles.join(', ')}.`,
  });
}
