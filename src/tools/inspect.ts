import { createTokenizer } from '../architectures/create-tokenizer.js';
import { inspectModelDirectory, type ModelInspection } from './inspect-directory.js';
import { hubSchema, readModelPath, resolveModel, type HubOptions, type ModelPath } from '../hub/index.js';
import { buildModel } from '../models/index.js';
import { readOptions } from '../options.js';
import { defaultModelDirectory } from '../runtime/default-model.js';

/**
 * Looks into a model directory, or the bundled model, without loading it: its files, configuration, tensors and tokenizer, and every
 * reason why it cannot be loaded. An id on the Hub is downloaded first. What is wrong with the directory is in the result, never a rejection.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MODEL_NOT_FOUND; those of `downloadModel` for an id.
 */
export async function inspectModel(directory?: ModelPath, options?: HubOptions): Promise<ModelInspection> {
  const model = directory === undefined ? undefined : readModelPath(directory, 'inspectModel');
  const settings = readOptions('inspectModel', options, hubSchema);
  const path = model === undefined ? defaultModelDirectory() : await resolveModel(model, settings, 'model');
  return inspectModelDirectory(path, {
    model: (directory) => void buildModel(directory, { heads: true }),
    tokenizer: (files, maxLength) => createTokenizer(files, { maxLength }),
  });
}
