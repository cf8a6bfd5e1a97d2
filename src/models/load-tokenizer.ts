import { parseConfig } from '../architectures/config.js';
import { createTokenizer } from '../architectures/create-tokenizer.js';
import { ModelReader } from '../checkpoint/model-reader.js';
import { readTokenizerMaxLength } from '../checkpoint/tokenizer-files.js';
import { hubSchema, readModelPath, resolveModel, type HubOptions, type ModelPath } from '../hub/index.js';
import { readOptions } from '../options.js';
import { defaultModelDirectory } from '../runtime/default-model.js';
import type { Tokenizer } from '../tokenizer/index.js';
import { maxLength } from './model-directory.js';

/**
 * Loads the tokenizer of a model directory, or of the bundled model, without its weights: nothing native is needed, and a directory
 * with just the tokenizer's files is enough. Of an id on the Hub only those files are downloaded. Its length limit is the model's where config.json and sentence-transformers' files tell it.
 *
 * Errors: those of `downloadModel` for an id; INVALID_ARG, INVALID_OPTION, MODEL_NOT_FOUND, IO, TOKENIZER, VOCAB, CONFIG, CONFIG_UNSUPPORTED, INDEX_PATH.
 *
 * @example
 * const tokenizer = await loadTokenizer();
 * const { ids, tokens } = tokenizer.encode('A cat sits on the mat.');
 */
export async function loadTokenizer(directory?: ModelPath, options?: HubOptions): Promise<Tokenizer> {
  const model = directory === undefined ? undefined : readModelPath(directory, 'loadTokenizer');
  const settings = readOptions('loadTokenizer', options, hubSchema);
  const reader = await ModelReader.start(model === undefined ? defaultModelDirectory() : await resolveModel(model, settings, 'tokenizer'));
  try {
    const modules = await reader.modules();
    const files = await reader.tokenizerFiles(modules);
    // They only give the length limit: what is wrong with them is for loadModel to tell.
    const config = await reader
      .config(modules)
      .then(parseConfig, () => undefined)
      .catch(() => undefined);
    const sentence = await reader.sentenceFiles(modules, config?.hiddenSize).catch(() => undefined);
    if (config === undefined) return createTokenizer(files, { maxLength: readTokenizerMaxLength(files) });
    return createTokenizer(files, { maxLength: maxLength(config, files, sentence), maxPositions: config.maxSequenceLength });
  } finally {
    await reader.close();
  }
}
