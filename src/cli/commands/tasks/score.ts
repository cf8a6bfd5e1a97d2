import { pseudoLogLikelihood, type PseudoLikelihood } from '../../../index.js';
import { runTextTask, scoreTable, textsOf, title, type TaskFlags } from '../../task-runner.js';

/** Writes the pseudo-log-likelihood of every text, and of its tokens. */
export async function scoreTexts(texts: readonly string[], flags: TaskFlags): Promise<void> {
  await runTextTask<PseudoLikelihood>(texts, flags, {
    head: 'fill-mask',
    run: (model, items) => pseudoLogLikelihood(model, textsOf(items)),
    toObject: (result) => ({ ...result }),
    render: ({ text }, { logLikelihood, scores, truncated }) =>
      `${title(text, truncated)}${logLikelihood.toFixed(4)}\n${scoreTable(scores.map(({ logProbability, token }) => [logProbability, token]))}`,
  });
}
