import { rerank } from '../../index.js';
import { readAllTexts, scoreTable, withModel, type TaskFlags } from '../task-runner.js';

/** The flags of `bertha rerank`. */
export interface RerankFlags extends TaskFlags {
  readonly topK?: number;
}

/** Writes documents in the order in which they answer a query. */
export async function rerankDocuments(query: string, documents: readonly string[], flags: RerankFlags): Promise<void> {
  const all = await readAllTexts(documents, flags);
  await withModel(flags, true, async (model, output) => {
    const ranked = await rerank(model, query, all, { topK: flags.topK, returnDocuments: true });
    if (flags.format === 'jsonl') await output.write(ranked.map((each) => `${JSON.stringify(each)}\n`).join(''));
    else await output.write(scoreTable(ranked.map(({ score, text }) => [score, text!])));
  });
}
