import { fillMask, type FilledText, type FillMaskOptions } from '../../../index.js';
import { runTextTask, scoreTable, textsOf, title, type TaskFlags } from '../../task-runner.js';

/** Writes words for the masks of every text. */
export async function fillMasks(texts: readonly string[], flags: TaskFlags, options: FillMaskOptions): Promise<void> {
  await runTextTask<FilledText>(texts, flags, {
    head: 'fill-mask',
    run: (model, items) => fillMask(model, textsOf(items), options),
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
