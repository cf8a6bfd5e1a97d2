import { semanticSearch } from '../../../index.js';
import { embedItems, withEmbedder } from '../../embedded-items.js';
import { openOutput } from '../../output.js';
import { rankedLines, rankedTable, type TaskFlags } from '../../task-runner.js';

/** The flags of `bertha search`. */
export interface SearchFlags extends TaskFlags {
  readonly topK: number;
  readonly threshold?: number;
}

/** Writes the texts nearest to a query, the nearest first. */
export async function search(query: string, texts: readonly string[], flags: SearchFlags): Promise<void> {
  await withEmbedder(flags, async (embedder) => {
    const { items, vectors } = await embedItems(texts, flags, embedder.dimensions, (block) => embedder.encodeDocument(block));
    const found = await semanticSearch(await embedder.encodeQuery(query), vectors, { topK: flags.topK, threshold: flags.threshold });
    const output = await openOutput(flags.output, { patchable: false });
    await output.write(flags.format === 'jsonl' ? rankedLines(found, items) : rankedTable(found, items));
    await output.finish();
  });
}
