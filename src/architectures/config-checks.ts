import { HIDDEN_ACTIVATION_NAMES, hiddenActivation, type ActivationName } from '../checkpoint/activation.js';
import { JsonFields } from '../checkpoint/json-fields.js';
import type { EncoderConfig } from './encoder-config.js';

/** The activation that a field names, or `fallback` without one. Errors: CONFIG, CONFIG_UNSUPPORTED (one that is not here). */
export function readActivationName(fields: JsonFields, key: string, fallback: string): ActivationName {
  const name = fields.string(key) ?? fallback;
  const activation = hiddenActivation(name);
  if (activation !== undefined) return activation;
  throw fields.error(key, `one of ${HIDDEN_ACTIVATION_NAMES.join(', ')}`, name, 'CONFIG_UNSUPPORTED');
}

/**
 * The fields of a config.json, of which those that `fixed` names have its values or none: what published code can compute and this library cannot.
 *
 * Errors: CONFIG_UNSUPPORTED.
 */
export function requireFixed({ raw }: EncoderConfig, fixed: Readonly<Record<string, unknown>>): JsonFields {
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  for (const [key, value] of Object.entries(fixed)) {
    const given = fields.get(key);
    if (given !== undefined && given !== value) throw fields.error(key, JSON.stringify(value), given, 'CONFIG_UNSUPPORTED');
  }
  return fields;
}

/** Errors: CONFIG where the halves of a head, which turn against each other, are not equal. */
export function requireEvenHeads({ raw, hiddenSize, headDim }: EncoderConfig): void {
  if (headDim % 2 === 0) return;
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  const key = ['n_embd', 'hidden_size'].find((each) => fields.has(each)) ?? 'hidden_size';
  throw fields.error(key, 'heads of an even width, whose halves turn,', hiddenSize);
}
