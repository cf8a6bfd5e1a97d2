// STS-B: how well cosine similarities of a model's vectors rank 1,500 pairs of sentences as people did. Prints Spearman's rank
// correlation times 100; all-MiniLM-L6-v2 has 86.716 on the dev set.
//   npm run sts -- [FILE] [--model DIR] [--threads N] [--expect 86.716]
// FILE is sts-dev.csv of the STS benchmark (default: eval/sts/sts-dev.csv of the folder BERTHA_SHARED, ../shared).
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadEmbedder, similarity } from '../src/index.js';
import { spearman } from '../src/metrics/index.js';

/** Two sentences and how alike people found them, 0 to 5. */
interface Pair {
  readonly score: number;
  readonly first: string;
  readonly second: string;
}

/** Half a unit of the last decimal that results are published with. */
const kRounding = 5e-4;

function readPairs(path: string): Pair[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line, i) => {
    const [, , , , score, first, second] = line.split('\t');
    if (first === undefined || second === undefined || score === undefined || !(Number(score) >= 0)) {
      throw new Error(`Expected seven columns with a score in the fifth for line ${i + 1} of ${path} but received ${line.slice(0, 80)}`);
    }
    return { score: Number(score), first, second };
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string' }, threads: { type: 'string' }, expect: { type: 'string' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const path = positionals[0] ?? join(resolve(root, process.env['BERTHA_SHARED'] ?? '../shared'), 'eval/sts/sts-dev.csv');
if (!existsSync(path)) {
  process.stderr.write(`Expected STS-B's sts-dev.csv at ${path} but found nothing there. Name its place: npm run sts -- FILE\n`);
  process.exit(1);
}

const pairs = readPairs(path);
const embedder = await loadEmbedder(values.model, values.threads === undefined ? {} : { threads: Number(values.threads) });
const start = performance.now();
const vectors = await embedder.embed(pairs.flatMap(({ first, second }) => [first, second]));
const seconds = (performance.now() - start) / 1000;
const cosines = pairs.map((_, i) => similarity(vectors[2 * i]!, vectors[2 * i + 1]!));
const result =
  100 *
  spearman(
    cosines,
    pairs.map(({ score }) => score),
  );
process.stdout.write(`${pairs.length} pairs, Spearman ${result.toFixed(3)}, ${vectors.length} texts embedded in ${seconds.toFixed(1)} s\n`);
embedder.dispose();
if (values.expect !== undefined && !(Math.abs(result - Number(values.expect)) <= kRounding)) {
  process.stderr.write(`Expected ${values.expect} but received ${result.toFixed(4)}\n`);
  process.exitCode = 1;
}
