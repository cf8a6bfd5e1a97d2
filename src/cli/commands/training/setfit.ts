import { unexpected } from '../../../expected.js';
import { trainSetFit, type TrainingArgumentsOptions } from '../../../training/index.js';
import { openOutput } from '../../output.js';
import { kebabCase } from './argument-flags.js';
import { collatorOptionsOf } from './data-flags.js';
import { interruptibly } from './interrupts.js';
import { metricsTable } from './metrics-table.js';
import { sentenceOptionsOf } from './sentence-flags.js';
import { setFitOptionsOf, type SetFitFlags } from './setfit-flags.js';
import type { TrainFlags } from './train.js';

/** Makes a classifier of a few texts, saves it, and prints its metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function trainFewTexts(flags: TrainFlags & SetFitFlags, args: TrainingArgumentsOptions): Promise<number> {
  const { model, train: trainDataset, eval: evalDataset, column: columns } = flags;
  for (const name of ['resume', 'classWeights'] as const) {
    if (flags[name] !== undefined) throw unexpected('INVALID_OPTION', 'flags of setfit', `--${kebabCase(name)}, which is for other tasks`);
  }
  const rows = Object.keys(collatorOptionsOf('setfit', flags))[0];
  if (rows !== undefined) throw unexpected('INVALID_OPTION', 'flags of setfit', `--${kebabCase(rows)}, which is for other tasks`);
  sentenceOptionsOf('setfit', flags);
  const options = setFitOptionsOf('setfit', flags);
  const output = await openOutput(undefined, { patchable: false });
  return interruptibly(async (interrupts) => {
    const { classifier, metrics, pairs } = await trainSetFit({
      ...args,
      ...options,
      trainDataset,
      outputDir: flags.output ?? flags.outputDir!,
      ...(model === undefined ? {} : { model }),
      ...(evalDataset === undefined ? {} : { evalDataset }),
      ...(columns === undefined ? {} : { columns }),
      callbacks: [interrupts.callback],
      signal: interrupts.signal,
    });
    classifier.dispose();
    const all = { pairs, ...metrics };
    await output.write(flags.json === true ? `${JSON.stringify(all)}\n` : metricsTable(all));
    await output.finish();
  });
}
