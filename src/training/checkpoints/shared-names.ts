import type { JsonObject } from '../../checkpoint/json-fields.js';

/** Of a decoder's tensor that the encoder has as well, its name there. */
const kShared = /^decoder\.(?:bert|roberta)\.((?:embeddings|encoder)\.(?!.*crossattention).*)$/;

/**
 * A model's tensors, those that both halves of an encoder-decoder share under both names: transformers 5 no longer knows `tie_encoder_decoder`, and would
 * begin with random numbers in the half that it does not find.
 */
export function withSharedNames<T extends { readonly name: string }>(tensors: readonly T[], config: JsonObject): readonly T[] {
  if (config['tie_encoder_decoder'] !== true) return tensors;
  const known = new Set(tensors.map(({ name }) => name));
  return tensors.flatMap((tensor) => {
    const [, own] = kShared.exec(tensor.name) ?? [];
    const isMissing = own !== undefined && !known.has(`encoder.${own}`);
    return isMissing ? [tensor, { ...tensor, name: `encoder.${own}` }] : [tensor];
  });
}
