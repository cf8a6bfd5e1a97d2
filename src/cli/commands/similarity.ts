import { sentenceSimilarity } from '../../index.js';
import { readAllTexts, scoreTable, withModel, type TaskFlags } from '../task-runner.js';

/** Writes sentences by how similar they are to one. */
export async function similarSentences(source: string, sentences: readonly string[], flags: TaskFlags): Promise<void> {
  const all = await readAllTexts(sentences, flags);
  await withModel(flags, false, async (model, output) => {
    const scores = await sentenceSimilarity(model, source, all);
    const rows = all.map((text, index) => ({ index, text, score: scores[index]! })).sort((a, b) => b.score - a.score);
    if (flags.format === 'jsonl') await output.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    else await output.write(scoreTable(rows.map(({ score, text }) => [score, text])));
  });
}
