import { InvalidArgumentError, Option, type Command } from 'commander';
import { unexpected } from '../../../expected.js';
import { sentenceLossNames, type SentenceLossName } from '../../../training/sentence/options.js';
import { kebabCase } from './argument-flags.js';

/** What sentence embeddings can be learned from, by the names of the command line. */
export const sentenceTasks = {
  pairs: { about: 'sentence embeddings: pairs that belong together, also with negatives; or single texts (SimCSE)' },
  similarity: { loss: 'CoSENT', about: 'sentence embeddings: pairs with a score of how alike they are' },
  triplets: { loss: 'Triplet', about: 'sentence embeddings: an anchor, a positive, a negative' },
} as const satisfies Readonly<Record<string, { readonly loss?: SentenceLossName; readonly about: string }>>;

/** One of their names. */
export type SentenceTaskName = keyof typeof sentenceTasks;

/** Whether a task of the command line is about sentence embeddings. */
export function isSentenceTask(name: string): name is SentenceTaskName {
  return Object.hasOwn(sentenceTasks, name);
}

const numberFlags = {
  scale: 'factor of similarities in ranking losses and CoSENT (default: 20)',
  margin: 'of Triplet (default: 5)',
  maxScore: 'what scores are divided by, such as 5',
  miniBatchSize: 'texts that are computed at once, for batches beyond memory (GradCache)',
} as const;
const listFlags = {
  matryoshkaDims: 'leading dimensions that are to do alone, with commas between: 384,192,96',
  matryoshkaWeights: 'a weight for each (default: 1)',
} as const;

type Flags = object;

/** Adds the flags of sentence embeddings. */
export function addSentenceFlags(command: Command): Command {
  command.optionsGroup('Sentence embeddings:');
  command.addOption(new Option('--loss <name>', 'default: by the task and the rows').choices(sentenceLossNames));
  for (const [name, about] of Object.entries(numberFlags)) command.option(`--${kebabCase(name)} <number>`, about, readNumber);
  for (const [name, about] of Object.entries(listFlags)) command.option(`--${kebabCase(name)} <numbers>`, about, readNumbers);
  return command.addOption(
    new Option('--batch-sampler <name>', 'whether a text may be twice in a batch').choices(['batch_sampler', 'no_duplicates']),
  );
}

/** The options of sentence embeddings among a command's flags. Errors: INVALID_OPTION for one where the task is another. */
export function sentenceOptionsOf(task: string, flags: Flags): Readonly<Record<string, unknown>> {
  const names = ['loss', ...Object.keys(numberFlags), ...Object.keys(listFlags), 'batchSampler'];
  const given = names.filter((name) => valueOf(flags, name) !== undefined);
  if (!isSentenceTask(task)) {
    if (given[0] === undefined) return {};
    throw unexpected(
      'INVALID_OPTION',
      `flags of ${task}`,
      `--${kebabCase(given[0])}, which is for ${Object.keys(sentenceTasks).join(', ')}`,
    );
  }
  const own = sentenceTasks[task];
  return { ...('loss' in own ? { loss: own.loss } : {}), ...Object.fromEntries(given.map((name) => [name, valueOf(flags, name)])) };
}

function readNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}

function readNumbers(text: string): number[] {
  return text.split(',').map(readNumber);
}

function valueOf(flags: Flags, name: string): unknown {
  return (flags as Readonly<Record<string, unknown>>)[name];
}
