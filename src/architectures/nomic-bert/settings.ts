import type { JsonFields, JsonObject } from '../../checkpoint/json-fields.js';
import type { EncoderConfig } from '../encoder-config.js';
import { requireEvenHeads, requireFixed } from '../config-checks.js';
import { readRope, type Rope } from '../rope.js';

/** How queries and keys turn. Errors: CONFIG, CONFIG_UNSUPPORTED. */
export function nomicRope(raw: JsonObject): Rope {
  return readRope(raw, { thetaField: 'rotary_emb_base', fallback: 1000, types: ['dynamic'] });
}

/** The values that all published models have. */
const kFixed = {
  prenorm: false,
  use_rms_norm: false,
  causal: false,
  parallel_block: false,
  rotary_emb_fraction: 1,
  rotary_emb_interleaved: false,
  scale_attn_weights: true,
  scale_attn_by_inverse_layer_idx: false,
  qkv_proj_bias: false,
  mlp_fc1_bias: false,
  mlp_fc2_bias: false,
  moe_every_n_layers: 0,
  activation_function: 'swiglu',
};

/** Errors: CONFIG (contradictory fields), CONFIG_UNSUPPORTED (a model that differs in more than its sizes). */
export function checkNomic(config: EncoderConfig): void {
  const fields = requireFixed(config, kFixed);
  const width = fields.get('head_dim');
  if (width !== undefined && width !== config.headDim) throw fields.error('head_dim', `${config.headDim}, the width of a head,`, width);
  requireEvenHeads(config);
  nomicRope(config.raw);
}

/**
 * Where the base depends on the length of longer inputs than the model was trained on, no more than that: in a padded batch the numbers would depend on the
 * longest text.
 */
export function longestInput(fields: JsonFields, raw: JsonObject): number | undefined {
  if (!fields.has('rotary_scaling_factor') && !nomicRope(raw).isDynamic) return undefined;
  return fields.integer('max_trained_positions', 1, 1 << 20);
}
