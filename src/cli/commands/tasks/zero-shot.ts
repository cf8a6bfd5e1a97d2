import { classifyZeroShot, type ZeroShotOptions, type ZeroShotResult } from '../../../index.js';
import { runTextTask, scoreTable, textsOf, title, type TaskFlags } from '../../task-runner.js';

/** The flags of `bertha zero-shot`. */
export interface ZeroShotFlags extends TaskFlags {
  readonly labels: readonly string[];
}

/** Writes how well labels the model was never trained on fit every text. */
export async function zeroShot(texts: readonly string[], flags: ZeroShotFlags, options: ZeroShotOptions): Promise<void> {
  await runTextTask<ZeroShotResult>(texts, flags, {
    head: 'zero-shot-classification',
    run: (model, items) => classifyZeroShot(model, textsOf(items), flags.labels, options),
    toObject: ({ labels: names, scores, truncated }) => ({ labels: names, scores, truncated }),
    render: ({ text }, { labels: names, scores, truncated }) =>
      title(text, truncated) + scoreTable(names.map((name, i) => [scores[i]!, name])),
  });
}
