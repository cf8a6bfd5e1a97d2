import type { Command } from 'commander';
import type { ClassifyFlags } from './commands/tasks/classify.js';
import type { ZeroShotFlags } from './commands/tasks/zero-shot.js';
import { isBundledTask } from '../models/bundled-heads.js';
import { exampleModel, taskOf } from './report.js';
import {
  answerFlags,
  chunkFlags,
  classifyFlags,
  entityFlags,
  fillMaskFlags,
  maskedFlags,
  rerankFlags,
  zeroShotFlags,
} from './flags/call-flags.js';
import { path, withCompute, withOutput, withTexts } from './flags.js';
import { list } from './flags/option-flags.js';
import type { TaskFlags } from './task-runner.js';

/** Adds a command for each task. Their modules are loaded when they run. */
export function addTaskCommands(program: Command): void {
  maskedFlags
    .addTo(fillMaskFlags.addTo(task(program, 'fill-mask', 'texts with [MASK]')))
    .description('Find words for the masks in texts, each by itself or, with --method, all so that they fit together.')
    .action(async (texts: string[], flags: TaskFlags) => {
      const { fillMasksApart, fillMasksTogether } = await import('./commands/tasks/fill-mask.js');
      const [apart, together] = [fillMaskFlags.read(flags), maskedFlags.read(flags)];
      if (Object.keys(together).length === 0) await fillMasksApart(texts, flags, apart);
      else await fillMasksTogether(texts, flags, { ...apart, ...together });
    });

  withOutput(withCompute(withTexts(program.command('score'), 'texts of about one length', modelHint('fill-mask'))), ['table', 'jsonl'])
    .description('Tell how likely a masked model finds texts: the sum over tokens, each masked in turn.')
    .action(async (texts: string[], flags: TaskFlags) => (await import('./commands/tasks/score.js')).scoreTexts(texts, flags));

  const classifying = task(program, 'classify', 'texts to classify')
    .description('Classify texts, or pairs of texts.')
    .option('--classifier <directory>', 'a classifier of `bertha classify-train` instead of a head of the model', path)
    .option('--pair <text>', 'the second text of every pair')
    .option('--pairs', 'read pairs: lines of two texts with a tab between them, or records with two fields')
    .option('--pair-field <name>', 'the field that holds the second text (default: found); reads pairs');
  classifyFlags
    .addTo(classifying)
    .action(async (texts: string[], flags: ClassifyFlags) =>
      (await import('./commands/tasks/classify.js')).classify(texts, flags, classifyFlags.read(flags)),
    );

  const zeroShot = task(program, 'zero-shot', 'texts to classify')
    .description('Classify texts by labels of your own; needs a model for inference.')
    .requiredOption('--labels <names>', 'labels, with commas between them', list);
  zeroShotFlags
    .addTo(zeroShot)
    .action(async (texts: string[], flags: ZeroShotFlags) =>
      (await import('./commands/tasks/zero-shot.js')).zeroShot(texts, flags, zeroShotFlags.read(flags)),
    );

  entityFlags
    .addTo(task(program, 'ner', 'texts to search for entities'))
    .description('Mark the entities in texts.')
    .option('--whole', 'read the whole input as one text')
    .action(async (texts: string[], flags: TaskFlags) =>
      (await import('./commands/tasks/ner.js')).ner(texts, flags, entityFlags.read(flags)),
    );

  answerFlags
    .addTo(task(program, 'qa', 'texts that hold the answer', ['<question>', 'what to answer']))
    .description('Answer a question from texts of any length.')
    .option('--whole', 'read the whole input as one text')
    .action(async (question: string, texts: string[], flags: TaskFlags) =>
      (await import('./commands/tasks/qa.js')).qa(question, texts, flags, answerFlags.read(flags)),
    );

  task(program, 'nsp', 'two sentences; lines hold both with a tab between them')
    .description('Tell whether a sentence follows another.')
    .action(async (texts: string[], flags: TaskFlags) => (await import('./commands/tasks/nsp.js')).nsp(texts, flags));

  task(program, 'similarity', 'sentences to compare', ['<source>', 'the sentence to compare them with'])
    .description('Sort sentences by their similarity to one.')
    .action(async (source: string, texts: string[], flags: TaskFlags) =>
      (await import('./commands/vectors/similarity.js')).similarSentences(source, texts, flags),
    );

  rerankFlags
    .addTo(task(program, 'rerank', 'documents to sort', ['<query>', 'what they should answer']))
    .description('Sort documents by how well they answer a query; needs a cross-encoder.')
    .action(async (query: string, texts: string[], flags: TaskFlags) =>
      (await import('./commands/tasks/rerank.js')).rerankDocuments(query, texts, flags, rerankFlags.read(flags)),
    );

  chunkFlags
    .addTo(withOutput(withTexts(program.command('chunk'), 'texts to cut'), ['table', 'jsonl']))
    .description('Cut texts into pieces that fit a model.')
    .option('--whole', 'read the whole input as one text')
    .action(async (texts: string[], flags: TaskFlags) => (await import('./commands/chunk.js')).chunk(texts, flags, chunkFlags.read(flags)));
}

function task(program: Command, name: string, texts: string, first?: readonly [string, string]): Command {
  const command = program.command(name);
  if (first !== undefined) command.argument(...first);
  return withOutput(withCompute(withTexts(command, texts, modelHint(name))), ['table', 'jsonl']);
}

/** What `--model` says of the model that is taken without it. */
function modelHint(command: string): string | undefined {
  if (isBundledTask(taskOf(command))) return ' (default: the bundled all-MiniLM-L6-v2, with its head for this)';
  const example = exampleModel(command);
  return example === undefined ? undefined : `; needed: one with the head for this, such as ${example}`;
}
