import type { JsonObject } from '../../checkpoint/json-fields.js';
import { unexpected } from '../../expected.js';
import { received } from '../../options.js';

/** Fields of config.json of the two models. */
export interface ElectraConfigs {
  readonly discriminator: JsonObject;
  readonly generator: JsonObject;
}

/** transformers' defaults of ElectraConfig. */
const kDefaults = { hidden_size: 256, num_attention_heads: 4, intermediate_size: 1024, embedding_size: 128 };

/**
 * The configurations of a discriminator and of its generator, which has the share `generatorSize` of its heads (one at least) and as narrow layers; embeddings are of
 * the same width. Errors: INVALID_OPTION.
 */
export function electraConfigs(fields: JsonObject, generatorSize: number): ElectraConfigs {
  if ((fields['model_type'] ?? 'electra') !== 'electra') {
    throw unexpected('INVALID_OPTION', 'a config of model_type "electra" for replaced-tokens', received(fields['model_type']));
  }
  const discriminator = { ...kDefaults, ...fields, model_type: 'electra' };
  const [hidden, heads, intermediate] = [
    count(discriminator, 'hidden_size'),
    count(discriminator, 'num_attention_heads'),
    count(discriminator, 'intermediate_size'),
  ];
  const own = Math.max(1, Math.round(heads * generatorSize));
  const narrow = {
    num_attention_heads: own,
    hidden_size: (hidden / heads) * own,
    intermediate_size: Math.max(1, Math.round((intermediate * own) / heads)),
  };
  return { discriminator, generator: { ...discriminator, ...narrow } };
}

function count(fields: JsonObject, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw unexpected('INVALID_OPTION', `a positive whole number for ${name} of pretrain option config`, received(value));
}
