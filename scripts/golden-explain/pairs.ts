// Pairs of sentences on the bundled model: attributions that are complete, maps that add up, and words whose loss costs more than that of random ones.
import { readFileSync } from 'node:fs';
import { explainSimilarity } from '../../src/explain/index.js';
import { loadEmbedder } from '../../src/index.js';
import { compare, type Line } from './read.js';

const kPairs = 50;
const kSteps = 64;

/** Pairs of a file of the STS benchmark (tab-separated, sentences in columns 6 and 7), evenly drawn. */
export async function* checkPairs(file: string): AsyncGenerator<Line> {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .map((row) => row.split('\t').slice(5, 7))
    .filter((texts): texts is [string, string] => texts.length === 2);
  if (rows.length < kPairs) throw new Error(`Expected ${kPairs} pairs or more in ${file} but found ${rows.length}.`);
  const embedder = await loadEmbedder();
  const [open, apart, above]: [number[], number[], boolean[]] = [[], [], []];
  try {
    for (let i = 0; i < kPairs; i++) {
      const [first, second] = rows[Math.floor((i * rows.length) / kPairs)]!;
      const { cosine, a, b, map } = await explainSimilarity(embedder, first, second, { steps: kSteps, faithfulness: true });
      apart.push(map.data.reduce((sum, value) => sum + value, -cosine));
      for (const { score, baselineScore, delta, attributions, faithfulness } of [a, b]) {
        const size = attributions.reduce((sum, { value }) => sum + Math.abs(value), 0);
        open.push(delta / Math.max(Math.abs(score - baselineScore), 0.05 * size));
        const { comprehensiveness, random } = faithfulness!;
        above.push(comprehensiveness[1]! > random.comprehensiveness[1]!);
      }
    }
  } finally {
    embedder.dispose();
  }
  const zeros = (list: readonly unknown[]): number[] => list.map(() => 0);
  yield compare(`complete at ${kSteps} steps`, open, zeros(open), 0.01);
  yield compare('map sums to the cosine', apart, zeros(apart), 1e-6);
  const count = above.filter(Boolean).length;
  yield {
    name: 'faithful',
    ok: count >= 0.9 * above.length,
    text: `without its best 20 % of words a text loses more than without random ones in ${count} of ${above.length}, at least 90 %`,
  };
}
