import { Option, type Command } from 'commander';
import { trainingArgumentNames, trainingArguments, type TrainingArgumentsOptions } from '../../../training/arguments/training-arguments.js';

/** Arguments that have a flag of another name, or none. */
const others: readonly string[] = ['outputDir', 'lora', 'lrSchedulerKwargs'];

/** Adds a flag for each training argument: its name in kebab-case, its type that of its default. */
export function addArgumentFlags(command: Command): Command {
  const defaults = trainingArguments() as unknown as Readonly<Record<string, unknown>>;
  for (const name of trainingArgumentNames) {
    if (others.includes(name)) continue;
    const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const value = defaults[name];
    if (typeof value === 'boolean') {
      command.addOption(new Option(value ? `--no-${kebab}` : `--${kebab}`, `${name}: ${value ? 'off' : 'on'}`));
      continue;
    }
    const shown = value === undefined || (Array.isArray(value) && value.length === 0) ? '' : ` (default: ${String(value)})`;
    command.addOption(
      new Option(`--${kebab} <${Array.isArray(value) ? 'names' : 'value'}>`, `${name}${shown}`).argParser(readValue(value)),
    );
  }
  return command;
}

/** The training arguments among a command's flags. */
export function argumentsOf(flags: Readonly<Record<string, unknown>>, command: Command): TrainingArgumentsOptions {
  const given = trainingArgumentNames.filter((name) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given.map((name) => [name, flags[name]]));
}

/** Text becomes a number or a list as the default is one; the arguments' own checks judge it. */
function readValue(value: unknown): (text: string) => unknown {
  if (Array.isArray(value)) return (text) => text.split(',').map((name) => name.trim());
  return (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text);
}
