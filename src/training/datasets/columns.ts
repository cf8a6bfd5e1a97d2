import { unexpected } from '../../expected.js';
import { unknownName } from '../../options.js';
import { describeRow, type Row } from './row.js';

/** What a column holds. */
export type ColumnRole = keyof typeof usualNames;

/** Which columns hold what, where the usual names do not say. */
export type ColumnNames = { readonly [Role in ColumnRole]?: string | undefined };

/** Names that data sets give to columns, the likeliest first; case, `_` and `-` do not count. */
const usualNames = {
  text: [
    'text',
    'sentence',
    'content',
    'sentence1',
    'text_a',
    'text1',
    'premise',
    'query',
    'review',
    'document',
    'passage',
    'body',
    'comment',
    'tweet',
    'title',
    'question',
  ],
  textPair: [
    'text_pair',
    'sentence2',
    'text_b',
    'text2',
    'hypothesis',
    'pair',
    'next_sentence',
    'passage',
    'document',
    'answer',
    'context',
    'positive',
  ],
  label: ['label', 'labels', 'class', 'target', 'category', 'score', 'rating', 'similarity', 'sentiment', 'intent', 'y'],
  tokens: ['tokens', 'words'],
  tags: ['tags', 'ner_tags', 'labels', 'pos_tags', 'chunk_tags', 'label'],
  entities: ['entities', 'spans'],
  question: ['question', 'query', 'sent2'],
  context: ['context', 'passage', 'article', 'paragraph', 'text', 'document', 'sent1', 'premise', 'prompt'],
  answers: ['answers', 'answer'],
  choices: ['choices', 'options', 'endings', 'answers'],
  source: ['source', 'src', 'input', 'document', 'article', 'dialogue', 'text', 'content', 'sentence'],
  prompt: ['prompt', 'instruction'],
  completion: ['completion', 'response', 'output'],
  target: ['target', 'tgt', 'output', 'summary', 'highlights', 'abstract', 'translation', 'reference'],
} as const;

/** The names of all roles. */
export const columnRoles = Object.keys(usualNames) as readonly ColumnRole[];

const plain = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '');

/** Whether a column's name is one of the usual ones of a role. */
export function isUsualName(role: ColumnRole, name: string): boolean {
  return usualNames[role].some((usual) => plain(usual) === plain(name));
}

/** Finds columns in the rows of a dataset: a mapped one by its name, others by the usual names. */
export class Columns {
  readonly #names: ColumnNames;
  readonly #found = new Map<ColumnRole, string>();

  /** Errors: INVALID_OPTION for a role that is none. */
  constructor(names: ColumnNames = {}) {
    const stranger = Object.keys(names).find((role) => !Object.hasOwn(usualNames, role));
    if (stranger !== undefined) throw unknownName('role of a column', stranger, columnRoles);
    this.#names = names;
  }

  /** The value of a column; undefined where the row has no such column, or one that is empty. */
  get(row: Row, role: ColumnRole): unknown {
    const usual = this.#found.get(role);
    const name = this.#names[role] ?? (usual !== undefined && isRow(row) && Object.hasOwn(row, usual) ? usual : this.#find(row, role));
    if (name === undefined || !isRow(row)) return undefined;
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    return value ?? undefined;
  }

  /** The name by which a role was found, for messages. */
  nameOf(role: ColumnRole): string {
    return this.#names[role] ?? this.#found.get(role) ?? role;
  }

  /** Errors: DATASET for a row without it. */
  require(row: Row, role: ColumnRole, index: number): unknown {
    const value = this.get(row, role);
    if (value !== undefined) return value;
    throw this.missing(row, role, index);
  }

  /** A column of text. Errors: DATASET. */
  text(row: Row, role: ColumnRole, index: number): string {
    const value = this.require(row, role, index);
    if (typeof value === 'string') return value;
    throw unexpected(
      'DATASET',
      `text in ${JSON.stringify(this.nameOf(role))} of ${describeRow(row, index)}`,
      `a value of type ${typeof value}`,
    );
  }

  /** The error for a row that lacks a column. */
  missing(row: Row, role: ColumnRole, index: number): Error {
    const wanted =
      this.#names[role] === undefined
        ? `a column for ${role} (${usualNames[role].slice(0, 5).join(', ')} …)`
        : `the column ${JSON.stringify(this.#names[role])}`;
    const got = isRow(row) ? `the columns ${Object.keys(row).join(', ') || '(none)'}` : 'no object';
    return unexpected('DATASET', `${wanted} in ${describeRow(row, index)}`, got, { hint: `Name it with columns: { ${role}: … }.` });
  }

  #find(row: Row, role: ColumnRole): string | undefined {
    if (!isRow(row)) return undefined;
    const names = Object.keys(row);
    // A column that is mapped, or was found, for something else is not free.
    const taken = new Set([...Object.values(this.#names), ...(role === 'textPair' ? [this.#found.get('text')] : [])]);
    const free = names.filter((name) => !taken.has(name));
    const known = usualNames[role].map((usual) => free.find((name) => plain(name) === plain(usual))).find((name) => name !== undefined);
    const found = known ?? (role === 'text' ? onlyText(row, free) : undefined);
    if (found !== undefined) this.#found.set(role, found);
    return found;
  }
}

/** The one column of text beside the label. */
function onlyText(row: Row, names: readonly string[]): string | undefined {
  const labels: readonly string[] = usualNames.label;
  const texts = names.filter((name) => typeof row[name] === 'string' && !labels.includes(plain(name)));
  return texts.length === 1 ? texts[0] : undefined;
}

function isRow(row: unknown): row is Row {
  return typeof row === 'object' && row !== null;
}
