import { semanticSearch, similarityMatrix, type VectorMatrix } from '../../../index.js';
import { embedItems, withEmbedder, type EmbeddedItems } from '../../embedded-items.js';
import { openOutput } from '../../output.js';
import { withFields } from '../../readers/item.js';
import type { TaskFlags } from '../../task-runner.js';

/** The flags of `bertha dedupe`. */
export interface DedupeFlags extends Omit<TaskFlags, 'format'> {
  readonly format: 'text' | 'jsonl';
  readonly threshold: number;
  readonly duplicates?: boolean;
}

/** A text that says what an earlier one says. */
interface Duplicate {
  readonly of: number;
  readonly score: number;
}

/** Texts that are compared with each other in one go. */
const kBlock = 1024;

/** Writes texts without those that say nearly what an earlier one says; with `duplicates`, those alone. */
export async function dedupe(texts: readonly string[], flags: DedupeFlags): Promise<void> {
  const all = { ...flags, format: 'jsonl' } as const;
  await withEmbedder(all, async (embedder) => {
    const embedded = await embedItems(texts, all, embedder.dimensions, (block) => embedder.embed(block));
    const duplicates = await findDuplicates(embedded, flags.threshold);
    const output = await openOutput(flags.output, { patchable: false });
    for (const [index, item] of embedded.items.entries()) {
      const duplicate = duplicates.get(index);
      if ((duplicate !== undefined) !== (flags.duplicates === true)) continue;
      if (flags.format === 'text') {
        await output.write(`${item.text}\n`);
        continue;
      }
      const why = duplicate === undefined ? {} : { duplicate_of: duplicate.of, score: duplicate.score };
      await output.write(`${JSON.stringify(withFields({ index, text: item.text, ...why }, item))}\n`);
    }
    await output.finish();
    process.stderr.write(`${duplicates.size} of ${embedded.items.length} texts say what an earlier one says.\n`);
  });
}

/** By the index of each text that is at least as similar as `threshold` to an earlier text that is none itself: the nearest such text. */
async function findDuplicates({ items, vectors }: EmbeddedItems, threshold: number): Promise<Map<number, Duplicate>> {
  const { data, dimensions } = vectors;
  const row = (index: number): Float32Array => data.subarray(index * dimensions, (index + 1) * dimensions);
  const kept: number[] = [];
  const keptData = new Float32Array(data.length);
  const duplicates = new Map<number, Duplicate>();
  for (let begin = 0; begin < items.length; begin += kBlock) {
    const block = Array.from({ length: Math.min(kBlock, items.length - begin) }, (_, i) => begin + i);
    const before = kept.length;
    const corpus: VectorMatrix = { data: keptData.subarray(0, before * dimensions), dimensions };
    const nearest = before === 0 ? [] : await semanticSearch(block.map(row), corpus, { topK: 1, threshold });
    block.forEach((index, i) => {
      const [hit] = nearest[i] ?? [];
      if (hit !== undefined) duplicates.set(index, { of: kept[hit.index]!, score: hit.score });
    });
    const rest = block.filter((index) => !duplicates.has(index));
    const scores = await similarityMatrix(rest.map(row), rest.map(row));
    rest.forEach((index, i) => {
      let best: Duplicate | undefined;
      for (let j = 0; j < i; j++) {
        const score = scores[i]![j]!;
        if (score >= threshold && !duplicates.has(rest[j]!) && score > (best?.score ?? -Infinity)) best = { of: rest[j]!, score };
      }
      if (best !== undefined) return void duplicates.set(index, best);
      keptData.set(row(index), kept.length * dimensions);
      kept.push(index);
    });
  }
  return duplicates;
}
