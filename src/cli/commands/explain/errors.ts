import { unexpected } from '../../../expected.js';
import { explainErrors } from '../../../explain/index.js';
import { readLabelledTexts } from '../../../learn/text-classifier/read-labelled-texts.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { writeResult, type OutputFlags } from './output.js';

/** The flags of `bertha explain errors`. */
export interface ErrorsFlags extends ModelFlags, OutputFlags {
  readonly text?: string;
  readonly label?: string;
  readonly worst: number;
}

/** Writes what a classifier gets wrong of a file of labelled texts. */
export async function showErrors(file: string, flags: ErrorsFlags): Promise<void> {
  const { texts, labels } = await readLabelledTexts(file, { text: flags.text, label: flags.label });
  const model = await loadForTask(flags, 'text-classification');
  try {
    const found = await explainErrors(model, texts, labelsOf(labels, model.config.id2label), { worst: flags.worst });
    await writeResult(found, flags);
  } finally {
    model.dispose();
  }
}

/** Labels as the model names them: a whole number is the label of that index. */
function labelsOf(labels: readonly (string | number | boolean)[], names: readonly string[]): string[] {
  return labels.map((label, i) => {
    if (names.includes(String(label))) return String(label);
    const name = /^[0-9]{1,9}$/.test(String(label)) ? names[Number(label)] : undefined;
    if (name !== undefined) return name;
    throw unexpected('INVALID_LABEL', `labels of the model (${names.slice(0, 12).join(', ')})`, `${String(label)} in row ${i + 1}`);
  });
}
