/** The tables of a store in a file of SQLite; every name begins with the table's. */
export interface Names {
  readonly rows: string;
  readonly vectors: string;
  readonly words: string;
  readonly documents: string;
  readonly units: string;
  readonly meta: string;
}

/** The names of a store's tables. */
export function namesOf(table: string): Names {
  return {
    rows: `"${table}"`,
    vectors: `"${table}_vectors"`,
    words: `"${table}_words"`,
    documents: `"${table}_documents"`,
    units: `"${table}_units"`,
    meta: `"${table}_meta"`,
  };
}

/** The columns that the table of rows must have. */
export const rowColumns = ['row', 'id', 'doc_id', 'chunk_no', 'content_hash', 'run', 'text', 'char_start', 'char_end', 'metadata'] as const;

/**
 * Makes the tables. Vectors stand in a table of their own, so that a search reads nothing else. Words are indexed without a copy of the text: triggers keep
 * the index in step.
 */
export function schemaOf({ rows, vectors, words, documents, units, meta }: Names): string {
  const gone = `insert into ${words}(${words}, rowid, text) values ('delete', old.row, old.text);`;
  const come = `insert into ${words}(rowid, text) values (new.row, new.text);`;
  const trigger = (name: string): string => `"${rows.slice(1, -1)}_${name}"`;
  return `
    create table if not exists ${meta} (key text primary key, value text not null) without rowid;
    create table if not exists ${units} (run integer not null, unit text not null, primary key (run, unit)) without rowid;
    create table if not exists ${documents} (
      doc_id text primary key, content_hash text not null, run integer not null, position integer not null) without rowid;
    create table if not exists ${rows} (
      row integer primary key, id text not null unique, doc_id text not null, chunk_no integer not null, content_hash text not null,
      run integer not null, text text not null, char_start integer not null, char_end integer not null, metadata text not null,
      unique (doc_id, chunk_no));
    create table if not exists ${vectors} (row integer primary key, embedding blob not null);
    create virtual table if not exists ${words} using fts5(
      text, content=${rows}, content_rowid=row, tokenize='unicode61 remove_diacritics 2');
    create trigger if not exists ${trigger('inserted')} after insert on ${rows} begin ${come} end;
    create trigger if not exists ${trigger('deleted')} after delete on ${rows} begin ${gone} end;
    create trigger if not exists ${trigger('updated')} after update of text on ${rows} begin ${gone} ${come} end;`;
}
