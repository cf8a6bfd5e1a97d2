import { requireFixed } from '../config-checks.js';
import type { ConfigFields } from '../config-fields.js';
import type { Family } from '../family.js';
import { decoderOf, encoderOf, tableAliases, type HalfStyle } from '../marian/layers.js';
import { marian } from '../marian/marian.js';

/** Positions are learned, behind two rows that are never read, and what they and the words add up to is normed. */
const style: HalfStyle = { unreadPositions: 2, norm: 'layernorm_embedding' };

const sizes = { vocabSize: 50265, padTokenId: 1 };
const encoderFields: ConfigFields = { ...marian.fields, ...sizes };
const { vocabNames: _, ...ofDecoder } = marian.decoderFields!;

/** What published code ignores, and what would make another model of the same tensors. */
const kFixed = {
  static_position_embeddings: false,
  normalize_before: false,
  normalize_embedding: true,
  add_final_layer_norm: false,
};

/** Lewis et al., 2019: https://arxiv.org/abs/1910.13461. Marian's layers, which are BART's, over learned positions and a norm. */
export const bart: Family = {
  ...marian,
  title: 'BART',
  className: 'Bart',
  classes: ['BartModel', 'BartForConditionalGeneration'],
  fields: encoderFields,
  decoderFields: { ...ofDecoder, ...sizes },
  aliases: tableAliases,
  check: (config) => void requireFixed(config, kFixed),
  fixed: /^final_logits_bias$/,
  encoder: encoderOf(style),
  asDecoder: decoderOf(style),
};
