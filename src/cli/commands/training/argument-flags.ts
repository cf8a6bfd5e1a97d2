import { InvalidArgumentError, Option, type Command } from 'commander';
import { trainingArgumentNames, trainingArguments, type TrainingArgumentsOptions } from '../../../training/arguments/training-arguments.js';
import { argumentHelp, type ArgumentGroup } from './argument-help.js';

type ArgumentName = keyof typeof argumentHelp;

/** Arguments that are objects: their flags take JSON; a flag without a value, where it may have none, means all defaults. */
const objects: Partial<Record<ArgumentName, 'value' | 'value or none'>> = { lora: 'value or none', lrSchedulerKwargs: 'value' };
/** Arguments whose default is another's value, or none, by what their flags read. */
const switches: readonly ArgumentName[] = ['greaterIsBetter'];

/** Adds a flag for each training argument: its name in kebab-case, its type that of its default. */
export function addArgumentFlags(command: Command): Command {
  const defaults = trainingArguments() as unknown as Readonly<Record<string, unknown>>;
  const groups = [...new Set(Object.values(argumentHelp).map(([group]) => group))];
  for (const group of groups) {
    command.optionsGroup(group);
    for (const name of namesOf(group)) command.addOption(flagOf(name, defaults[name]));
  }
  // --output, as other commands have it, is outputDir.
  return command.addOption(new Option('--output-dir <directory>', 'outputDir').hideHelp());
}

/** The training arguments among a command's flags. */
export function argumentsOf(flags: Readonly<Record<string, unknown>>, command: Command): TrainingArgumentsOptions {
  const given = trainingArgumentNames.filter((name) => name !== 'outputDir' && command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given.map((name) => [name, flags[name] === true && name === 'lora' ? {} : flags[name]]));
}

/** The arguments of a heading, in the order of docs/training.md's table. */
function namesOf(group: ArgumentGroup): readonly ArgumentName[] {
  return (Object.keys(argumentHelp) as ArgumentName[]).filter((name) => argumentHelp[name][0] === group);
}

function flagOf(name: ArgumentName, value: unknown): Option {
  const kebab = kebabCase(name);
  const [, about] = argumentHelp[name];
  const object = objects[name];
  if (object !== undefined) {
    return new Option(`--${kebab} ${object === 'value' ? '<json>' : '[json]'}`, about).argParser(readObject);
  }
  if (switches.includes(name)) return new Option(`--${kebab} <boolean>`, about).choices(['true', 'false']).argParser(readSwitch);
  if (typeof value === 'boolean') return new Option(value ? `--no-${kebab}` : `--${kebab}`, about);
  const isList = Array.isArray(value);
  const shown = value === undefined || isList || about.includes('(default') ? '' : ` (default: ${String(value)})`;
  return new Option(`--${kebab} <${isList ? 'names' : 'value'}>`, `${about}${shown}`).argParser(readValue(isList));
}

/** The name of an option's flag. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Text becomes a number or a list as the default is one; the arguments' own checks judge it. */
function readValue(isList: boolean): (text: string) => unknown {
  if (isList) return (text) => text.split(',').map((name) => name.trim());
  return (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text);
}

function readSwitch(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('Expected true or false.');
}

function readObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('Expected an object as JSON, such as \'{"r": 16}\'.');
  }
}
