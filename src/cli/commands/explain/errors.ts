import { unexpected } from '../../../expected.js';
import { explainErrors, type ClassifiedExample, type ErrorAnalysis } from '../../../explain/index.js';
import { readLabelledTexts } from '../../../learn/text-classifier/read-labelled-texts.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { colors } from '../../terminal/colors.js';
import { shorten, terminalWidth, visible } from '../../terminal/width.js';
import { signed } from './attribution-text.js';
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
    await writeResult(found, flags, () => textOf(found));
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

function textOf({ labels, accuracy, confusion, worst, words, lengths }: ErrorAnalysis): string {
  const width = Math.max(...labels.map((label) => label.length), ...confusion.flat().map((count) => String(count).length)) + 2;
  const row = (cells: readonly (string | number)[]): string => `${cells.map((cell) => visible(String(cell)).padStart(width)).join('')}\n`;
  const parts = [
    `${colors.bold(`${(100 * accuracy).toFixed(1)} % right`)}\n\n`,
    colors.dim('rows: the right label; columns: the predicted one\n'),
    row(['', ...labels]),
    ...labels.map((label, i) => row([label, ...confusion[i]!])),
    '\n',
    ...lengths.map(
      (each) =>
        `${each.from} to ${each.to} tokens: ${(100 * each.accuracy).toFixed(1)} % of ${each.texts} ${each.texts === 1 ? 'text' : 'texts'}\n`,
    ),
    ...worst
      .filter(({ texts }) => texts.length > 0)
      .flatMap(({ label, texts }) => [`\n${colors.bold(`${visible(label)}, taken for`)}\n`, ...texts.map(line)]),
  ];
  if (words.length > 0) {
    parts.push(`\n${colors.bold('Words that led to the wrong label')}\n`);
    parts.push(
      ...words
        .slice(0, 10)
        .map(({ word, value, texts }) => `  ${visible(word)}  ${signed(value)} in ${texts} ${texts === 1 ? 'text' : 'texts'}\n`),
    );
  }
  return parts.join('');
}

function line({ text, predicted, probability }: ClassifiedExample): string {
  const head = `  ${visible(predicted)}  ${colors.dim(`${(100 * probability).toFixed(1)} % for the right one`)}  `;
  return `${head}${shorten(text, Math.max(20, terminalWidth() - predicted.length - 32))}\n`;
}
