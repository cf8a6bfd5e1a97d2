import { unexpected } from '../../expected.js';
import { unknownName } from '../../options.js';
import { rowsOf, type Dataset } from '../datasets/dataset.js';
import { describeRow, type Row } from '../datasets/row.js';

/** Which columns hold the texts of a row and what they are labelled with, where the usual names do not say. */
export interface SentenceColumns {
  readonly anchor?: string | undefined;
  readonly positive?: string | undefined;
  /** One column, or those of several negatives. */
  readonly negative?: string | readonly string[] | undefined;
  /** A score of the pair, or the vector that a teacher gives. */
  readonly label?: string | undefined;
}

const roles = ['anchor', 'positive', 'negative', 'label'] as const satisfies readonly (keyof SentenceColumns)[];

/** Names that data sets give to columns; case, `_`, `-` and spaces do not count. */
const anchorNames =
  'anchor query question source english sentence sentence1 sentence_a text text1 text_a premise src set first duplicate original'.split(
    ' ',
  );
const positiveNames =
  'positive pos answer passage document context response target sentence2 sentence_b text2 text_b text_pair hypothesis translation non_english paraphrase trg second duplicate2 summary'.split(
    ' ',
  );
const labelNames = ['label', 'labels', 'score', 'scores', 'similarity', 'similarity_score', 'relatedness_score', 'rating'];
const negativeName = /^(?:hard)?neg(?:ative)?s?\d*$/;

const plain = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '');
const isOneOf = (names: readonly string[], name: string): boolean => names.some((each) => plain(each) === plain(name));

/** What the rows of a dataset have, found in its first row. */
export interface SentenceShape {
  /** The columns of the texts, the anchor's first; each holds one text, or a list of them. */
  readonly texts: readonly string[];
  readonly label: string | undefined;
  /** Texts of a row. */
  readonly count: number;
  /** What labels are; undefined without any. */
  readonly labels: 'scores' | 'vectors' | undefined;
  /** Numbers of a vector. */
  readonly dimensions: number | undefined;
}

/**
 * Finds the columns of texts and labels: by `columns`, else by their usual names, else, as sentence-transformers does, all columns of text in their
 * order.
 *
 * Errors: DATASET (no texts in the first row), INVALID_OPTION (unknown roles), EMPTY_INPUT.
 */
export async function sentenceShape(dataset: Dataset<Row>, columns: SentenceColumns = {}): Promise<SentenceShape> {
  const stranger = Object.keys(columns).find((role) => !(roles as readonly string[]).includes(role));
  if (stranger !== undefined) throw unknownName('role of a column', stranger, roles);
  for await (const row of rowsOf(dataset)) return shapeOf(row, columns);
  throw unexpected('EMPTY_INPUT', 'rows to learn from', 'none');
}

function shapeOf(row: Row, columns: SentenceColumns): SentenceShape {
  const where = describeRow(row, 0);
  if (typeof row !== 'object' || row === null) throw unexpected('DATASET', `an object with texts for ${where}`, 'none');
  const named = [columns.anchor, columns.positive, ...listOf(columns.negative), columns.label].filter((name) => name !== undefined);
  for (const name of named) {
    if (!Object.hasOwn(row, name)) throw unexpected('DATASET', `the column ${JSON.stringify(name)} in ${where}`, columnsOf(row));
  }
  const label = columns.label ?? Object.keys(row).find((name) => isOneOf(labelNames, name) && !named.includes(name));
  const texts = textColumns(row, columns, label);
  if (texts.length === 0) {
    throw unexpected('DATASET', `columns of text (anchor and positive, sentence1 and sentence2 …) in ${where}`, columnsOf(row), {
      hint: 'Name them with columns: { anchor: …, positive: …, negative: …, label: … }.',
    });
  }
  const value = label === undefined ? undefined : row[label];
  const isVector = isNumbers(value);
  return {
    texts,
    label: value === undefined || value === null || value === '' ? undefined : label,
    count: textsOf(row, texts, 0).length,
    labels: isVector ? 'vectors' : value === undefined || value === null || value === '' ? undefined : 'scores',
    dimensions: isVector ? value.length : undefined,
  };
}

function textColumns(row: Row, columns: SentenceColumns, label: string | undefined): string[] {
  const free = Object.keys(row).filter((name) => name !== label && isTexts(row[name]));
  const find = (names: readonly string[], taken: readonly (string | undefined)[]): string | undefined =>
    names.map((usual) => free.find((name) => plain(name) === plain(usual) && !taken.includes(name))).find((name) => name !== undefined);
  const anchor = columns.anchor ?? find(anchorNames, [columns.positive, ...listOf(columns.negative)]);
  const positive = columns.positive ?? find(positiveNames, [anchor, ...listOf(columns.negative)]);
  const known = [anchor, positive].filter((name) => name !== undefined);
  const given = listOf(columns.negative);
  const negatives = given.length > 0 ? given : free.filter((name) => negativeName.test(plain(name)) && !known.includes(name));
  if (anchor !== undefined && (positive !== undefined || columns.anchor !== undefined)) return [...known, ...negatives];
  return free;
}

/** The texts of a row in the order of their columns. Errors: DATASET. */
export function textsOf(row: Row, columns: readonly string[], index: number): string[] {
  return columns.flatMap((name) => {
    const value = typeof row === 'object' && row !== null && Object.hasOwn(row, name) ? row[name] : undefined;
    if (typeof value === 'string') return [value];
    if (isTexts(value)) return value;
    throw unexpected(
      'DATASET',
      `text in ${JSON.stringify(name)} of ${describeRow(row, index)}`,
      value === undefined || value === null ? 'none' : `a value of type ${typeof value}`,
    );
  });
}

function isTexts(value: unknown): value is string | readonly string[] {
  return typeof value === 'string' || (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string'));
}

/** Whether a label is a vector: an array of numbers, typed or not. */
export function isNumbers(value: unknown): value is ArrayLike<number> {
  if (ArrayBuffer.isView(value)) return 'length' in value;
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function columnsOf(row: Row): string {
  return `the columns ${Object.keys(row).join(', ') || '(none)'}`;
}
