import { wrongArgument } from '../expected.js';
import type { Model } from '../models/index.js';
import { Embedder } from './embed.js';
import { readOptions } from '../options.js';
import { similarity } from '../vectors/similarity.js';
import { requireModel } from '../calls/inputs.js';
import { promptSchema, taskSchema, type PromptOptions, type TaskOptions } from '../calls/options.js';

/**
 * How similar sentences are to a source sentence: cosine of their vectors, in the order of the sentences.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of `embed`.
 */
export async function sentenceSimilarity(
  model: Model,
  source: string,
  sentences: readonly string[],
  options?: TaskOptions & PromptOptions,
): Promise<number[]> {
  requireModel(model, 'sentenceSimilarity');
  const settings = readOptions('sentenceSimilarity', options, { ...taskSchema, ...promptSchema });
  if (!Array.isArray(sentences)) {
    throw wrongArgument('a list of sentences for sentenceSimilarity', sentences);
  }
  const [first, ...rest] = await new Embedder(model).embed([source, ...sentences], { ...settings, deadlineMs: settings.deadlineMs?.left });
  return Array.from(similarity(first!, rest));
}
