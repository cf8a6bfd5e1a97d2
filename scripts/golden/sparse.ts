import { join } from 'node:path';
import { loadEmbedder, type Embedder, type SparseEmbedding } from '../../src/index.js';
import { readCases, readTensors, type SentenceCase } from './files.js';
import type { Report } from './report.js';

/** One case of a sparse directory: a row of a tensor, how many of its numbers are not 0, and the largest with their words. */
interface SparseCase extends SentenceCase {
  readonly nonzero: number;
  readonly top: readonly (readonly [string, number])[];
}

/** Numbers nearer to each other than this may stand in either order. */
const kTie = 1e-5;

/** A sentence-transformers directory of sparse vectors, from text to words: `embeddings` of documents, `embeddings.query` of queries. */
export async function compareSparse(path: string, report: Report): Promise<void> {
  const { cases } = readCases<{ readonly cases: readonly SparseCase[] }>(path);
  const expected = await readTensors(join(path, 'expected.safetensors'));
  const embedder = await loadEmbedder(path, report.load);
  try {
    for (const [name, tensor] of expected) {
      const rows = cases.filter((each) => each.tensor === name).sort((a, b) => a.row - b.row);
      if (rows.length === 0) report.failures.push(`${name}: expected cases but received none`);
      const as = name === 'embeddings.query' ? 'query' : 'document';
      const vectors = await embedder.embedSparse(
        rows.map(({ text }) => text),
        { as },
      );
      const width = embedder.dimensions;
      const dense = new Float32Array(width * rows.length);
      vectors.forEach(({ indices, values }, i) => indices.forEach((index, j) => (dense[i * width + index] = values[j]!)));
      report.compare(name, dense, tensor);
      rows.forEach((each, i) => compareCase(embedder, `${name}[${each.row}]`, vectors[i]!, each, report));
    }
  } finally {
    embedder.dispose();
  }
}

function compareCase(
  embedder: Embedder,
  name: string,
  vector: SparseEmbedding,
  { nonzero, top, input_ids }: SparseCase,
  report: Report,
): void {
  report.sequences++;
  // A table of weights reads no special tokens, which the cases list.
  if (!name.startsWith('embeddings.query')) report.compareEqual(`${name}.tokens`, vector.tokens, input_ids.length);
  report.compareEqual(`${name}.nonzero`, vector.indices.length, nonzero);
  const words = embedder.decodeSparse(vector).slice(0, top.length);
  words.forEach(({ token, weight }, i) => {
    const [word, value] = top[i]!;
    const isTie = top.some(([other, near], j) => j !== i && other === token && Math.abs(near - value) < kTie);
    if (!isTie) report.compareEqual(`${name}.top[${i}]`, token, word);
    if (Math.abs(weight - value) > report.tolerance * Math.max(1, value))
      report.failures.push(`${name}.top[${i}]: expected ${value} but received ${weight}`);
  });
}
