import { communityDetection } from '../../../index.js';
import { colors } from '../../terminal/colors.js';
import { embedItems, withEmbedder } from '../../embedded-items.js';
import { openOutput } from '../../output.js';
import { withFields } from '../../readers/item.js';
import type { TaskFlags } from '../../task-runner.js';
import { shorten, terminalWidth } from '../../terminal/width.js';

/** The flags of `bertha cluster`. */
export interface ClusterFlags extends TaskFlags {
  readonly threshold: number;
  readonly minSize: number;
}

/** Writes groups of texts that say nearly the same, the largest first; lines of JSON hold the texts of no group as well, at the end. */
export async function cluster(texts: readonly string[], flags: ClusterFlags): Promise<void> {
  await withEmbedder(flags, async (embedder) => {
    const { items, vectors } = await embedItems(texts, flags, embedder.dimensions, (block) => embedder.embed(block));
    const clusters = await communityDetection(vectors, { threshold: flags.threshold, minCommunitySize: flags.minSize });
    const output = await openOutput(flags.output, { patchable: false });
    if (flags.format === 'jsonl') {
      const inNone = new Set(items.keys());
      const line = (index: number, of: number | null): string => {
        inNone.delete(index);
        return `${JSON.stringify(withFields({ cluster: of, index, text: items[index]!.text }, items[index]!))}\n`;
      };
      for (const [i, members] of clusters.entries()) await output.write(members.map((index) => line(index, i)).join(''));
      await output.write([...inNone].map((index) => line(index, null)).join(''));
    } else {
      const width = terminalWidth() - 2;
      for (const [i, members] of clusters.entries()) {
        const rows = members.map((index) => `  ${shorten(items[index]!.text, width)}\n`);
        await output.write(`${i === 0 ? '' : '\n'}${colors.bold(`cluster ${i}: ${members.length} texts`)}\n${rows.join('')}`);
      }
      const inClusters = clusters.reduce((sum, { length }) => sum + length, 0);
      await output.write(`${clusters.length === 0 ? '' : '\n'}${items.length - inClusters} of ${items.length} texts are in no cluster.\n`);
    }
    await output.finish();
  });
}
