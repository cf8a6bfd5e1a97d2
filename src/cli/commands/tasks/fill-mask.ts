import { wrongOption } from '../../../expected.js';
import { fillMask, fillMasks, type FilledMasks, type FilledText, type FillMaskOptions, type FillMasksOptions } from '../../../index.js';
import { runTextTask, scoreTable, textsOf, title, type TaskFlags } from '../../task-runner.js';

/** Writes words for the masks of every text, each by itself. */
export async function fillMasksApart(texts: readonly string[], flags: TaskFlags, options: FillMaskOptions): Promise<void> {
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

/** Writes every text with its masks filled so that the words fit together. */
export async function fillMasksTogether(
  texts: readonly string[],
  flags: TaskFlags,
  { targets, ...options }: FillMasksOptions & Pick<FillMaskOptions, 'targets'>,
): Promise<void> {
  if (targets !== undefined) throw wrongOption('no --targets beside --method', targets);
  await runTextTask<FilledMasks>(texts, flags, {
    head: 'fill-mask',
    run: (model, items) => fillMasks(model, textsOf(items), options),
    toObject: ({ text, ...rest }) => ({ filled: text, ...rest }),
    render: ({ text: asked }, { text, truncated, seed }) =>
      `${title(asked, truncated)}${text}\n${seed === undefined ? '' : `seed ${seed}\n`}`,
  });
}
