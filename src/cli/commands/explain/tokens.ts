import { tokenization } from '../../../explain/index.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { writeResult, type OutputFlags } from './output.js';

/** Writes the tokens of texts, what is unknown, and where a text is cut. */
export async function showTokens(texts: readonly string[], flags: ModelFlags & OutputFlags): Promise<void> {
  const model = await loadForTask(flags, undefined);
  try {
    await writeResult(await tokenization(model, texts), flags);
  } finally {
    model.dispose();
  }
}
