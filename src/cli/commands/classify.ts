import { classifyText, type ClassifiedText } from '../../index.js';
import { runTextTask, scoreTable, title, type TaskFlags } from '../task-runner.js';

/** The flags of `bertha classify`. */
export interface ClassifyFlags extends TaskFlags {
  readonly topK?: number;
  readonly pair?: string;
}

/** Writes the labels of every text, the best first. */
export async function classify(texts: readonly string[], flags: ClassifyFlags): Promise<void> {
  const { topK = null, pair: textPair } = flags;
  await runTextTask<ClassifiedText>(texts, flags, {
    heads: true,
    run: (model, block) => classifyText(model, textPair === undefined ? block : block.map((text) => ({ text, textPair })), { topK }),
    toObject: (result) => ({ ...result }),
    render: (text, { labels, truncated }) => title(text, truncated) + scoreTable(labels.map(({ label, score }) => [score, label])),
  });
}
