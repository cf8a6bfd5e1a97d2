import type { JsonObject } from '../../checkpoint/json-fields.js';
import { encoderDecoderClass, encoderDecoderType } from '../../architectures/registry.js';
import { unexpected } from '../../expected.js';
import type { Tokenizer } from '../../tokenizer/index.js';

/** The ids between which texts are written. */
export interface TextEnds {
  readonly decoder_start_token_id: number;
  readonly eos_token_id: number;
  readonly pad_token_id: number;
}

const kEnds = ['decoder_start_token_id', 'eos_token_id', 'pad_token_id'] as const;

/**
 * How texts begin and end: as config.json says, else as the tokenizer does it. `beginsWithPad`: Marian's way.
 *
 * Errors: TOKENIZER where neither says it.
 */
export function textEnds(raw: JsonObject, tokenizer: Tokenizer, beginsWithPad = false): TextEnds {
  const { padId, clsId, bosId, sepId, eosId } = tokenizer;
  const known = {
    decoder_start_token_id: beginsWithPad ? padId : (clsId ?? bosId),
    eos_token_id: beginsWithPad ? (eosId ?? sepId) : (sepId ?? eosId),
    pad_token_id: padId,
  };
  const ends = kEnds.map((key): [string, number] => {
    const id = raw[key] ?? known[key];
    if (typeof id === 'number') return [key, id];
    throw unexpected('TOKENIZER', `${JSON.stringify(key)} in the configuration, or a special token for it in the tokenizer,`, 'neither');
  });
  return Object.fromEntries(ends) as unknown as TextEnds;
}

/** config.json of an EncoderDecoderModel of two configurations. */
export function pairConfig(encoder: JsonObject, decoder: JsonObject, ends: TextEnds, isShared: boolean): JsonObject {
  return {
    architectures: [encoderDecoderClass],
    model_type: encoderDecoderType,
    is_encoder_decoder: true,
    ...ends,
    ...(isShared && { tie_encoder_decoder: true }),
    dtype: 'float32',
    encoder: { ...encoder, is_decoder: false, add_cross_attention: false },
    decoder: { ...decoder, is_decoder: true, add_cross_attention: true },
  } as JsonObject;
}

/** generation_config.json: where texts begin and end, and that they may fill the decoder's positions. */
export function pairGeneration(ends: TextEnds, maxLength: number): JsonObject {
  return { ...ends, max_length: maxLength } as unknown as JsonObject;
}
