import { type Command, InvalidArgumentError, Option } from 'commander';
import type { BenchFlags } from './commands/bench.js';
import type { CalibrateFlags } from './commands/calibrate.js';
import type { CompareFlags } from './commands/compare.js';
import type { QuantizeFlags } from './commands/quantize.js';
import { path, positive, precisionOption, withFiles, withThreads } from './flags.js';

/** Adds the commands about speed, accuracy and size: `bench`, `compare`, `calibrate`, `quantize`. */
export function addPrecisionCommands(program: Command, setExitCode: (code: number) => void): void {
  program
    .command('bench')
    .argument('[model]', 'model directory, or id on the Hub (default: the bundled model)')
    .description('Measure a model on this machine in every precision, and say which to choose.')
    .addOption(precisionOption('only this one'))
    .option('--seconds <n>', 'time to spend, about', positive, 20)
    .option('--json', 'print JSON')
    .action(async (model: string | undefined, flags: BenchFlags) => (await import('./commands/bench.js')).runBench(model, flags));

  withFiles(withThreads(program.command('compare')))
    .argument('[model]', 'model directory, or id on the Hub (default: the bundled model)')
    .description('Show how far a model lies from expected values, another model, or itself in float32, layer by layer.')
    .option('--reference <path>', 'expected values: safetensors or jsonl, as bertha embed writes them', path)
    .option('--with <model>', 'another model, directory or id')
    .addOption(precisionOption('what the model computes in; alone, it is compared with float32'))
    .option('--tolerance <n>', 'largest relative L2 difference; beyond it the exit code is 1', tolerance)
    .option('--svg <path>', 'draw a chart', path)
    .option('--html <path>', 'write a page with the chart and every number', path)
    .option('--json', 'print JSON')
    .action(async (model: string | undefined, flags: CompareFlags) => {
      setExitCode(await (await import('./commands/compare.js')).runCompare(model, flags));
    });

  withFiles(withThreads(program.command('calibrate')))
    .argument('<model>', 'model directory, or id on the Hub')
    .description('Make a model more accurate in int8, by 200 texts or so like those it will see.')
    .option('--corpus <name>', "the texts' name, kept in the calibration (default: the file's)")
    .option('--output <path>', 'write there instead of into the model directory', path)
    .action(async (model: string, flags: CalibrateFlags) => (await import('./commands/calibrate.js')).runCalibrate(model, flags));

  program
    .command('quantize')
    .argument('<model>', 'model directory, or id on the Hub')
    .argument('<output>', 'a new folder for the smaller model')
    .description('Write a model with weights in fewer bytes: a half (fp16, bf16) or a quarter (int8, computed in int8 alone).')
    .addOption(new Option('--dtype <name>', 'number format of the weights').choices(['fp16', 'bf16', 'int8']).makeOptionMandatory())
    .action(async (model: string, target: string, flags: QuantizeFlags) =>
      (await import('./commands/quantize.js')).runQuantize(model, target, flags),
    );
}

function tolerance(value: string): number {
  if (!(Number(value) > 0)) throw new InvalidArgumentError('Expected a number above 0.');
  return Number(value);
}
