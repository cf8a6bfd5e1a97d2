import { unexpected } from '../../expected.js';
import { readSettings } from '../../generation/settings.js';
import type { Model } from '../../models/index.js';

/** What teaching a decoder must know of its model. */
export interface Writer {
  /** What its decoder begins with. */
  readonly startId: number;
  /** What its texts end with. */
  readonly endId: number;
  /** Most ids that its decoder reads. */
  readonly maxLength: number;
}

/** How an encoder-decoder's texts begin and end. Errors: NO_HEAD (a model of another kind), CONFIG (its files do not say), those of `readSettings`. */
export function writerOf({ config, generationConfig }: Model, call: string): Writer {
  const { decoder } = config;
  if (decoder === undefined) {
    throw unexpected('NO_HEAD', `an encoder-decoder for ${call}`, config.architectures[0] ?? config.modelType, {
      hint: 'encoderDecoderFrom makes one of two encoders, createModel one that has learned nothing.',
    });
  }
  const limits = { maxLength: decoder.maxSequenceLength, vocabSize: decoder.vocabSize, isEncoderDecoder: true };
  const { startId, values } = readSettings(call, {}, { generationConfig, config: config.raw }, limits);
  const [endId] = values.eosTokenId!;
  const missing = startId === undefined ? '"decoder_start_token_id"' : endId === undefined ? '"eos_token_id"' : undefined;
  if (missing === undefined) return { startId: startId!, endId: endId!, maxLength: decoder.maxSequenceLength };
  throw unexpected('CONFIG', `${missing} in generation_config.json or config.json, without which no text can be learned,`, 'none');
}
