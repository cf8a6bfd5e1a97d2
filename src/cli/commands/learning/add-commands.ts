import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ClassifyTrainFlags } from './classify-train.js';
import { path, wholeNumber, withCompute } from '../../flags.js';

/** Adds the command that trains a classifier of features: `classify-train`. */
export function addLearningCommands(program: Command): void {
  const training = program
    .command('classify-train')
    .argument('<file>', 'texts with their classes: .csv, .tsv, .jsonl or .json', path)
    .description("Train a classifier of texts on BERT's vectors and TF-IDF side by side, in seconds.")
    .requiredOption('-o, --output <directory>', 'where the classifier goes', path)
    .option('-m, --model <model>', 'model directory, or id on the Hub (default: the bundled all-MiniLM-L6-v2)')
    .option('--text <column>', 'the column of the texts (default: found)')
    .option('--label <column>', 'the column of the classes (default: found)')
    .addOption(new Option('--features <name>', 'what is looked at').choices(['both', 'bert', 'tfidf']).default('both'))
    .option('--test-size <n>', 'texts held back for the report: a share, how many, or 0 (default: 0.2)', amount)
    .option('--test-file <path>', 'a file of its own for the report', path)
    .option('--c <n>', 'how little large coefficients are punished, or search', regularization, 1)
    .option('--seed <n>', 'seed of the splits (default: 42)', wholeNumber)
    .option('--segment', 'find words of languages that write no blanks, such as Chinese')
    .option('--json', 'print JSON');
  withCompute(training).action(async (file: string, flags: ClassifyTrainFlags) =>
    (await import('./classify-train.js')).classifyTrain(file, flags),
  );
}

function amount(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !(number >= 0)) throw new InvalidArgumentError('Expected a share below 1, or a whole number.');
  return number;
}

function regularization(value: string): number | 'search' {
  if (value === 'search') return value;
  const number = Number(value);
  if (value.trim() === '' || !(number > 0)) throw new InvalidArgumentError('Expected a number above 0, or search.');
  return number;
}
