import { unexpected } from '../../../expected.js';
import { classifyText, type ClassifiedText, type ClassifyOptions } from '../../../index.js';
import { pairsOf, runTextTask, scoreTable, textsOf, title, type TaskFlags } from '../../task-runner.js';

/** The flags of `bertha classify`. */
export interface ClassifyFlags extends TaskFlags {
  readonly pair?: string;
  readonly pairs?: boolean;
  /** A folder of `bertha classify-train`. */
  readonly classifier?: string;
}

/** Writes the labels of every text, or pair of texts, the best first. */
export async function classify(texts: readonly string[], flags: ClassifyFlags, given: ClassifyOptions): Promise<void> {
  const options = { topK: null, ...given };
  const { pair: textPair, pairField } = flags;
  const pairs = flags.pairs === true || pairField !== undefined;
  if (pairs && textPair !== undefined) {
    throw unexpected('USAGE', `either --pair or ${flags.pairs === true ? '--pairs' : '--pair-field'}`, 'both');
  }
  if (flags.classifier !== undefined) {
    if (pairs || textPair !== undefined) throw unexpected('USAGE', 'single texts for --classifier', 'pairs');
    return (await import('../learning/classify-by-features.js')).classifyByFeatures(texts, flags, flags.classifier, given.topK);
  }
  await runTextTask<ClassifiedText>(texts, flags, {
    head: 'text-classification',
    pairs,
    run: (model, items) => {
      if (pairs) return classifyText(model, pairsOf(items), options);
      return classifyText(model, textPair === undefined ? textsOf(items) : items.map(({ text }) => ({ text, textPair })), options);
    },
    toObject: (result) => ({ ...result }),
    render: ({ text, pair }, { labels, truncated }) =>
      title(pair === undefined ? text : `${text}  ${pair}`, truncated) + scoreTable(labels.map(({ label, score }) => [score, label])),
  });
}
