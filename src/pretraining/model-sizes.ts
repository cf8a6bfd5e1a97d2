/** BERT's sizes as google-research published them, by their names; config.json's fields. */
export const modelSizes = {
  tiny: size(2, 128),
  mini: size(4, 256),
  small: size(4, 512),
  medium: size(8, 512),
  base: size(12, 768),
} as const;

/** The name of a size. */
export type ModelSize = keyof typeof modelSizes;

function size(layers: number, width: number) {
  return { num_hidden_layers: layers, hidden_size: width, num_attention_heads: width / 64, intermediate_size: 4 * width };
}
