import { InvalidArgumentError, Option, type Command } from 'commander';
import { unexpected } from '../../../expected.js';
import { pairSamplings, type PairSampling } from '../../../training/setfit/pairs.js';
import { kebabCase } from './argument-flags.js';

/** The flags of SetFit, as commander hands them over. */
export interface SetFitFlags {
  readonly samplingStrategy?: PairSampling;
  readonly numIterations?: number;
  readonly maxPairs?: number;
}

const own = ['samplingStrategy', 'numIterations', 'maxPairs'] as const satisfies readonly (keyof SetFitFlags)[];

/** Adds the flags of SetFit. */
export function addSetFitFlags(command: Command): Command {
  return command
    .optionsGroup('SetFit:')
    .addOption(new Option('--sampling-strategy <name>', 'how often pairs are taken (default: oversampling)').choices(pairSamplings))
    .option('--num-iterations <n>', 'pairs of each kind for each text, instead', readCount)
    .option('--max-pairs <n>', 'different pairs of a kind at most (default: 10000)', readCount);
}

/** The options of SetFit among a command's flags. Errors: INVALID_OPTION where the task is another. */
export function setFitOptionsOf(task: string, flags: SetFitFlags): SetFitFlags {
  const given = own.filter((name) => flags[name] !== undefined);
  if (given[0] !== undefined && task !== 'setfit') {
    throw unexpected('INVALID_OPTION', `flags of ${task}`, `--${kebabCase(given[0])}, which is for setfit`);
  }
  return Object.fromEntries(given.map((name) => [name, flags[name]]));
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of 1 or more.');
}
