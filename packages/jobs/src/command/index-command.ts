import { indexDocuments, type IndexReport } from '../indexing/index-documents.js';
import { openSource } from '../source/open-source.js';
import { openStore } from '../store/open-store.js';
import { BadRows } from './bad-rows.js';
import { choice, modelFlags, readOrHelp, required, storeFlags, wholeNumber, type Flags, type Typed } from './flags.js';
import { withEmbedder } from './load.js';
import { queueCommands, queueFlags, spreadRun } from './queue-commands.js';
import { duration, ProgressLine } from './progress.js';

const flags = {
  ...storeFlags,
  ...modelFlags,
  ...queueFlags,
  sql: { value: 'QUERY', help: 'with postgres://… instead of files: its rows are the documents, in the order of the id field' },
  'id-field': { value: 'NAME', help: 'field of records that holds the id (default: id, else the place of the record)' },
  'text-field': { value: 'NAME', help: 'field of records that holds the text (default: text); the others are metadata' },
  'chunk-tokens': { value: 'N', help: 'longest chunk in tokens (default: 256, or the limit of the model)' },
  overlap: { value: 'N', help: 'most tokens that neighbouring chunks share (default: 32)' },
  'vector-index': {
    value: 'NAME',
    help: 'over what PostgreSQL builds HNSW: vector, halfvec or binary (default: vector, of up to 2,000 numbers)',
  },
  prune: { help: 'remove documents that this run does not see' },
  errors: { value: 'FILE', help: 'where rows that cannot be used are written (default: errors.jsonl)' },
  quiet: { short: 'q', help: 'no progress and no report' },
} as const satisfies Flags;

const usage = 'index <files, folders or patterns…> --store STORE';
const help = {
  usage,
  what:
    'Fill a store with the chunks of documents and their vectors. Text, Markdown and HTML: a document a file; JSON lines, CSV, Parquet and a query of PostgreSQL: a\n' +
    'document a record. What is stored with the same content is not computed again; a run that was stopped goes on.',
  examples: [
    "bertha index 'docs/**/*.md' --store notes.db",
    'bertha index articles.jsonl --text-field body --store articles.db --prune',
    'bertha index articles.parquet --store postgres://me@host/db --table articles',
    "bertha index postgres://me@host/db --sql 'select id, body as text, lang from articles' --store notes.db",
    'bertha index texts.jsonl --store notes.db --queue redis://127.0.0.1:6379   # and on any machine: bertha index work --queue …',
    'bertha index status --queue redis://127.0.0.1:6379   # work, status, retry have --help of their own',
    'bertha search "how are workers restarted" --store notes.db',
  ],
};

/**
 * `bertha index`: fills a store and returns the exit code; `index work`, `index status` and `index retry` are about queues. SIGINT and SIGTERM end it after what is being written; it goes on with the next call. Errors:
 * BerthaError USAGE, and those of `indexDocuments`.
 */
export async function runIndex(args: readonly string[]): Promise<number> {
  const [first = '', ...rest] = args;
  const subcommand = Object.hasOwn(queueCommands, first) ? queueCommands[first] : undefined;
  if (subcommand !== undefined) return subcommand(rest);
  const typed = readOrHelp('index', flags, help, args);
  if (typed === undefined) return 0;
  const url = required(typed, 'store', `bertha ${usage.replace('STORE', 'notes.db')}`);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  try {
    return await fill(url, typed, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stderr.write('bertha index: stopped; the same command goes on from here\n');
    return 130;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, end);
  }
}

async function fill(url: string, typed: Typed, signal: AbortSignal): Promise<number> {
  const { 'id-field': idField, 'text-field': textField, errors = 'errors.jsonl', table } = typed.texts;
  const source = await openSource(typed.rest, { idField, textField, sql: typed.texts['sql'] });
  const cut = { chunkTokens: wholeNumber(typed, 'chunk-tokens'), overlap: wholeNumber(typed, 'overlap', 0) };
  const given = Object.fromEntries(Object.entries(cut).filter(([, value]) => value !== undefined));
  const store = await openStore(url, { table, vectorIndex: choice(typed, 'vector-index', ['vector', 'halfvec', 'binary']) });
  const bad = new BadRows(errors);
  const isQuiet = typed.switches.has('quiet');
  const line = new ProgressLine();
  try {
    if (typed.texts['queue'] !== undefined)
      return await withEmbedder(typed, undefined, (embedder, model) =>
        spreadRun(typed, source, store, embedder, { ...model, ...given, table, signal }),
      );
    const begin = performance.now();
    const report = await withEmbedder(typed, undefined, (embedder, model) =>
      indexDocuments(source, store, embedder, {
        ...model,
        ...given,
        prune: typed.switches.has('prune'),
        onBad: (row) => bad.add(row),
        onProgress: (progress) => {
          if (!isQuiet) line.show(progress);
        },
        signal,
      }),
    );
    line.stop();
    if (!isQuiet) process.stderr.write(reportText(report, (performance.now() - begin) / 1000));
    if (bad.count > 0) process.stderr.write(`bertha index: ${bad.count} rows could not be used: ${bad.path}\n`);
    return 0;
  } finally {
    await store.close();
    await source.close();
  }
}

function reportText(
  { documents, documentsUnchanged, embedded, rowsWritten, rowsDeleted, documentsPruned, run }: IndexReport,
  seconds: number,
): string {
  const pruned = documentsPruned === 0 ? '' : `, ${documentsPruned} documents removed`;
  return (
    `run ${run}: ${documents} documents (${documentsUnchanged} unchanged), ${embedded} chunks embedded, ${rowsWritten} rows written, ` +
    `${rowsDeleted} deleted${pruned}, in ${duration(seconds)}\n`
  );
}
