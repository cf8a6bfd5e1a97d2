// How many of the ten nearest neighbours stored vectors still find: a table for docs/precision.md.
//   npx tsx scripts/accuracy/storage.ts [--sentences 20000]
// Sentences of 4 to 25 words from BERTHA_SHARED's text/nltk9.txt.gz; 200 more are the queries. Exact float32 search is the truth.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { loadEmbedder, quantizedSimilarity, quantizeVectors, rescore, similarity } from '../../src/index.js';
import { draw, sharedFolder } from './texts.js';
import { Random } from '../../test/support/random.js';

const kQueries = 200;
const kNeighbours = 10;

const { values } = parseArgs({ options: { sentences: { type: 'string', default: '20000' } } });
const lines = gunzipSync(readFileSync(join(sharedFolder, 'text/nltk9.txt.gz')))
  .toString('utf8')
  .split('\n');
const fitting = lines.filter((line) => {
  const words = line.split(' ').length;
  return words >= 4 && words <= 25;
});
const texts = draw(new Random(40_000), [...new Set(fitting)], Number(values.sentences) + kQueries);

const embedder = await loadEmbedder();
const all = (await embedder.embed(texts)).map(({ vector }) => vector);
embedder.dispose();
const [queries, stored] = [all.slice(0, kQueries), all.slice(kQueries)];

const nearest = (scores: Float32Array): number[] => {
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return Array.from(order.subarray(0, kNeighbours));
};
const truth = queries.map((query) => new Set(nearest(similarity(query, stored))));

function recall(search: (query: Float32Array) => readonly number[]): string {
  const found = queries.map((query, i) => search(query).filter((index) => truth[i]!.has(index)).length);
  return ((100 * found.reduce((sum, count) => sum + count, 0)) / (kNeighbours * kQueries)).toFixed(2);
}

const int8 = quantizeVectors(stored, 'int8');
const bits = quantizeVectors(stored, 'binary');
const rows: [string, string, string][] = [
  ['int8, a scale a vector', '384 + 4', recall((query) => nearest(quantizedSimilarity(query, int8)))],
  ['1 bit, float32 query', '48', recall((query) => nearest(quantizedSimilarity(query, bits)))],
  ['1 bit, Hamming distance', '48', recall((query) => nearest(quantizedSimilarity(quantizeVectors([query], 'binary'), bits)))],
];
for (const compare of ['query', 'hamming'] as const) {
  for (const candidates of [50, 100, 200]) {
    for (const [name, precise] of [['int8', int8] as const, ['float32', stored] as const]) {
      const search = (query: Float32Array) => rescore(query, bits, precise, { compare, candidates }).map(({ index }) => index);
      const first = compare === 'query' ? 'float32 query' : 'Hamming';
      rows.push([`1 bit, ${first}, ${candidates} rescored with ${name}`, name === 'int8' ? '48 + 388' : '48 + 1536', recall(search)]);
    }
  }
}
const table = rows.map((row) => `| ${row.join(' | ')} |\n`).join('');
process.stdout.write(`| stored as | bytes | recall@${kNeighbours} |\n|---|---|---|\n${table}`);
