import type { JsonObject } from '../../checkpoint/json-fields.js';
import type { EncoderConfig } from '../encoder-config.js';
import { requireEvenHeads, requireFixed } from '../config-checks.js';
import { readRope, type Rope } from '../rope.js';

/** How queries and keys turn. Errors: CONFIG, CONFIG_UNSUPPORTED. */
export function gteRope(raw: JsonObject): Rope {
  return readRope(raw, { thetaField: 'rope_theta', fallback: raw['model_type'] === 'new' ? 10_000 : 160_000, types: ['ntk'] });
}

/** The values that all published models have. */
const kFixed = { layer_norm_type: 'layer_norm', logn_attention_scale: false, logn_attention_clip1: false, pack_qkv: true };

/** Errors: CONFIG (contradictory fields), CONFIG_UNSUPPORTED (a model that differs in more than its sizes). */
export function checkGte(config: EncoderConfig): void {
  requireFixed(config, kFixed);
  requireEvenHeads(config);
  gteRope(config.raw);
}
