import { unexpected } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { integer, oneOf, readOptions } from '../../options.js';
import { readLines, type Line } from '../../text-files/lines.js';
import { fileDataset, type FileDataset } from './file-dataset.js';
import { notePlace, type Row } from './row.js';

/** A sentence with a tag for each word. */
export interface TaggedRow extends Row {
  readonly tokens: readonly string[];
  readonly tags: readonly string[];
}

/** Options of `readConll`. */
export interface ConllOptions {
  /** The column of the words, from 0; below 0: from the last. Default 0. */
  readonly tokenColumn?: number | undefined;
  /** The column of the tags. Default -1, the last. */
  readonly tagColumn?: number | undefined;
  /**
   * `'iob2'` (default) makes IOB2 of IOB1, IOB2, BIOES and BILOU: B- begins each entity, I- goes on with it. `'keep'` leaves the tags as they
   * stand, for tags that are no entities.
   */
  readonly scheme?: 'iob2' | 'keep' | undefined;
}

/**
 * Sentences of a file in CoNLL's form: a word and its tags a line, columns with white space between them (with tabs alone where the first
 * row has one), an empty line between sentences; -DOCSTART- rows are passed over.
 *
 * Errors: INVALID_OPTION; while reading: DATASET (names file and line: a row with more or fewer columns than the first), EMPTY_INPUT, IO.
 */
export function readConll(file: FilePath, options?: ConllOptions): FileDataset<TaggedRow> {
  const column = integer(-64, 63);
  const schema = { tokenColumn: column, tagColumn: column, scheme: oneOf(['iob2', 'keep']) };
  const { tokenColumn = 0, tagColumn = -1, scheme = 'iob2' } = readOptions('readConll', options, schema);
  return fileDataset('readConll', file, async function* (chunks, name) {
    const columns = new Columns(name, tokenColumn, tagColumn);
    let tokens: string[] = [];
    let tags: string[] = [];
    let begin = 0;
    const take = (): TaggedRow[] => {
      if (tokens.length === 0) return [];
      const row = notePlace({ tokens, tags: scheme === 'keep' ? tags : toIob2(tags) }, name, begin);
      [tokens, tags] = [[], []];
      return [row];
    };
    for await (const lines of readLines(chunks, name)) {
      const rows: TaggedRow[] = [];
      for (const line of lines) {
        if (line.text.trim() === '') {
          rows.push(...take());
          continue;
        }
        const [token, tag] = columns.read(line);
        if (token === '-DOCSTART-') continue;
        if (tokens.length === 0) begin = line.number;
        tokens.push(token);
        tags.push(tag);
      }
      yield rows;
    }
    yield take();
  });
}

/** IOB2 of tags in any scheme whose entities have prefixes: an entity begins with B-, S- or U-, and where the type changes. */
export function toIob2(tags: readonly string[]): string[] {
  let open = '';
  return tags.map((tag) => {
    const [, prefix, type] = /^([BIESLU])-(.+)$/s.exec(tag) ?? [];
    if (type === undefined) {
      open = '';
      return tag;
    }
    const begins = 'BSU'.includes(prefix!) || open !== type;
    open = 'ESLU'.includes(prefix!) ? '' : type;
    return `${begins ? 'B' : 'I'}-${type}`;
  });
}

/** Takes word and tag out of rows, which all have as many columns as the first. */
class Columns {
  readonly #name: string;
  readonly #wanted: readonly [number, number];
  #separator: RegExp = /\s+/;
  #count = 0;

  constructor(name: string, token: number, tag: number) {
    this.#name = name;
    this.#wanted = [token, tag];
  }

  read({ text, number }: Line): [token: string, tag: string] {
    if (this.#count === 0) this.#separator = text.includes('\t') ? /\t/ : /\s+/;
    const cells = text.trim().split(this.#separator);
    const place = `line ${number} of ${this.#name}`;
    if (this.#count === 0) this.#count = cells.length;
    if (cells.length !== this.#count) throw unexpected('DATASET', `${this.#count} columns in ${place}, as in the first row,`, cells.length);
    const [token, tag] = this.#wanted.map((column) => cells.at(column)?.trim());
    if (cells.length < 2 || token === undefined || tag === undefined || token === '' || tag === '') {
      const got = cells.length < 2 ? 'one column' : 'an empty one, or fewer columns';
      throw unexpected('DATASET', `a word and a tag in the columns ${this.#wanted.join(' and ')} of ${place}`, got);
    }
    return [token, tag];
  }
}
