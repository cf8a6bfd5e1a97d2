import type { DataTask, DistillTask, Seq2SeqTask } from '../../../training/index.js';

/** What can be learned and evaluated, by the names of the command line. */
export const trainingTasks = {
  classify: { task: 'text-classification', about: 'one label for each text, or pair of texts' },
  regress: { task: 'text-classification', problemType: 'regression', about: 'a number for each text, or pair of texts' },
  'multi-label': { task: 'text-classification', problemType: 'multi_label_classification', about: 'any number of labels for each text' },
  ner: { task: 'token-classification', about: 'tags of words: entities, parts of speech' },
  qa: { task: 'question-answering', about: 'answers within texts, as in SQuAD' },
  'multiple-choice': { task: 'multiple-choice', about: 'the right one of several choices' },
  'cross-encoder': { task: 'cross-encoder', about: 'scores of pairs of texts, for reranking and similarity' },
  nsp: { task: 'next-sentence-prediction', about: 'whether a sentence follows another' },
  mlm: { task: 'fill-mask', about: 'masked words of plain texts' },
  'replaced-token': { task: 'replaced-token', about: "replaced words, ELECTRA's discriminator" },
} as const satisfies Readonly<Record<string, { readonly task: DataTask; readonly problemType?: string; readonly about: string }>>;

/** One of their names. */
export type TrainingTaskName = keyof typeof trainingTasks;

/** The tasks' names. */
export const trainingTaskNames = Object.keys(trainingTasks) as readonly TrainingTaskName[];

/** Texts that are written from others, by the names of the command line. */
export const pairTasks = {
  translate: { task: 'translation', about: 'texts and their translations, by an encoder-decoder' },
  summarize: { task: 'summarization', about: 'texts and their summaries, by an encoder-decoder' },
} as const satisfies Readonly<Record<string, { readonly task: Seq2SeqTask; readonly about: string }>>;

/** One of their names. */
export type PairTaskName = keyof typeof pairTasks;

/** Texts that a decoder alone goes on with, by the name of the command line. */
export const textTasks = {
  generate: { task: 'text-generation', about: 'texts, or prompts and completions, each word from those before it, by a decoder alone' },
} as const;

/** Its name. */
export type TextTaskName = keyof typeof textTasks;

/** Whether a task of the command line is about a decoder alone. */
export function isTextTask(name: string): name is TextTaskName {
  return Object.hasOwn(textTasks, name);
}

/** Whether a task of the command line writes texts. */
export function isPairTask(name: string): name is PairTaskName {
  return Object.hasOwn(pairTasks, name);
}

/** What is learned from a few texts of each label. */
export const setFitTasks = {
  setfit: { about: 'a classifier from 8 to 64 texts of each label, for `bertha classify --classifier`' },
} as const;

/** What several heads learn together. */
export const multiTasks = {
  multi: { about: 'several heads on one encoder, as the file --config says' },
} as const;

/** A line for each task, for help. */
export function taskLines(tasks: Readonly<Record<string, { readonly about: string }>>): string {
  const width = Math.max(...Object.keys(tasks).map(({ length }) => length)) + 2;
  return Object.entries(tasks)
    .map(([name, { about }]) => `  ${name.padEnd(width)}${about}`)
    .join('\n');
}

/** What can be distilled. */
export const distillTaskNames = ['classify', 'regress', 'multi-label', 'ner', 'cross-encoder', 'nsp', 'mlm', 'embed'] as const;

/** One of its names. */
export type DistillTaskName = (typeof distillTaskNames)[number];

/** What it is in programs. */
export function distillTaskOf(name: DistillTaskName): DistillTask {
  return name === 'embed' ? 'sentence-embedding' : trainingTasks[name].task;
}
