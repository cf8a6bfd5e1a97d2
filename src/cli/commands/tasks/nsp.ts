import { predictNextSentence, type NextSentence } from '../../../index.js';
import { pairsOf, runTextTask, scoreTable, title, type TaskFlags } from '../../task-runner.js';

/** Writes how likely the second sentence of each pair follows the first: two arguments, or lines with a tab between the sentences. */
export async function nsp(texts: readonly string[], flags: TaskFlags): Promise<void> {
  const pairs = texts.length === 2 ? [texts.join('\t')] : texts;
  await runTextTask<NextSentence>(pairs, flags, {
    head: 'next-sentence-prediction',
    pairs: true,
    run: (model, items) => predictNextSentence(model, pairsOf(items)),
    toObject: (result) => ({ ...result }),
    render: ({ text, pair }, { isNext, notNext, truncated }) =>
      title(`${text}  ${pair}`, truncated) +
      scoreTable([
        [isNext, 'is the next sentence'],
        [notNext, 'is not'],
      ]),
  });
}
