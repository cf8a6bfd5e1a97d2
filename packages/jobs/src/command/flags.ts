import { parseArgs, type ParseArgsConfig } from 'node:util';
import { BerthaError } from 'bertha-encoder';
import { errorMessage } from '../shared/failures.js';

/** A flag of a command: what stands after it, and what it does. */
export interface Flag {
  /** None for a switch. */
  readonly value?: string;
  readonly short?: string;
  readonly help: string;
}

/** The flags of a command by their names. */
export type Flags = Readonly<Record<string, Flag>>;

/** What was typed: flags with their values, and the rest. */
export interface Typed {
  readonly texts: Readonly<Record<string, string | undefined>>;
  readonly switches: ReadonlySet<string>;
  readonly rest: readonly string[];
}

/** Reads a command line. Errors: USAGE. */
function readFlags(command: string, flags: Flags, args: readonly string[]): Typed {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { value, short }] of Object.entries(flags))
    options[name] = { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) };
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    const [sentence] = errorMessage(cause).split('. ');
    throw new BerthaError('USAGE', `${sentence}. bertha ${command} --help lists the flags.`, { cause });
  }
  const typed = Object.entries(parsed.values);
  return {
    texts: Object.fromEntries(typed.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
    switches: new Set(typed.filter(([, value]) => value === true).map(([name]) => name)),
    rest: parsed.positionals,
  };
}

/** What --help says of a command. */
export interface Help {
  readonly usage: string;
  readonly what: string;
  readonly examples: readonly string[];
}

/** Reads a command line as `readFlags` does; undefined where --help was asked for and has been written. Errors: USAGE. */
export function readOrHelp(command: string, flags: Flags, help: Help, args: readonly string[]): Typed | undefined {
  const typed = readFlags(command, flags, args);
  if (!typed.switches.has('help')) return typed;
  process.stdout.write(helpOf(help, flags));
  return undefined;
}

function helpOf({ usage, what, examples }: Help, flags: Flags): string {
  const named = Object.entries(flags).map(([name, { value, short, help }]) => ({
    left: `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  }));
  const width = Math.max(...named.map(({ left }) => left.length)) + 2;
  const lines = named.map(({ left, help }) => `  ${left.padEnd(width)}${help}`);
  return `Usage: bertha ${usage}\n\n${what}\n\nOptions:\n${lines.join('\n')}\n\nExamples:\n${examples.map((each) => `  $ ${each}`).join('\n')}\n`;
}

/** A flag's whole number from `least`; undefined where it was not given. Errors: USAGE. */
export function wholeNumber({ texts }: Typed, name: string, least = 1): number | undefined {
  const text = texts[name];
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) < least)
    throw new BerthaError('USAGE', `Expected a whole number from ${least} for --${name} but received ${JSON.stringify(text)}.`);
  return Number(text);
}

/** One of a few words; undefined where the flag was not given. Errors: USAGE. */
export function choice<const T extends string>({ texts }: Typed, name: string, choices: readonly T[]): T | undefined {
  const text = texts[name];
  if (text === undefined || choices.includes(text as T)) return text as T | undefined;
  throw new BerthaError('USAGE', `Expected ${choices.join(', ')} for --${name} but received ${JSON.stringify(text)}.`);
}

/** Flags about the model. */
export const modelFlags = {
  model: { value: 'MODEL', short: 'm', help: 'model directory, or id on the Hub (default: the bundled all-MiniLM-L6-v2)' },
  adapter: { value: 'DIR', help: 'a LoRA adapter of peft for the model' },
  threads: { value: 'N', short: 't', help: 'CPU threads (default: what the machine grants)' },
  precision: { value: 'NAME', short: 'p', help: 'fp32, bf16, int8, …, auto (default: fp32)' },
  device: { value: 'NAME', short: 'd', help: 'cpu, cuda, cuda:N or auto (default: cpu)' },
} as const satisfies Flags;

/** Flags about the store. */
export const storeFlags = {
  store: {
    value: 'STORE',
    short: 's',
    help: 'notes.db: a file of SQLite; rows.jsonl, .npy or .parquet: an export, with a file of SQLite beside it; postgres://…: PostgreSQL with pgvector; chroma://HOST:PORT: Chroma; notes.lancedb: a folder of LanceDB',
  },
  table: { value: 'NAME', help: 'table of the store (default: passages)' },
} as const satisfies Flags;

/** The value of a flag that must be there. Errors: USAGE. */
export function required({ texts }: Typed, name: string, example: string): string {
  const text = texts[name];
  if (text === undefined || text === '') throw new BerthaError('USAGE', `Expected --${name} but received none. For example: ${example}`);
  return text;
}
