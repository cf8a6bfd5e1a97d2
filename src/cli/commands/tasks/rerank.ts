import { rerank } from '../../../index.js';
import { writeRanked, type TaskFlags } from '../../task-runner.js';

/** The flags of `bertha rerank`. */
export interface RerankFlags extends TaskFlags {
  readonly topK?: number;
}

/** Writes documents in the order in which they answer a query. */
export async function rerankDocuments(query: string, documents: readonly string[], flags: RerankFlags): Promise<void> {
  await writeRanked(documents, flags, true, (model, texts) => rerank(model, query, texts, { topK: flags.topK }));
}
