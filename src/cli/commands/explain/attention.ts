import { attention, attentionRollout } from '../../../explain/index.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { colors } from '../../terminal/colors.js';
import { visible } from '../../terminal/width.js';
import { writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain attention`. */
export interface AttentionFlags extends ModelFlags, OutputFlags {
  readonly pair?: string;
  readonly layers?: readonly number[];
  readonly heads?: readonly number[];
  readonly weights?: 'probability' | 'norm';
}

/** Writes the token that each token reads most, by the mean of the heads that were asked for; as JSON all weights, and of all layers the rollout. */
export async function showAttention(text: string, flags: AttentionFlags): Promise<void> {
  const { pair: textPair, layers, heads, weights } = flags;
  const model = await loadForTask(flags, undefined);
  try {
    const seen = await attention(model, textPair === undefined ? text : { text, textPair }, { layers, heads, weights });
    const rollout = layers === undefined ? { rollout: attentionRollout(seen) } : {};
    await writeResult({ ...seen, ...rollout }, flags, () => {
      const count = seen.tokens.length;
      const width = Math.max(...seen.tokens.map(({ token }) => token.length));
      const blocks = seen.weights.map(({ data }, l) => {
        const rows = seen.tokens.map(({ token }, i) => {
          const mean = Float64Array.from({ length: count }, (_, j) => {
            let sum = 0;
            for (let head = 0; head < seen.heads.length; head++) sum += data[(head * count + i) * count + j]!;
            return sum / seen.heads.length;
          });
          const best = Array.from(mean.keys())
            .sort((a, b) => mean[b]! - mean[a]!)
            .slice(0, 3);
          const share = (j: number): string => (seen.kind === 'norm' ? mean[j]!.toFixed(2) : `${Math.round(100 * mean[j]!)} %`);
          const reads = best.map((j) => `${visible(seen.tokens[j]!.token)} ${colors.dim(share(j))}`);
          return `  ${visible(token).padEnd(width)}  ${reads.join('  ')}\n`;
        });
        return `${colors.bold(`layer ${seen.layers[l]}`)}\n${rows.join('')}`;
      });
      return `${blocks.join('\n')}\n${colors.dim('Attention shows where heads read, not why a model answers.')}\n`;
    });
  } finally {
    model.dispose();
  }
}
