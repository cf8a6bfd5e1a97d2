import { logitLens } from '../../../explain/index.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { colors } from '../../terminal/colors.js';
import { visible } from '../../terminal/width.js';
import { writeResult, type OutputFlags } from './output.js';

/** Writes the likeliest words at each mask, layer by layer. */
export async function showLens(text: string, flags: ModelFlags & OutputFlags & { readonly topK: number }): Promise<void> {
  const model = await loadForTask(flags, 'fill-mask');
  try {
    const found = await logitLens(model, text, { topK: flags.topK });
    await writeResult(found, flags, () =>
      found.masks
        .map(({ position, final, layers }) => {
          const rows = layers.map(({ layer, words, rankOfFinal }) => {
            const list = words.map(
              ({ word, logProbability }) => `${visible(word)} ${colors.dim(`${(100 * Math.exp(logProbability)).toFixed(1)} %`)}`,
            );
            return `  ${layer === 0 ? 'embeddings' : `layer ${layer}`.padEnd(10)}  ${list.join('  ')}  ${colors.dim(`${visible(final)}: place ${rankOfFinal + 1}`)}\n`;
          });
          return `${colors.bold(`mask at token ${position}: ${visible(final)}`)}\n${rows.join('')}`;
        })
        .join('\n'),
    );
  } finally {
    model.dispose();
  }
}
