import { unexpected } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import type { Label } from '../../metrics/classification.js';
import { Columns } from '../../training/datasets/columns.js';
import { rowsOf } from '../../training/datasets/dataset.js';
import { openDataset } from '../../training/datasets/open-dataset.js';
import { describeRow } from '../../training/datasets/row.js';

/** Texts and their classes. */
export interface LabelledTexts {
  readonly texts: readonly string[];
  readonly labels: readonly Label[];
}

/** The columns of a file that hold them. */
export interface LabelledColumns {
  /** Default: found by the usual names (text, sentence, review, …). */
  readonly text?: string | undefined;
  /** Default: found by the usual names (label, class, sentiment, …). */
  readonly label?: string | undefined;
}

/** Reads texts and classes from .csv, .tsv, .jsonl or .json. Errors: DATASET, which names line and column; INVALID_ARG, IO. */
export async function readLabelledTexts(file: FilePath, names: LabelledColumns = {}): Promise<LabelledTexts> {
  const columns = new Columns(Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined)));
  const [texts, labels]: [string[], Label[]] = [[], []];
  for await (const row of rowsOf(await openDataset(file))) {
    const index = texts.length;
    texts.push(columns.text(row, 'text', index));
    const label = columns.require(row, 'label', index);
    if (typeof label !== 'string' && typeof label !== 'number' && typeof label !== 'boolean') {
      throw unexpected('DATASET', `a class in ${JSON.stringify(columns.nameOf('label'))} of ${describeRow(row, index)}`, typeof label);
    }
    labels.push(label);
  }
  return { texts, labels };
}
