import { inspectModelDirectory, type ModelInspection } from '../checkpoint/inspect.js';
import { BerthaError } from '../errors.js';
import { buildModel } from '../models/index.js';
import { received } from '../options.js';
import { defaultModelDirectory } from '../runtime/default-model.js';
import { createTokenizer } from '../tokenizer/index.js';

/**
 * Looks into a model directory, or the bundled model, without loading it: its files, configuration, tensors and tokenizer, and every
 * reason why it cannot be loaded. What is wrong with the directory is in the result, never a rejection.
 *
 * Errors: INVALID_ARG, MODEL_NOT_FOUND.
 */
export async function inspectModel(directory?: string): Promise<ModelInspection> {
  if (directory !== undefined && typeof directory !== 'string') {
    throw new BerthaError('INVALID_ARG', `Expected a model directory for inspectModel but received ${received(directory)}.`);
  }
  return inspectModelDirectory(directory ?? defaultModelDirectory(), (model) => {
    buildModel(model, { heads: true });
    createTokenizer(model.tokenizerFiles, { maxLength: model.maxLength });
  });
}
