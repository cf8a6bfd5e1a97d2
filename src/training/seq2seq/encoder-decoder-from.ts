import path from 'node:path';
import { createTokenizer } from '../../architectures/create-tokenizer.js';
import { parseConfig } from '../../architectures/config.js';
import type { EncoderDecoderConfig } from '../../architectures/encoder-decoder/encoder-decoder.js';
import type { Family } from '../../architectures/family.js';
import { wordTable } from '../../architectures/heads.js';
import { families, partTypes } from '../../architectures/registry.js';
import { quote, quotePath } from '../../checkpoint/describe.js';
import { exists } from '../../checkpoint/exists.js';
import { requireNumbers } from '../../checkpoint/weights/row-scales.js';
import { WeightMap } from '../../checkpoint/weights/weights.js';
import { unexpected, wrongOption } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { readModelPath, resolveModel, type ModelPath } from '../../hub/index.js';
import { openModelDirectory, type ModelDirectory } from '../../models/model-directory.js';
import { flag, integer, readOptions } from '../../options.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { replaceFolder } from '../checkpoints/complete-folder.js';
import { saveModel, type TensorToSave } from '../checkpoints/save-model.js';
import { requireSameVocabulary } from '../distillation/same-vocabulary.js';
import { pairConfig, pairGeneration, textEnds } from './pair-config.js';
import { newWriterValues } from './new-values.js';
import { pairTensors, type PairTensor } from './pair-tensors.js';

/** Options of `encoderDecoderFrom`. */
export interface EncoderDecoderFromOptions {
  /** Where the model goes: a directory that is not there yet. */
  readonly directory: FilePath;
  /** Whether both halves have one set of weights, the encoder's, but for the decoder's cross-attention and head. Default false. */
  readonly tie?: boolean | undefined;
  /** The numbers of new tensors are a function of it and of their names. Default 42. */
  readonly seed?: number | undefined;
}

/** An encoder-decoder that was made of two models. */
export interface EncoderDecoderFrom {
  /** Where it is. */
  readonly directory: string;
  /** Tensors that neither model has: the cross-attention, and a head that the decoder lacks. */
  readonly newlyInitialized: readonly string[];
}

/**
 * Makes an encoder-decoder of two models (Rothe et al. 2020): the encoder as it is, the decoder the other's layers and its head over words, and between them
 * cross-attention that is new, N(0, `initializer_range`). Both are BERT, RoBERTa, XLM-R, CamemBERT or BertGeneration, of one vocabulary; they may be the same directory, or
 * ids on the Hub. Texts begin with [CLS] (`<s>`) and end with [SEP] (`</s>`). The result is what `train` with 'translation' or 'summarization' takes.
 *
 * ```js
 * const { directory, newlyInitialized } = await encoderDecoderFrom('path/to/bert', 'path/to/bert', { directory: 'bert2bert' });
 * ```
 *
 * Errors: INVALID_OPTION, CONFIG_UNSUPPORTED (a family that is no half, cross sizes that tying cannot have), MODEL_MISMATCH (different vocabularies, tensors that are missing
 * or have another shape), TOKENIZER, IO; those of opening a model.
 */
export async function encoderDecoderFrom(
  encoder: ModelPath,
  decoder: ModelPath,
  options: EncoderDecoderFromOptions,
): Promise<EncoderDecoderFrom> {
  const schema = { directory: filePath, tie: flag, seed: integer(0, Number.MAX_SAFE_INTEGER) };
  const { directory, tie = false, seed = 42 } = readOptions('encoderDecoderFrom', options, schema);
  if (directory === undefined) throw wrongOption('a directory for encoderDecoderFrom option directory', directory);
  const folder = path.resolve(directory);
  if (await exists(folder)) throw unexpected('IO', 'a folder that is not there yet for the new model', quotePath(folder));
  const [first, second] = [encoder, decoder].map((model) => readModelPath(model, 'encoderDecoderFrom'));
  const halves = await openHalves(await resolveModel(first!, {}, 'model'), await resolveModel(second!, {}, 'model'));
  try {
    const [ofEncoder, ofDecoder] = halves;
    const tokenizer = tokenizerOf(ofEncoder);
    requireSameVocabulary({ tokenizer }, { tokenizer: tokenizerOf(ofDecoder) }, ['encoder', 'decoder']);
    const ends = textEnds({}, tokenizer);
    const config = parseConfig(JSON.stringify(pairConfig(rawOf(ofEncoder), rawOf(ofDecoder), ends, tie))) as EncoderDecoderConfig;
    const found = pairTensors(config).map((tensor) => ({
      tensor,
      value: valueOf(tensor, tensor.half === 'encoder' ? ofEncoder : ofDecoder),
    }));
    const tensors = found.map(({ tensor, value }): TensorToSave => {
      const { name, shape } = tensor;
      return {
        name,
        shape,
        read: value ?? (() => Promise.resolve(newWriterValues(tensor, tensor.half === 'encoder' ? config : config.decoder, seed))),
      };
    });
    const generationConfig = pairGeneration(ends, config.decoder.maxSequenceLength);
    await replaceFolder(folder, (temporary) =>
      saveModel(temporary, { source: ofEncoder.path, config: config.raw, generationConfig, tensors, keepsModules: false }),
    );
    for (const half of halves) await half.verifyUnchanged();
    return { directory: folder, newlyInitialized: found.flatMap(({ tensor, value }) => (value === undefined ? [tensor.name] : [])) };
  } finally {
    for (const half of halves) await half.close();
  }
}

async function openHalves(encoder: string, decoder: string): Promise<[ModelDirectory, ModelDirectory]> {
  const first = await openModelDirectory(encoder);
  try {
    const second = await openModelDirectory(decoder);
    for (const { config, tensors } of [first, second]) {
      if (config.decoder !== undefined || !partTypes.includes(config.modelType)) {
        const is = config.architectures[0] ?? config.modelType;
        throw unexpected('CONFIG_UNSUPPORTED', `a model of ${partTypes.join(', ')} for encoderDecoderFrom`, is);
      }
      requireNumbers(tensors, 'encoderDecoderFrom');
    }
    return [first, second];
  } catch (error) {
    await first.close();
    throw error;
  }
}

/** The tokenizer of a model that becomes a half, or a decoder alone. */
export function tokenizerOf({ tokenizerFiles, config }: ModelDirectory): Tokenizer {
  return createTokenizer(tokenizerFiles, { maxPositions: config.maxSequenceLength, maxLength: config.maxSequenceLength });
}

/** A configuration as a half of another: what says what the whole model is has no place in it. */
export function rawOf({ config }: ModelDirectory): ModelDirectory['config']['raw'] {
  const { torch_dtype: _, dtype: __, architectures: ___, is_encoder_decoder: ____, ...raw } = config.raw;
  return { ...raw, model_type: config.modelType };
}

/** How a tensor is read from the model of its half; undefined for one that is new. Errors: MODEL_MISMATCH. */
export function valueOf(
  { half, own, name, shape }: PairTensor,
  { tensors, config, path: place }: ModelDirectory,
): TensorToSave['read'] | undefined {
  if (own === undefined) return undefined;
  const family: Family = families[config.modelType];
  const matrix = family.decoder.replace(/\.weight$/, '');
  const ofBias: [string, string] = [matrix.replace(/decoder$/, 'bias'), `${matrix}.bias`];
  const aliases = new Map(config.tieWordEmbeddings ? [[family.wordTable ?? wordTable, family.decoder] as const, ofBias] : [ofBias]);
  const weights = new WeightMap(tensors, { prefixes: family.prefixes, aliases });
  const stored = weights.shapeOf(own);
  if (stored === undefined) {
    const isNew = half === 'decoder' && !/^(?:embeddings|encoder)\.(?!.*crossattention)/.test(own);
    if (isNew) return undefined;
    throw unexpected('MODEL_MISMATCH', `${quote(own)} in ${quotePath(place)}, for ${quote(name)}`, 'a checkpoint without it');
  }
  const info = weights.take(own, shape);
  weights.finish();
  return () => info.file.readFloat32(info.name);
}
