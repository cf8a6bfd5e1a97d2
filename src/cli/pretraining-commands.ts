import type { Command } from 'commander';
import type { VocabFlags } from './commands/vocab.js';
import { path, positive } from './flags.js';

/** Adds the commands that begin with raw text: `vocab`. */
export function addPretrainingCommands(program: Command): void {
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
}
