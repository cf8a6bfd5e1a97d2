import { InvalidArgumentError, Option, type Command } from 'commander';
import { unexpected } from '../../../expected.js';
import type { CollatorOptions, Seq2SeqOptions } from '../../../training/index.js';
import { kebabCase } from './argument-flags.js';
import type { PairTaskName, TrainingTaskName } from './tasks.js';

interface DataFlag {
  readonly value?: 'tokens' | 'share' | 'text';
  readonly about: string;
  /** The tasks whose rows it is about; none: all. */
  readonly tasks?: readonly (TrainingTaskName | PairTaskName)[];
}

/** How rows become tokens: options of the collators. */
const dataFlags = {
  maxLength: { value: 'tokens', about: "longest input (default: the model's limit; qa: 384 at most)" },
  labelAllTokens: { about: 'label every piece of a word, not only the first', tasks: ['ner'] },
  docStride: { value: 'tokens', about: 'that neighbouring windows of a long text share (default: 128)', tasks: ['qa'] },
  maxAnswerLen: { value: 'tokens', about: 'longest answer (default: 30)', tasks: ['qa'] },
  handleImpossibleAnswer: { about: 'let "no answer" be predicted, as in SQuAD 2.0', tasks: ['qa'] },
  mlmProbability: { value: 'share', about: 'of tokens that are to be predicted (default: 0.15)', tasks: ['mlm'] },
  maskReplaceProb: { value: 'share', about: 'of those that become [MASK] (default: 0.8)', tasks: ['mlm'] },
  randomReplaceProb: { value: 'share', about: 'of those that become another word (default: 0.1)', tasks: ['mlm'] },
  replaceProbability: { value: 'share', about: 'of tokens that are replaced (default: 0.15)', tasks: ['replaced-token'] },
  maxTargetLength: {
    value: 'tokens',
    about: "longest text to write (default: the decoder's positions)",
    tasks: ['translate', 'summarize'],
  },
  sourcePrefix: { value: 'text', about: "what every source begins with, such as '>>de<< '", tasks: ['translate', 'summarize'] },
} as const satisfies Partial<Record<keyof CollatorOptions | keyof Seq2SeqOptions, DataFlag>>;

type DataFlagName = keyof typeof dataFlags;

/** The values of these flags, as commander hands them over. */
export type DataFlags = { readonly [Name in DataFlagName]?: number | boolean | string };

/** Adds a flag for each option of how rows are read. */
export function addDataFlags(command: Command): Command {
  command.optionsGroup('Rows:');
  for (const [name, { about, value, tasks }] of entries()) {
    const own = tasks === undefined ? about : `${tasks.join(', ')}: ${about}`;
    const flag = new Option(`--${kebabCase(name)}${value === undefined ? '' : ` <${value}>`}`, own);
    command.addOption(value === undefined || value === 'text' ? flag : flag.argParser(value === 'tokens' ? readTokens : readShare));
  }
  return command;
}

/** The options of the collator among a command's flags. Errors: INVALID_OPTION for one that is about another task. */
export function collatorOptionsOf(task: string, flags: DataFlags): Readonly<Record<string, unknown>> {
  const given = entries().filter(([name]) => flags[name] !== undefined);
  for (const [name, { tasks }] of given) {
    if (tasks === undefined || (tasks as readonly string[]).includes(task)) continue;
    throw unexpected('INVALID_OPTION', `flags of ${task}`, `--${kebabCase(name)}, which is for ${tasks.join(', ')}`);
  }
  return Object.fromEntries(given.map(([name]) => [name, flags[name]]));
}

function entries(): readonly (readonly [DataFlagName, DataFlag])[] {
  return Object.entries(dataFlags) as readonly (readonly [DataFlagName, DataFlag])[];
}

function readTokens(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number of tokens.');
}

function readShare(text: string): number {
  const share = text.trim() === '' ? Number.NaN : Number(text);
  if (share >= 0 && share <= 1) return share;
  throw new InvalidArgumentError('Expected a share from 0 to 1.');
}
