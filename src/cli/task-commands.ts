import { Option, type Command } from 'commander';
import type { ChunkFlags } from './commands/chunk.js';
import type { ClassifyFlags } from './commands/tasks/classify.js';
import type { FillMaskFlags } from './commands/tasks/fill-mask.js';
import type { NerFlags } from './commands/tasks/ner.js';
import type { QaFlags } from './commands/tasks/qa.js';
import type { RerankFlags } from './commands/tasks/rerank.js';
import type { ZeroShotFlags } from './commands/tasks/zero-shot.js';
import { exampleModel } from './report.js';
import { positive, wholeNumber, withCompute, withOutput, withTexts } from './flags.js';
import type { TaskFlags } from './task-runner.js';

/** Adds a command for each task. Their modules are loaded when they run. */
export function addTaskCommands(program: Command): void {
  task(program, 'fill-mask', 'texts with [MASK]')
    .description('Find words for the masks in texts.')
    .option('-k, --top-k <n>', 'words for each mask (default: 5)', positive)
    .option('--targets <words>', 'score only these words, with commas between them', list)
    .action(async (texts: string[], flags: FillMaskFlags) => (await import('./commands/tasks/fill-mask.js')).fillMasks(texts, flags));

  task(program, 'classify', 'texts to classify')
    .description('Classify texts, or pairs of texts.')
    .option('--pair <text>', 'the second text of every pair')
    .option('--pairs', 'read pairs: lines of two texts with a tab between them, or records with two fields')
    .option('--pair-field <name>', 'the field that holds the second text (default: found); reads pairs')
    .option('-k, --top-k <n>', 'labels for each text (default: all)', positive)
    .action(async (texts: string[], flags: ClassifyFlags) => (await import('./commands/tasks/classify.js')).classify(texts, flags));

  task(program, 'zero-shot', 'texts to classify')
    .description('Classify texts by labels of your own; needs a model for inference.')
    .requiredOption('--labels <names>', 'labels, with commas between them', list)
    .option('--multi-label', 'judge every label by itself')
    .option('--template <text>', 'the hypothesis, with {} for the label (default: "This example is {}.")')
    .action(async (texts: string[], flags: ZeroShotFlags) => (await import('./commands/tasks/zero-shot.js')).zeroShot(texts, flags));

  task(program, 'ner', 'texts to search for entities')
    .description('Mark the entities in texts.')
    .addOption(
      new Option('--aggregation <strategy>', 'how tokens become entities')
        .choices(['none', 'simple', 'first', 'average', 'max'])
        .default('simple'),
    )
    .option('--stride <n>', 'read long texts in windows that share so many tokens (default: cut them)', wholeNumber)
    .option('--whole', 'read the whole input as one text')
    .action(async (texts: string[], flags: NerFlags) => (await import('./commands/tasks/ner.js')).ner(texts, flags));

  task(program, 'qa', 'texts that hold the answer', ['<question>', 'what to answer'])
    .description('Answer a question from texts of any length.')
    .option('-k, --top-k <n>', 'answers from each text (default: 1)', positive)
    .option('--impossible', 'let "no answer" win where it is likelier')
    .option('--whole', 'read the whole input as one text')
    .action(async (question: string, texts: string[], flags: QaFlags) =>
      (await import('./commands/tasks/qa.js')).qa(question, texts, flags),
    );

  task(program, 'nsp', 'two sentences; lines hold both with a tab between them')
    .description('Tell whether a sentence follows another.')
    .action(async (texts: string[], flags: TaskFlags) => (await import('./commands/tasks/nsp.js')).nsp(texts, flags));

  task(program, 'similarity', 'sentences to compare', ['<source>', 'the sentence to compare them with'])
    .description('Sort sentences by their similarity to one.')
    .action(async (source: string, texts: string[], flags: TaskFlags) =>
      (await import('./commands/vectors/similarity.js')).similarSentences(source, texts, flags),
    );

  task(program, 'rerank', 'documents to sort', ['<query>', 'what they should answer'])
    .description('Sort documents by how well they answer a query; needs a cross-encoder.')
    .option('-k, --top-k <n>', 'documents to show (default: all)', positive)
    .action(async (query: string, texts: string[], flags: RerankFlags) =>
      (await import('./commands/tasks/rerank.js')).rerankDocuments(query, texts, flags),
    );

  withOutput(withTexts(program.command('chunk'), 'texts to cut'), ['table', 'jsonl'])
    .description('Cut texts into pieces that fit a model.')
    .option('--max-tokens <n>', "longest piece in tokens (default: the model's limit)", positive)
    .option('--overlap <n>', 'most tokens that neighbours share (default: 0)', wholeNumber)
    .option('--boundaries <kinds>', 'where pieces may begin, with commas between: heading, paragraph, sentence, word (default: all)', list)
    .option('--whole', 'read the whole input as one text')
    .action(async (texts: string[], flags: ChunkFlags) => (await import('./commands/chunk.js')).chunk(texts, flags));
}

function task(program: Command, name: string, texts: string, first?: readonly [string, string]): Command {
  const command = program.command(name);
  if (first !== undefined) command.argument(...first);
  const example = exampleModel(name);
  const hint = example === undefined ? undefined : `; needed: one with the head for this, such as ${example}`;
  return withOutput(withCompute(withTexts(command, texts, hint)), ['table', 'jsonl']);
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
