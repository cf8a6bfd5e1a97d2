import { BerthaError } from '../../errors.js';
import { predictNextSentence, type NextSentence } from '../../index.js';
import { runTextTask, scoreTable, title, type TaskFlags } from '../task-runner.js';

/** Writes how likely the second sentence of each pair follows the first: two arguments, or lines with a tab between the sentences. */
export async function nsp(texts: readonly string[], flags: TaskFlags): Promise<void> {
  const pairs = texts.length === 2 && flags.file === undefined ? [texts.join('\t')] : texts;
  await runTextTask<NextSentence>(pairs, flags, {
    heads: true,
    run: (model, block) => predictNextSentence(model, block.map(splitPair)),
    toObject: (result) => ({ ...result }),
    render: (text, { isNext, notNext, truncated }) =>
      title(text, truncated) +
      scoreTable([
        [isNext, 'is the next sentence'],
        [notNext, 'is not'],
      ]),
  });
}

function splitPair(line: string): { text: string; textPair: string } {
  const [text, textPair, ...rest] = line.split('\t');
  if (textPair !== undefined && rest.length === 0) return { text: text!, textPair };
  throw new BerthaError(
    'USAGE',
    `Expected two sentences, or lines of two with one tab between them, but received ${JSON.stringify(line.slice(0, 60))}.`,
  );
}
