import { Argument, InvalidArgumentError, type Command } from 'commander';
import { addArgumentFlags, argumentsOf } from '../training/argument-flags.js';
import { addDataFlags } from '../training/data-flags.js';
import type { DistillFlags } from './distill.js';
import { distillTaskNames, type DistillTaskName } from '../training/tasks.js';
import { number, path, positive, withThreads } from '../../flags.js';
import type { PruneFlags } from './prune.js';
import { column } from '../../training-commands.js';

/** Adds the commands that make models smaller: `distill` and `prune`. */
export function addLighteningCommands(program: Command, setExitCode: (code: number) => void): void {
  const distilling = program
    .command('distill')
    .addArgument(new Argument('<task>', 'what the teacher does').choices(distillTaskNames))
    .description('Teach a smaller model to predict as a larger one does, and compare both.')
    .requiredOption('--teacher <model>', 'model directory, or id on the Hub')
    .option('--layers <numbers>', "the student begins with these layers of the teacher's, from 0: 0,2,4", layerList)
    .option('--student <model>', 'or is this model, of the same vocabulary')
    .requiredOption('--train <path>', 'rows to learn from; without labels with --alpha 0', path)
    .option('--eval <path>', 'rows to score both models on; for embed pairs of texts with scores', path)
    .requiredOption('-o, --output <directory>', 'where the student and its checkpoints go', path)
    .option('--alpha <share>', "of the labels in the loss; the rest is the teacher's (default: 0.5)", number)
    .option('--temperature <t>', 'at which predictions are compared (default: 2)', number)
    .option('--hidden-weight <factor>', "for the squared errors of the layers' outputs (default: 0)", number)
    .option('--embedding-weight <factor>', "for that of the embeddings' output (default: 0)", number)
    .option('--column <role=name>', 'which column holds what, such as text=review; may be given several times', column)
    .option('--resume', 'go on from the newest checkpoint of --output')
    .option('--json', 'print metrics and report as JSON');
  addArgumentFlags(addDataFlags(distilling)).action(
    async (name: DistillTaskName, flags: DistillFlags & Record<string, unknown>, command: Command) => {
      if ((flags.layers === undefined) === (flags.student === undefined)) {
        command.error('error: one of --layers and --student is needed', { exitCode: 2, code: 'commander.missingMandatoryOptionValue' });
      }
      setExitCode(await (await import('./distill.js')).distillModel(name, flags, argumentsOf(flags, command)));
    },
  );
  addPrune(program);
}

function addPrune(program: Command): void {
  const pruning = withThreads(program.command('prune'))
    .addArgument(new Argument('<task>', 'what the model does').choices(distillTaskNames))
    .description('Leave out the layers and attention heads that a model needs least, and print what that costs.')
    .requiredOption('-m, --model <model>', 'model directory, or id on the Hub')
    .requiredOption('--eval <path>', 'labelled rows to judge by; for embed pairs of texts with scores', path)
    .option('--drop-layers <n>', 'layers to leave out, each time the one that is missed least', positive)
    .option('--drop-heads <n>', 'attention heads to silence, those on which the loss depends least', positive)
    .option('--metric <name>', 'the score that layers are judged by (default: accuracy; spearman of numbers, f1 of entities)')
    .option('-o, --output <directory>', 'where the smaller model goes', path)
    .option('--column <role=name>', 'which column holds what, such as text=review; may be given several times', column)
    .option('--json', 'print the report as JSON');
  addDataFlags(pruning).action(async (name: DistillTaskName, flags: PruneFlags) => (await import('./prune.js')).pruneModel(name, flags));
}

/** Numbers of layers with commas between. */
function layerList(value: string): number[] {
  if (/^\d+(,\d+)*$/.test(value.replace(/ /g, ''))) return value.split(',').map(Number);
  throw new InvalidArgumentError('Expected numbers with commas between them, such as 0,2,4.');
}
