// Flags of commands that are options of a call: what they take is what the option's check takes, declared once in the call's schema.
import { Option, type Command } from 'commander';
import type { Check, Schema } from '../../options.js';
import { number, positive, wholeNumber } from '../flags.js';

/** What `--help` says of an option, and how its flag is spelled where that is not its name. */
export interface OptionFlag {
  readonly says: string;
  /** In camel case. Default: the option's own name. */
  readonly name?: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for its value in the help. */
  readonly value?: string;
  readonly fallback?: string | number;
  /** What `--no-…` says; only of options that are true or false. */
  readonly saysNot?: string;
}

/** The options of a call that a command offers. */
export interface OptionFlags<CallOptions> {
  /** Adds them to a command. */
  addTo(command: Command): Command;
  /** Those that were given among what commander hands over, or have a default. */
  read(flags: object): CallOptions;
}

/** Flags for some options of a schema, in the order in which the help lists them. */
export function optionFlags<CallOptions>(
  schema: { readonly [Option in keyof CallOptions]-?: Check<unknown> },
  flags: { readonly [Option in keyof CallOptions]?: string | OptionFlag },
): OptionFlags<CallOptions> {
  const checks: Schema = schema;
  const all = Object.entries(flags as Readonly<Record<string, string | OptionFlag>>).map(([option, given]) => {
    const flag = typeof given === 'string' ? { says: given } : given;
    return { option, check: checks[option]!, ...flag, name: flag.name ?? option };
  });
  return {
    addTo: (command) => {
      for (const flag of all) for (const option of optionsOf(flag)) command.addOption(option);
      return command;
    },
    read: (values) => {
      const given = values as Readonly<Record<string, unknown>>;
      const present = all.filter(({ name }) => given[name] !== undefined);
      return Object.fromEntries(present.map(({ option, name }) => [option, given[name]])) as CallOptions;
    },
  };
}

/** Names with commas between them. */
export function list(value: string): string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function optionsOf({ name, check, short, value, says, saysNot, fallback }: OptionFlag & { name: string; check: Check<unknown> }): Option[] {
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const { takes = { kind: 'text' } } = check;
  const begin = short === undefined ? '' : `-${short}, `;
  if (takes.kind === 'flag') {
    const no = saysNot === undefined ? [] : [new Option(`--no-${kebab}`, saysNot)];
    return [new Option(`${begin}--${kebab}`, says), ...no];
  }
  const usual = { text: 'text', texts: 'names', whole: 'n', number: 'x', choice: 'name' }[takes.kind];
  const option = new Option(`${begin}--${kebab} <${value ?? usual}>`, says);
  if (takes.kind === 'choice') option.choices(takes.choices);
  if (takes.kind === 'whole') option.argParser(takes.least === 0 ? wholeNumber : positive);
  if (takes.kind === 'number') option.argParser(number);
  if (takes.kind === 'texts') option.argParser(list);
  return [fallback === undefined ? option : option.default(fallback)];
}
