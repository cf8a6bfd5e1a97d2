import { parseConfig, type ModelConfig } from '../../architectures/config.js';
import { partTypes, type ModelType } from '../../architectures/registry.js';
import type { JsonObject } from '../../checkpoint/json-fields.js';
import { unexpected } from '../../expected.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { replaceFolder } from '../checkpoints/complete-folder.js';
import { saveModel, type TensorToSave } from '../checkpoints/save-model.js';
import { newWriterValues } from '../seq2seq/new-values.js';
import { pairGeneration, textEnds } from '../seq2seq/pair-config.js';
import { writerConfig } from '../writers/append-writer.js';
import { decoderTensors, type DecoderTensor } from './decoder-tensors.js';

/** What a decoder alone is made of. */
interface NewDecoder {
  /** Fields of config.json, `is_decoder` among them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where the tokenizer's files are. */
  readonly source: string;
  readonly tokenizer: Tokenizer;
  readonly seed: number;
}

/** The configuration of a decoder alone. Errors: CONFIG, CONFIG_UNSUPPORTED (a family that has none). */
export function decoderConfig(fields: Readonly<Record<string, unknown>>, tokenizer: Tokenizer): ModelConfig {
  const type = String(fields['model_type'] ?? 'bert');
  if (!partTypes.includes(type as ModelType)) {
    throw unexpected('CONFIG_UNSUPPORTED', `a model of ${partTypes.join(', ')} for a decoder alone`, type);
  }
  const ends = textEnds(fields as JsonObject, tokenizer);
  const named = { model_type: type, vocab_size: tokenizer.vocabSize, pad_token_id: ends.pad_token_id, ...fields };
  const config = parseConfig(JSON.stringify({ ...named, architectures: [], is_decoder: true, add_cross_attention: false }));
  return parseConfig(JSON.stringify(writerConfig(config)));
}

/** Makes a decoder alone whose weights are new. Errors: INVALID_OPTION, CONFIG, CONFIG_UNSUPPORTED, TOKENIZER, IO. */
export async function createDecoder(folder: string, { fields, source, tokenizer, seed }: NewDecoder): Promise<void> {
  const config = decoderConfig(fields, tokenizer);
  if (config.vocabSize < tokenizer.vocabSize) {
    throw unexpected(
      'INVALID_OPTION',
      `a vocab_size of at least ${tokenizer.vocabSize}, the tokenizer's, for createModel`,
      config.vocabSize,
    );
  }
  await saveDecoder(folder, { config, source, tokenizer, seed, valueOf: () => undefined });
}

/** Writes a decoder alone into a folder that is not there yet. `valueOf`: what a tensor is, where it is not new. Returns the names of the new ones. */
export async function saveDecoder(
  folder: string,
  made: Omit<NewDecoder, 'fields'> & {
    readonly config: ModelConfig;
    readonly valueOf: (tensor: DecoderTensor) => TensorToSave['read'] | undefined;
  },
): Promise<readonly string[]> {
  const { config, source, tokenizer, seed, valueOf } = made;
  const found = decoderTensors(config).map((tensor) => ({ tensor, value: valueOf(tensor) }));
  const tensors = found.map(({ tensor, value }): TensorToSave => {
    const { name, shape } = tensor;
    return { name, shape, read: value ?? (() => Promise.resolve(newWriterValues(tensor, config, seed))) };
  });
  const generationConfig = pairGeneration(textEnds(config.raw, tokenizer), config.maxSequenceLength);
  await replaceFolder(folder, (temporary) =>
    saveModel(temporary, { source, config: config.raw, generationConfig, tensors, keepsModules: false }),
  );
  return found.flatMap(({ tensor, value }) => (value === undefined ? [tensor.name] : []));
}
