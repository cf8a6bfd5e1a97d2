import path from 'node:path';
import { partTypes } from '../../architectures/registry.js';
import { quotePath } from '../../checkpoint/describe.js';
import { exists } from '../../checkpoint/exists.js';
import { requireNumbers } from '../../checkpoint/weights/row-scales.js';
import { unexpected, wrongOption } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { readModelPath, resolveModel, type ModelPath } from '../../hub/index.js';
import { openModelDirectory } from '../../models/model-directory.js';
import { integer, readOptions } from '../../options.js';
import { rawOf, tokenizerOf, valueOf } from '../seq2seq/encoder-decoder-from.js';
import { decoderConfig, saveDecoder } from './create-decoder.js';

/** Options of `decoderFrom`. */
export interface DecoderFromOptions {
  /** Where the model goes: a directory that is not there yet. */
  readonly directory: FilePath;
  /** The numbers of a head that the model lacks are a function of it and of their names. Default 42. */
  readonly seed?: number | undefined;
}

/** A decoder alone that was made of an encoder. */
export interface DecoderFrom {
  /** Where it is. */
  readonly directory: string;
  /** Tensors that the model lacks: a head over words. */
  readonly newlyInitialized: readonly string[];
}

/**
 * Makes a decoder alone of an encoder (BERT, RoBERTa, XLM-R, CamemBERT, BertGeneration): its layers and its head over words, with attention to what is before each word, as
 * transformers' `BertLMHeadModel.from_pretrained(…, is_decoder=True)` does. Texts end with [SEP] (`</s>`). It writes nothing sensible before `train` with
 * 'text-generation' has taught it.
 *
 * ```js
 * const { directory } = await decoderFrom('path/to/bert', { directory: 'bert-decoder' });
 * ```
 *
 * Errors: INVALID_OPTION, CONFIG_UNSUPPORTED (a family that has no decoder), MODEL_MISMATCH, TOKENIZER, IO; those of opening a model.
 */
export async function decoderFrom(model: ModelPath, options: DecoderFromOptions): Promise<DecoderFrom> {
  const schema = { directory: filePath, seed: integer(0, Number.MAX_SAFE_INTEGER) };
  const { directory, seed = 42 } = readOptions('decoderFrom', options, schema);
  if (directory === undefined) throw wrongOption('a directory for decoderFrom option directory', directory);
  const folder = path.resolve(directory);
  if (await exists(folder)) throw unexpected('IO', 'a folder that is not there yet for the new model', quotePath(folder));
  const opened = await openModelDirectory(await resolveModel(readModelPath(model, 'decoderFrom'), {}, 'model'));
  try {
    const { config } = opened;
    if (config.decoder !== undefined || !partTypes.includes(config.modelType)) {
      const is = config.architectures[0] ?? config.modelType;
      throw unexpected('CONFIG_UNSUPPORTED', `a model of ${partTypes.join(', ')} for decoderFrom`, is);
    }
    requireNumbers(opened.tensors, 'decoderFrom');
    const tokenizer = tokenizerOf(opened);
    const made = { config: decoderConfig(rawOf(opened), tokenizer), source: opened.path, tokenizer, seed };
    const newlyInitialized = await saveDecoder(folder, { ...made, valueOf: (tensor) => valueOf({ ...tensor, half: 'decoder' }, opened) });
    await opened.verifyUnchanged();
    return { directory: folder, newlyInitialized };
  } finally {
    await opened.close();
  }
}
