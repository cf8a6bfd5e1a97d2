import { Option, type Command } from 'commander';
import { addArgumentFlags, argumentsOf } from './commands/training/argument-flags.js';
import type { PretrainFlags } from './commands/training/pretrain.js';
import type { VocabFlags } from './commands/vocab.js';
import { number, path, positive } from './flags.js';

/** Adds the commands that begin with raw text: `vocab` and `pretrain`. */
export function addPretrainingCommands(program: Command, setExitCode: (code: number) => void): void {
  program
    .command('vocab')
    .argument('<files...>', 'UTF-8 text to learn from')
    .description('Learn a WordPiece vocabulary from raw text, and write the tokenizer of a new model.')
    .requiredOption('-o, --output <directory>', 'where tokenizer.json, vocab.txt and tokenizer_config.json go', path)
    .option('--vocab-size <n>', 'tokens that it may have (default: 30000)', positive)
    .option('--min-frequency <n>', 'neighbours that occur less often are not joined (default: 2)', positive)
    .option('--limit-alphabet <n>', 'different characters that may be learned (default: 1000; for Chinese some 6000)', positive)
    .option('--no-lowercase', 'keep capital letters, and accents unless --strip-accents')
    .option('--strip-accents', 'drop accents (default: as letters are made small)')
    .option('--no-handle-chinese-chars', 'do not make each ideograph a word of its own')
    .action(async (files: string[], flags: VocabFlags) => (await import('./commands/vocab.js')).vocab(files.map(path), flags));

  const pretraining = program
    .command('pretrain')
    .argument('<files...>', 'UTF-8 text: a sentence a line, blank lines between documents')
    .description('Teach a new BERT, or one that goes on, from raw text: masked words, next sentences, replaced tokens.')
    .requiredOption('-o, --output <directory>', 'where the model and its checkpoints go', path)
    .option('--eval <path>', 'held-out text', path)
    .option('-m, --model <model>', 'go on with this model: a directory, or an id on the Hub')
    .addOption(new Option('--config <size>', 'size of a new model (default: tiny)').choices(['tiny', 'mini', 'small', 'medium', 'base']))
    .option('--tokenizer <directory>', "a new model's tokenizer (default: learned from the text)", path)
    .option('--vocab-size <n>', 'tokens of a vocabulary that is learned (default: 30000)', positive)
    .addOption(
      new Option('--objective <name>', 'what is learned (default: mlm+nsp)').choices(['mlm', 'mlm+nsp', 'mlm+sop', 'replaced-tokens']),
    )
    .option('--generator-size <share>', "of replaced-tokens: the generator's share of heads and width (default: 0.25)", number)
    .option('--discriminator-weight <number>', "of replaced-tokens: a factor for the discriminator's loss (default: 50)", number)
    .addOption(new Option('--corpus-format <name>', 'a sentence a line, or a document a line').choices(['sentences', 'documents']))
    .option('--max-length <n>', 'longest sequence in tokens (default: 128)', positive)
    .option('--short-seq-prob <share>', 'share of sequences that aim at a shorter length (default: 0.1)', number)
    .addOption(new Option('--masking-rule <name>', 'which words are masked (default: transformers)').choices(['transformers', 'google']))
    .option('--mlm-probability <share>', 'share of tokens to be predicted (default: 0.15)', number)
    .option('--whole-word-mask', 'predict all tokens of a word or none')
    .option('--static-masks', 'mask the same words in every epoch')
    .option('--corpus-dir <directory>', 'where examples are kept for other runs (default: in --output, until the end)', path)
    .option('--resume', 'go on from the newest checkpoint of --output')
    .option('--json', 'print the metrics as JSON');
  addArgumentFlags(pretraining).action(async (files: string[], flags: PretrainFlags & Record<string, unknown>, command: Command) => {
    const own = Object.fromEntries(ownFlags.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]));
    const { pretrainModel } = await import('./commands/training/pretrain.js');
    setExitCode(await pretrainModel(files.map(path), own as unknown as PretrainFlags, argumentsOf(flags, command)));
  });
}

/** The flags of `pretrain` that are no training arguments. */
const ownFlags = [
  ...['output', 'eval', 'model', 'config', 'tokenizer', 'vocabSize', 'objective', 'corpusFormat', 'maxLength', 'shortSeqProb'],
  ...[
    'maskingRule',
    'mlmProbability',
    'wholeWordMask',
    'staticMasks',
    'corpusDir',
    'generatorSize',
    'discriminatorWeight',
    'resume',
    'json',
  ],
];
