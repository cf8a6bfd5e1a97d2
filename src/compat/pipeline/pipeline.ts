import { unexpected, wrongOption } from '../../expected.js';
import { exampleModels } from '../../hub/example-models.js';
import { readModelPath, type ModelPath } from '../../hub/index.js';
import { requireWriter } from '../../generation/prepare.js';
import { isBundledTask, isModel, loadModel, type Model } from '../../models/index.js';
import { unknownName } from '../../options.js';
import { warnOnce } from '../../runtime/warn-once.js';
import { requireHead } from '../../tasks/require-head.js';
import { readPretrained } from '../loading/options.js';
import { callableTokenizer } from '../tokenizer/tokenizer.js';
import { TASKS } from './calls.js';
import type { Pipeline, PipelineOptions, ResolvedTask, TaskAliases, TaskName } from './types.js';

const ALIASES: TaskAliases = {
  'sentiment-analysis': 'text-classification',
  ner: 'token-classification',
  embeddings: 'feature-extraction',
  'text-ranking': 'rerank',
};

/** Tasks of transformers.js that no model here does: they read images and sound, or mean a T5 by the languages of its prompt. */
const kForeignTask =
  /^(?:translation_\w+|automatic-speech-recognition|asr|text-to-(?:audio|speech)|document-question-answering|background-removal|depth-estimation|(?:zero-shot-)?object-detection|(?:zero-shot-)?(?:audio|image)-classification|image-(?:feature-extraction|segmentation|to-image|to-text))$/;

/**
 * A task with its model, named and called as in transformers.js; the options and keys of results are those too (`top_k`, `token_str`), and
 * both are read in camel case as well. Without a model the task's default one: the bundled one for vectors and for what it has heads for, else one
 * of the Hub, said by a warning. For results with token counts and truncation use the functions (`fillMask`, `classifyText`, …); here
 * `on_truncate: 'warn'` or `'error'` tells of it.
 *
 * Errors: INVALID_OPTION (an unknown task, or one of images or sound), NO_HEAD, INVALID_ARG, and those of `loadModel`.
 */
export async function pipeline<T extends TaskName | keyof TaskAliases>(
  task: T,
  model?: ModelPath | Model | null,
  options?: PipelineOptions,
): Promise<Pipeline<ResolvedTask<T>>> {
  const name = readTask(task);
  const { head, writes, call } = TASKS[name];
  const isOwn = !isModel(model);
  const loaded = isOwn ? await loadOwn(name, model ?? undefined, options) : model;
  try {
    if (head !== undefined) requireHead(loaded, head, name);
    if (writes === true) requireWriter(loaded, name);
    const hear = options?.progress_callback ?? options?.progressCallback;
    if (isOwn) hear?.({ status: 'ready', task: name, model: String(model ?? loaded.directory) });
  } catch (error) {
    if (isOwn) loaded.dispose();
    throw error;
  }
  const dispose = async (): Promise<void> => {
    if (isOwn) loaded.dispose();
  };
  const run = (...args: never[]) => call(loaded, ...args);
  return Object.assign(run, {
    task: name,
    model: loaded,
    tokenizer: callableTokenizer(loaded.tokenizer),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }) as unknown as Pipeline<ResolvedTask<T>>;
}

function readTask(task: string): TaskName {
  const name = Object.hasOwn(ALIASES, task) ? ALIASES[task as keyof TaskAliases] : task;
  if (Object.hasOwn(TASKS, name)) return name as TaskName;
  const known = [...Object.keys(TASKS), ...Object.keys(ALIASES)];
  if (kForeignTask.test(name)) throw wrongOption(`a task of texts, ${known.join(', ')},`, name);
  throw unknownName('task', String(task), known);
}

/** Whether a task needs more of a model than its encoder. */
function readsHeads(task: TaskName): boolean {
  const { head, writes = false } = TASKS[task];
  return head !== undefined || writes;
}

/** Models that a message names for tasks that have no default. */
const kSuggestions: Readonly<Partial<Record<TaskName, string>>> = {
  'multiple-choice': 'a BertForMultipleChoice such as "stefandi/bert-base-uncased-finetuned-swag"',
  'replaced-token-detection': 'an ElectraForPreTraining such as "google/electra-small-discriminator"',
  translation: 'a MarianMTModel such as "Helsinki-NLP/opus-mt-en-de"',
  summarization: 'an EncoderDecoderModel such as "patrickvonplaten/bert2bert_cnn_daily_mail"',
  'text2text-generation': 'an encoder-decoder such as "Helsinki-NLP/opus-mt-en-de"',
  'text-generation': 'a directory of a BertLMHeadModel or BertGenerationDecoder',
};

/** The model of a task that was asked for without one; undefined is the bundled one, with its head. Errors: INVALID_ARG where a task has none. */
function defaultModel(task: TaskName): string | undefined {
  if (!readsHeads(task) || isBundledTask(task)) return undefined;
  const model = exampleModels[task];
  if (model === undefined)
    throw unexpected('INVALID_ARG', `a model for ${task}, which has no default,`, 'none', { hint: `Name ${kSuggestions[task]}.` });
  warnOnce('BERTHA_MODEL', task, `No model was named for ${task}: ${JSON.stringify(model)} is loaded.`);
  return model;
}

async function loadOwn(task: TaskName, asked: ModelPath | undefined, given: PipelineOptions | undefined): Promise<Model> {
  const name = asked === undefined ? defaultModel(task) : readModelPath(asked, 'pipeline');
  const { model, options } = await readPretrained(name, given);
  const bundled = model === undefined && options.adapter === undefined && isBundledTask(task) ? { task } : {};
  return loadModel(model, { heads: readsHeads(task), ...bundled, ...options });
}
