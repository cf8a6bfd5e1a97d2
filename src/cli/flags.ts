import { type Command, InvalidArgumentError, Option } from 'commander';
import { readFilePath } from '../file-path.js';
import { PRECISIONS } from '../runtime/options/precision.js';
import { inputFormats } from './readers/formats.js';

/** The flags about loading a model, as commander hands them over. */
export interface ModelFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly precision?: string;
  readonly device?: string;
  readonly weightCache?: string;
  readonly adapter?: string;
}

/** Adds where the texts come from and which model reads them. */
export function withTexts(command: Command, texts: string, modelHint = ' (default: the bundled all-MiniLM-L6-v2)'): Command {
  return withFiles(command)
    .argument('[texts...]', `${texts}; without any, or with a single -, lines of standard input`)
    .option('-m, --model <model>', `model directory, or id on the Hub${modelHint}`);
}

/** Adds a command whose flags are those of a package of its own, which also tells its help. */
export function addPackageCommand(
  program: Command,
  { name, argument, description }: { readonly name: string; readonly argument: string; readonly description: string },
  run: (args: string[]) => Promise<void>,
): void {
  program
    .command(name)
    .argument(argument, `see bertha ${name} --help`)
    .description(description)
    .allowUnknownOption()
    .helpOption(false)
    .action(run);
}

/** Adds files to read. */
export function withFiles(command: Command): Command {
  return command
    .option('-f, --file <path>', 'read texts from there, one a line; may be given several times', collect)
    .addOption(new Option('--input-format <name>', 'how files are read (default: by their names, else text)').choices(inputFormats))
    .option('--field <name>', 'the field of JSON lines, CSV or TSV that holds the text (default: found); the others are passed on');
}

function collect(value: string, all: readonly string[] = []): string[] {
  return [...all, path(value)];
}

/** Reads a path: a shell leaves `~` alone in `--file=~/texts`. */
export function path(value: string): string {
  const read = readFilePath(value);
  if (read === undefined) throw new InvalidArgumentError('Expected a path or the URL of a file.');
  return read;
}

/** Reads a number. */
export function number(value: string): number {
  if (value.trim() === '' || !Number.isFinite(Number(value))) throw new InvalidArgumentError('Expected a number.');
  return Number(value);
}

/** Adds how the model computes. */
export function withCompute(command: Command): Command {
  return withThreads(command)
    .addOption(precisionOption('number format of the arithmetic (default: fp32)'))
    .option('--adapter <directory>', 'a LoRA adapter of peft for the model', path)
    .option('-d, --device <name>', 'where to compute: cpu, cuda, cuda:N or auto (default: cpu)')
    .option(
      '--weight-cache <directory>',
      'keep packed weights in a file there, for faster loads (default: BERTHA_WEIGHT_CACHE, else not)',
      path,
    );
}

/** Adds `--threads`. */
export function withThreads(command: Command): Command {
  return command.option('-t, --threads <n>', 'CPU threads (default: what the machine grants)', positive);
}

/** The option `--precision`. */
export function precisionOption(description: string): Option {
  return new Option('-p, --precision <name>', description).choices([...PRECISIONS, 'auto']);
}

/** Adds the format, of which the first is the default, and where results go. */
export function withOutput(command: Command, formats: readonly [string, ...string[]]): Command {
  return command
    .addOption(new Option('--format <name>', 'how to write results').choices(formats).default(formats[0]))
    .option('-o, --output <path>', 'write there instead of to standard output', path);
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
