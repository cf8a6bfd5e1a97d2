import { prune, type ColumnNames, type PruneReport } from '../../../training/index.js';
import { openOutput } from '../../output.js';
import { collatorOptionsOf, type DataFlags } from '../training/data-flags.js';
import { distillTaskOf, type DistillTaskName } from '../training/tasks.js';
import { comparison } from './comparison.js';

/** The flags of `bertha prune`, as commander hands them over. */
export interface PruneFlags extends DataFlags {
  readonly model: string;
  readonly eval: string;
  readonly output?: string;
  readonly dropLayers?: number;
  readonly dropHeads?: number;
  readonly metric?: string;
  readonly column?: ColumnNames;
  readonly threads?: number;
  readonly json?: boolean;
}

/** Leaves out layers and heads, and prints which, and what that costs. */
export async function pruneModel(name: DistillTaskName, flags: PruneFlags): Promise<void> {
  const { model: source, eval: evalDataset, output: outputDir, column: columns, dropLayers, dropHeads, metric, threads } = flags;
  const given = Object.entries({ outputDir, columns, dropLayers, dropHeads, metric, threads }).filter(([, value]) => value !== undefined);
  const output = await openOutput(undefined, { patchable: false });
  const { model, report } = await prune({
    ...Object.fromEntries(given),
    collator: name === 'embed' ? { maxLength: flags.maxLength as number | undefined } : collatorOptionsOf(name, flags),
    model: source,
    task: distillTaskOf(name),
    evalDataset,
  });
  model.dispose();
  await output.write(flags.json === true ? `${JSON.stringify(report)}\n` : reportText(report));
  await output.finish();
}

function reportText({ before, after, layers, heads }: PruneReport): string {
  const dropped = [
    ...layers.map(({ layer, score }) => `left out layer ${layer}: ${score.toFixed(4)} without it`),
    ...(heads.length === 0 ? [] : [`silenced heads (layer.head): ${heads.map(({ layer, head }) => `${layer}.${head}`).join(' ')}`]),
  ];
  return `${dropped.join('\n')}\n\n${comparison(before, after, ['before', 'after', 'kept'])}`;
}
