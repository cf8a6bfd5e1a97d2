// `node --import tsx bench/index/ef-search.ts LINES.gz [--texts N] [--kinds vector,halfvec,binary]`: what hnsw.ef_search costs in PostgreSQL. Over lines of a file, embedded by the
// bundled model: how many of the 10 exact neighbours are found, and the median time of a search, for each value and number of candidates; then without an index. Nothing else should run on the machine.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { loadEmbedder, semanticSearch } from 'bertha-encoder';
import { openStore } from '../../packages/jobs/src/store/open-store.js';
import { exactQuery, indexQuery, type Query } from '../../packages/jobs/src/store/postgres/queries.js';
import { namesOf, type VectorIndex } from '../../packages/jobs/src/store/postgres/schema.js';
import { rowOf } from '../../packages/jobs/src/store/postgres/values.js';
import { missing, startPostgres } from '../../test/jobs/support/services.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { texts: { type: 'string', default: '5000' }, kinds: { type: 'string', default: 'vector,halfvec,binary' } },
});
if (missing.postgres !== undefined) throw new Error(`Expected PostgreSQL but it is missing: ${missing.postgres}`);
const numTexts = Number(values.texts);
const kQuestions = 100;
const kValues = [40, 100, 200, 400, 800];
/** Numbers of candidates and of `ef_search`, for 10 results. */
const tried: Readonly<Record<VectorIndex, readonly (readonly [candidates: number, efSearch: number])[]>> = {
  vector: kValues.map((efSearch) => [20, efSearch]),
  halfvec: kValues.map((efSearch) => [20, efSearch]),
  binary: [...kValues.map((efSearch) => [200, efSearch] as const), [300, 400], [300, 600], [400, 400], [400, 800], [600, 600], [600, 1000]],
};

const path = positionals[0];
if (path === undefined) throw new Error('Expected a file with a text a line.');
const bytes = createReadStream(path);
const texts = new Set<string>();
for await (const line of createInterface({ input: path.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes })) {
  if (line.length >= 40) texts.add(line);
  if (texts.size === numTexts + kQuestions) break;
}
const embedder = await loadEmbedder();
const vectors = (await embedder.encodeDocument([...texts], { maxLength: 64 })).map(({ vector }) => vector);
embedder.dispose();
const questions = vectors.splice(0, kQuestions);
const exact = await Promise.all(questions.map((question) => semanticSearch(question, vectors, { topK: 10 })));

const service = await startPostgres();
const client = new pg.Client({ connectionString: service.url });
try {
  await client.connect();
  for (const kind of values.kinds.split(',') as VectorIndex[]) {
    const store = await openStore(service.url, { table: `over_${kind}`, vectorIndex: kind, indexFromRows: 1 });
    await store.prepare({ key: 'k', name: 'bundled', dimensions: embedder.dimensions, isNormalized: true });
    const run = await store.beginRun('p');
    for (let i = 0; i < vectors.length; i += 512) {
      const documents = vectors.slice(i, i + 512).map((embedding, k) => {
        const chunk = { contentHash: `${i + k}`, text: `${i + k}`, start: 0, end: 1, metadata: {}, embedding };
        return { docId: `${i + k}`, contentHash: `${i + k}`, chunks: [chunk] };
      });
      await store.write({ run, position: 0, documents, unchanged: [] });
    }
    const begin = performance.now();
    await store.finishRun(run);
    console.log(`${vectors.length} texts, HNSW over ${kind} built in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    await store.close();
    const names = namesOf(`over_${kind}`);
    for (const [candidates, efSearch] of tried[kind]) {
      const breadth = { candidates, efSearch };
      const queryOf = (question: Float32Array): Query => indexQuery(names, kind, question, { topK: 10 }, breadth);
      await measure(`${candidates} candidates, ef_search ${efSearch}`, efSearch, queryOf);
    }
    await measure('no index', 40, (question) => exactQuery(names, question, { topK: 10 }));
  }
} finally {
  await client.end();
  await service.remove();
}

/** Asks each question twice and times the second time. */
async function measure(what: string, efSearch: number, queryOf: (question: Float32Array) => Query): Promise<void> {
  await client.query(`set jit = off; set hnsw.ef_search = ${efSearch}`);
  const times: number[] = [];
  let hits = 0;
  for (const [i, question] of questions.entries()) {
    const { sql, values: marks } = queryOf(question);
    await client.query(sql, [...marks]);
    const begin = performance.now();
    const { rows } = await client.query(sql, [...marks]);
    times.push(performance.now() - begin);
    const found = new Set(rows.map((record) => rowOf(record as Record<string, unknown>).docId));
    hits += exact[i]!.filter(({ index }) => found.has(String(index))).length;
  }
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
  console.log(`  ${what.padEnd(34)}recall@10 ${(hits / (10 * kQuestions)).toFixed(4)}, ${median.toFixed(1)} ms a search`);
}
