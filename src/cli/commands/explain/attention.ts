import type { TextInput } from '../../../calls/inputs.js';
import { unexpected } from '../../../expected.js';
import { attention, attentionFile, attentionRollout } from '../../../explain/index.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { writeFile, writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain attention`. */
export interface AttentionFlags extends ModelFlags, OutputFlags {
  readonly pair?: string;
  readonly layers?: readonly number[];
  readonly heads?: readonly number[];
  readonly weights?: 'probability' | 'norm';
  readonly attentionFile?: string;
}

/** The flags of `bertha explain rollout`. */
export interface RolloutFlags extends ModelFlags, OutputFlags {
  readonly pair?: string;
  readonly residual?: number;
  readonly reduce?: 'mean' | 'max';
}

/**
 * Writes where the heads read: as lines the tokens that each token reads most, by the mean of the heads; of all layers the rollout too. Where all heads go to
 * a file of their own, JSON is without them.
 */
export async function showAttention(text: string, flags: AttentionFlags): Promise<void> {
  const { pair: textPair, layers, heads, weights, attentionFile: file } = flags;
  if (file !== undefined && [flags.output, flags.html, flags.svg].includes(file)) {
    throw unexpected('USAGE', 'another file for --attention-file than for the result', 'one twice');
  }
  const model = await loadForTask(flags, undefined);
  try {
    const seen = await attention(model, inputOf(text, textPair), { layers, heads, weights });
    const shown = layers === undefined ? { ...seen, rollout: attentionRollout(seen) } : seen;
    if (file === undefined) return await writeResult(shown, flags);
    await writeFile(file, attentionFile(seen));
    await writeResult(shown, flags, { ...shown, weights: [] });
  } finally {
    model.dispose();
  }
}

/** Writes what of each token reaches the last layer, by attention alone. */
export async function showRollout(text: string, flags: RolloutFlags): Promise<void> {
  const { pair, residual, reduce } = flags;
  const model = await loadForTask(flags, undefined);
  try {
    const { weights, layers, heads: _, kind: __, ...read } = await attention(model, inputOf(text, pair));
    await writeResult({ ...read, rollout: attentionRollout({ weights, layers }, { residual, reduce }) }, flags);
  } finally {
    model.dispose();
  }
}

function inputOf(text: string, textPair: string | undefined): TextInput {
  return textPair === undefined ? text : { text, textPair };
}
