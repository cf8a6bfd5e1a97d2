import { attention, attentionRollout } from '../../../explain/index.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain attention`. */
export interface AttentionFlags extends ModelFlags, OutputFlags {
  readonly pair?: string;
  readonly layers?: readonly number[];
  readonly heads?: readonly number[];
  readonly weights?: 'probability' | 'norm';
}

/** Writes where the heads read: as lines the tokens that each token reads most, by the mean of the heads; of all layers the rollout too. */
export async function showAttention(text: string, flags: AttentionFlags): Promise<void> {
  const { pair: textPair, layers, heads, weights } = flags;
  const model = await loadForTask(flags, undefined);
  try {
    const seen = await attention(model, textPair === undefined ? text : { text, textPair }, { layers, heads, weights });
    await writeResult(layers === undefined ? { ...seen, rollout: attentionRollout(seen) } : seen, flags);
  } finally {
    model.dispose();
  }
}
