import { join } from 'node:path';
import { loadEmbedder, maxSim } from '../../src/index.js';
import { readCases, readTensors } from './files.js';
import type { Report } from './report.js';

/** A query or document: what the model reads, and which of its tokens give a vector. */
interface MultiVectorCase {
  readonly id: string;
  readonly kind: 'query' | 'document';
  readonly text: string;
  readonly input_ids: readonly number[];
  readonly scored: readonly number[];
}

/** A directory of several vectors a text, from texts to vectors and to the scores of queries with documents. */
export async function compareMultiVector(path: string, report: Report): Promise<void> {
  const { cases } = readCases<{ readonly cases: readonly MultiVectorCase[] }>(path);
  const expected = await readTensors(join(path, 'expected.safetensors'));
  const embedder = await loadEmbedder(path, report.load);
  try {
    const of = async (kind: MultiVectorCase['kind']) => {
      const own = cases.filter((each) => each.kind === kind);
      const vectors = await embedder.embedTokens(
        own.map(({ text }) => text),
        { as: kind },
      );
      own.forEach(({ id, input_ids, scored }, i) => {
        const { data, dims, tokens } = vectors[i]!;
        report.sequences++;
        report.compareEqual(`${id}.tokens`, tokens, input_ids.length);
        report.compareEqual(
          `${id}.vectors`,
          dims[0],
          scored.reduce((sum, flag) => sum + flag, 0),
        );
        report.compare(id, data, expected.get(id)!);
      });
      return vectors;
    };
    const [queries, documents] = [await of('query'), await of('document')];
    const scores: number[] = [];
    for (const query of queries) scores.push(...(await maxSim(query, documents)));
    report.compare('scores', scores, expected.get('scores')!);
  } finally {
    embedder.dispose();
  }
}
