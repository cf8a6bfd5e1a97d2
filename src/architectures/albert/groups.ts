import { JsonFields } from '../../checkpoint/json-fields.js';
import type { EncoderConfig } from '../encoder-config.js';

/** Which layers an ALBERT passes through. */
export interface LayerGroups {
  /** Groups of layers that share nothing. */
  readonly numGroups: number;
  /** Layers of a group, passed through one after the other. */
  readonly layersPerGroup: number;
}

/** Reads `num_hidden_groups` and `inner_group_num`. Errors: CONFIG. */
export function readGroups({ raw, numLayers }: EncoderConfig): LayerGroups {
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  const numGroups = fields.integer('num_hidden_groups', 1, numLayers) ?? 1;
  return { numGroups, layersPerGroup: fields.integer('inner_group_num', 1, 64) ?? 1 };
}
