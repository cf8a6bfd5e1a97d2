import { type Command, InvalidArgumentError, Option } from 'commander';
import { PRECISIONS } from '../runtime/precision.js';

/** The flags about loading a model, as commander hands them over. */
export interface ModelFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly precision?: string;
  readonly device?: string;
  readonly weightCache?: string;
}

/** Adds where the texts come from and which model reads them. */
export function withTexts(command: Command, texts: string): Command {
  return command
    .argument('[texts...]', `${texts}; a single - reads lines from standard input`)
    .option('--file <path>', 'read one text per line from there')
    .option('--model <model>', 'model directory, or id on the Hub (default: the bundled all-MiniLM-L6-v2)');
}

/** Adds how the model computes. */
export function withCompute(command: Command): Command {
  return withThreads(command)
    .addOption(precisionOption('number format of the arithmetic (default: fp32)'))
    .option('--device <name>', 'where to compute: cpu, cuda, cuda:N or auto (default: cpu)')
    .option('--weight-cache <directory>', 'keep packed weights in a file there, for faster loads (default: BERTHA_WEIGHT_CACHE, else not)');
}

/** Adds `--threads`. */
export function withThreads(command: Command): Command {
  return command.option('--threads <n>', 'CPU threads (default: what the machine grants)', positive);
}

/** The option `--precision`. */
export function precisionOption(description: string): Option {
  return new Option('--precision <name>', description).choices([...PRECISIONS, 'auto']);
}

/** Adds the format, of which the first is the default, and where results go. */
export function withOutput(command: Command, formats: readonly [string, ...string[]]): Command {
  return command
    .addOption(new Option('--format <name>', 'how to write results').choices(formats).default(formats[0]))
    .option('--output <path>', 'write there instead of to standard output');
}

/** Reads a whole number from 0. */
export function wholeNumber(value: string): number {
  if (!/^[0-9]{1,9}$/.test(value)) throw new InvalidArgumentError('Expected a whole number from 0.');
  return Number(value);
}

/** Reads a whole number from 1. */
export function positive(value: string): number {
  if (!/^[0-9]{1,9}$/.test(value) || Number(value) < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(value);
}
