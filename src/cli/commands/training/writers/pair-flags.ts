import type { Command } from 'commander';
import { unexpected } from '../../../../expected.js';
import { path, positive } from '../../../flags.js';
import { kebabCase } from '../argument-flags.js';
import { isPairTask, isTextTask, pairTasks, textTasks } from '../tasks.js';

/** The flags of tasks that write texts, as commander hands them over. */
export interface PairFlags {
  readonly trainTarget?: string;
  readonly evalTarget?: string;
  readonly encoder?: string;
  readonly decoder?: string;
  readonly tie?: boolean;
  readonly tokenizer?: string;
  readonly vocabSize?: number;
}

const own = [
  'trainTarget',
  'evalTarget',
  'encoder',
  'decoder',
  'tie',
  'tokenizer',
  'vocabSize',
] as const satisfies readonly (keyof PairFlags)[];

/** Those that a decoder alone has too. */
const ofTexts: readonly string[] = ['decoder', 'tokenizer', 'vocabSize'] satisfies readonly (keyof PairFlags)[];

/** Adds the flags of tasks that write texts. */
export function addPairFlags(command: Command): Command {
  return command
    .optionsGroup('Translations, summaries, texts:')
    .option('--train-target <path>', 'a second file, line by line what is to be written of --train', path)
    .option('--eval-target <path>', 'the same of --eval', path)
    .option('--encoder <model>', 'begin with an encoder-decoder of this encoder and --decoder, its cross-attention new')
    .option('--decoder <model>', 'the model whose layers and head over words the decoder takes; generate: begin with a decoder alone of it')
    .option('--tie', 'one set of weights for --encoder and --decoder')
    .option('--tokenizer <directory>', "of --config: the new model's tokenizer (default: learned from the pairs)", path)
    .option('--vocab-size <n>', 'of --config: tokens of a vocabulary that is learned (default: 8000)', positive);
}

/** The flags of tasks that write texts among a command's. Errors: INVALID_OPTION where the task is another. */
export function pairFlagsOf(task: string, flags: PairFlags): PairFlags {
  const given = own.filter((name) => flags[name] !== undefined);
  const stray = isPairTask(task) ? undefined : given.find((name) => !isTextTask(task) || !ofTexts.includes(name));
  if (stray !== undefined) {
    const users = Object.keys(ofTexts.includes(stray) ? { ...pairTasks, ...textTasks } : pairTasks);
    throw unexpected('INVALID_OPTION', `flags of ${task}`, `--${kebabCase(stray)}, which is for ${users.join(', ')}`);
  }
  return Object.fromEntries(given.map((name) => [name, flags[name]]));
}
