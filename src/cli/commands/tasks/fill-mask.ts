import { fillMask, type FilledText } from '../../../index.js';
import { runTextTask, scoreTable, textsOf, title, type TaskFlags } from '../../task-runner.js';

/** The flags of `bertha fill-mask`. */
export interface FillMaskFlags extends TaskFlags {
  readonly topK?: number;
  readonly targets?: readonly string[];
}

/** Writes words for the masks of every text. */
export async function fillMasks(texts: readonly string[], flags: FillMaskFlags): Promise<void> {
  const { topK, targets } = flags;
  await runTextTask<FilledText>(texts, flags, {
    heads: true,
    run: (model, items) => fillMask(model, textsOf(items), { topK, targets }),
    toObject: (result) => ({ ...result }),
    render: ({ text }, { masks, truncated }) =>
      title(text, truncated) +
      masks
        .map(({ position, candidates }) => {
          const head = masks.length > 1 ? `token ${position}\n` : '';
          return (
            head +
            scoreTable(candidates.map(({ score, tokenStr, sequence }) => [score, masks.length > 1 ? tokenStr : `${tokenStr}  ${sequence}`]))
          );
        })
        .join(''),
  });
}
