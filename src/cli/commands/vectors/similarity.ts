import { sentenceSimilarity } from '../../../index.js';
import { writeRanked, type TaskFlags } from '../../task-runner.js';

/** Writes sentences by how similar they are to one. */
export async function similarSentences(source: string, sentences: readonly string[], flags: TaskFlags): Promise<void> {
  await writeRanked(sentences, flags, undefined, async (model, texts) => {
    const scores = await sentenceSimilarity(model, source, texts);
    return Array.from(scores, (score, index) => ({ index, score })).sort((a, b) => b.score - a.score || a.index - b.index);
  });
}
