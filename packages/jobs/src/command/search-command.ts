import { BerthaError, loadModel, type Model } from 'bertha-encoder';
import { search, type SearchHit } from '../search/search.js';
import { openStore } from '../store/open-store.js';
import type { Filter, Store } from '../store/store.js';
import { choice, modelFlags, readOrHelp, required, storeFlags, wholeNumber, type Flags, type Typed } from './flags.js';
import { withEmbedder } from './load.js';

const flags = {
  ...storeFlags,
  ...modelFlags,
  mode: { value: 'NAME', help: 'vector: by meaning (default); keyword: by words; hybrid: both' },
  'top-k': { value: 'N', short: 'k', help: 'results (default: 10)' },
  threshold: { value: 'N', help: 'least score; of --mode vector a cosine similarity' },
  filter: { value: 'JSON', help: `conditions on metadata: '{"lang": "en", "year": {"gte": 2020}}'` },
  rerank: { value: 'MODEL', help: 'a cross-encoder that orders the best results anew' },
  format: { value: 'NAME', help: 'table (default) or jsonl' },
} as const satisfies Flags;

const usage = 'search <question> --store STORE';
const help = {
  usage,
  what: 'Find the chunks of a store that answer a question best.',
  examples: [
    'bertha search "how are workers restarted" --store notes.db',
    'bertha search "error 17" --store notes.db --mode hybrid --top-k 3 --format jsonl',
  ],
};

/** `bertha search --store`: writes what a store has for a question and returns the exit code. Errors: BerthaError USAGE, and those of `search`. */
export async function runSearch(args: readonly string[]): Promise<number> {
  const typed = readOrHelp('search', flags, help, args);
  if (typed === undefined) return 0;
  const [question, ...more] = typed.rest;
  if (question === undefined || more.length > 0) throw new BerthaError('USAGE', `Expected one question but received ${typed.rest.length}.`);
  const url = required(typed, 'store', `bertha ${usage.replace('STORE', 'notes.db')}`);
  const format = choice(typed, 'format', ['table', 'jsonl']) ?? 'table';
  const store = await openStore(url, { table: typed.texts['table'] });
  try {
    const hits = await find(store, question, typed);
    process.stdout.write(format === 'jsonl' ? hits.map((hit) => `${JSON.stringify(hit)}\n`).join('') : tableOf(hits));
    return 0;
  } finally {
    await store.close();
  }
}

async function find(store: Store, question: string, typed: Typed): Promise<SearchHit[]> {
  const mode = choice(typed, 'mode', ['vector', 'keyword', 'hybrid']);
  const options = { mode, topK: wholeNumber(typed, 'top-k'), threshold: readThreshold(typed), filter: readFilterFlag(typed) };
  const name = typed.texts['rerank'];
  const reranker: Model | undefined = name === undefined ? undefined : await loadModel(name);
  try {
    if (mode === 'keyword') return await search(store, question, { ...options, reranker });
    return await withEmbedder(typed, store.model?.name, (embedder, model) =>
      search(store, question, { ...options, ...model, embedder, reranker }),
    );
  } finally {
    reranker?.dispose();
  }
}

function readThreshold({ texts: { threshold } }: Typed): number | undefined {
  if (threshold === undefined) return undefined;
  if (threshold.trim() !== '' && Number.isFinite(Number(threshold))) return Number(threshold);
  throw new BerthaError('USAGE', `Expected a number for --threshold but received ${JSON.stringify(threshold)}.`);
}

function readFilterFlag({ texts: { filter } }: Typed): Filter | undefined {
  if (filter === undefined) return undefined;
  try {
    return JSON.parse(filter) as Filter;
  } catch (cause) {
    throw new BerthaError('USAGE', `Expected JSON for --filter, such as '{"lang": "en"}', but received ${JSON.stringify(filter)}.`, {
      cause,
    });
  }
}

function tableOf(hits: readonly SearchHit[]): string {
  const width = Math.max(40, (process.stdout.columns ?? 120) - 11);
  return hits
    .map(({ score, docId, chunkNo, text }) => {
      const line = text.replace(/\s+/g, ' ');
      const shown = line.length > width ? `${line.slice(0, width - 1)}…` : line;
      return `${score.toFixed(4).padStart(9)}  ${docId}#${chunkNo}\n${' '.repeat(11)}${shown}\n`;
    })
    .join('');
}
