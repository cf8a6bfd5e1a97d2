import { parseConfig } from '../../architectures/config.js';
import type { EncoderDecoderConfig } from '../../architectures/encoder-decoder/encoder-decoder.js';
import type { Family } from '../../architectures/family.js';
import { encoderDecoderType, families } from '../../architectures/registry.js';
import { isJsonObject, type JsonObject } from '../../checkpoint/json-fields.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { replaceFolder } from '../checkpoints/complete-folder.js';
import { saveModel } from '../checkpoints/save-model.js';
import { newWriterValues } from './new-values.js';
import { pairConfig, pairGeneration, textEnds } from './pair-config.js';
import { pairTensors } from './pair-tensors.js';

/** What an encoder-decoder that has learned nothing is made of. */
interface NewPair {
  /** Fields of config.json. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where the tokenizer's files are. */
  readonly source: string;
  readonly tokenizer: Tokenizer;
  readonly seed: number;
}

/** Whether a configuration is of an encoder-decoder. */
export function writesTexts({ model_type: type }: Readonly<Record<string, unknown>>): boolean {
  const family = (families as Partial<Record<string, Family>>)[String(type)];
  return type === encoderDecoderType || family?.decoderFields !== undefined;
}

/** Makes an encoder-decoder whose weights are new. Errors: INVALID_OPTION, CONFIG, CONFIG_UNSUPPORTED, TOKENIZER, IO. */
export async function createPair(folder: string, { fields, source, tokenizer, seed }: NewPair): Promise<void> {
  const raw = fields as JsonObject;
  const isPair = raw['model_type'] === encoderDecoderType;
  const ends = textEnds(raw, tokenizer, !isPair);
  const made = isPair ? ofTwo(raw, tokenizer, ends) : ofFamily(raw, tokenizer, ends);
  const config = parseConfig(JSON.stringify(made)) as EncoderDecoderConfig;
  for (const { vocabSize } of [config, { vocabSize: config.decoder.vocabSize }]) {
    if (vocabSize >= tokenizer.vocabSize) continue;
    throw unexpected('INVALID_OPTION', `a vocab_size of at least ${tokenizer.vocabSize}, the tokenizer's, for createModel`, vocabSize);
  }
  const tensors = pairTensors(config).map((tensor) => ({
    ...tensor,
    read: async () => newWriterValues(tensor, tensor.half === 'encoder' ? config : config.decoder, seed),
  }));
  const generationConfig = pairGeneration(ends, config.decoder.maxSequenceLength);
  await replaceFolder(folder, (temporary) =>
    saveModel(temporary, { source, config: config.raw, generationConfig, tensors, keepsModules: false }),
  );
}

function ofTwo(raw: JsonObject, { vocabSize }: Tokenizer, ends: ReturnType<typeof textEnds>): JsonObject {
  const [encoder, decoder] = (['encoder', 'decoder'] as const).map((half) => {
    const own = raw[half];
    if (!isJsonObject(own)) throw wrongOption(`fields of the ${half}'s configuration in config.${half} for createModel`, own);
    return { model_type: 'bert', vocab_size: vocabSize, pad_token_id: ends.pad_token_id, ...own } as JsonObject;
  });
  return pairConfig(encoder!, decoder!, ends, raw['tie_encoder_decoder'] === true);
}

function ofFamily(raw: JsonObject, { vocabSize }: Tokenizer, ends: ReturnType<typeof textEnds>): JsonObject {
  const [, writer] = families[raw['model_type'] as 'marian' | 'bart'].classes!;
  return { vocab_size: vocabSize, is_encoder_decoder: true, ...raw, ...ends, architectures: [writer!], dtype: 'float32' } as JsonObject;
}
