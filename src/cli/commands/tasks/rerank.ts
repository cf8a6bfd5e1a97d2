import { rerank, type RerankOptions } from '../../../index.js';
import { writeRanked, type TaskFlags } from '../../task-runner.js';

/** Writes documents in the order in which they answer a query. */
export async function rerankDocuments(
  query: string,
  documents: readonly string[],
  flags: TaskFlags,
  options: RerankOptions,
): Promise<void> {
  await writeRanked(documents, flags, 'rerank', (model, texts) => rerank(model, query, texts, options));
}
