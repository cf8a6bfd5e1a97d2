import { logitLens } from '../../../explain/index.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { writeResult, type OutputFlags } from './output.js';

/** Writes the likeliest words at each mask, layer by layer. */
export async function showLens(text: string, flags: ModelFlags & OutputFlags & { readonly topK: number }): Promise<void> {
  const model = await loadForTask(flags, 'fill-mask');
  try {
    await writeResult(await logitLens(model, text, { topK: flags.topK }), flags);
  } finally {
    model.dispose();
  }
}
