import { probeLayers } from '../../../explain/index.js';
import { readLabelledTexts } from '../../../learn/text-classifier/read-labelled-texts.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain probe`. */
export interface ProbeFlags extends ModelFlags, OutputFlags {
  readonly text?: string;
  readonly label?: string;
  readonly seed?: number;
}

/** Writes from which layers the labels of a file can be read. */
export async function showProbe(file: string, flags: ProbeFlags): Promise<void> {
  const { texts, labels } = await readLabelledTexts(file, { text: flags.text, label: flags.label });
  const model = await loadForTask(flags, undefined);
  try {
    await writeResult(await probeLayers(model, texts, labels, { seed: flags.seed }), flags);
  } finally {
    model.dispose();
  }
}
