import { HIDDEN_ACTIVATION_NAMES, hiddenActivation, type ActivationName } from '../checkpoint/activation.js';
import type { JsonFields } from '../checkpoint/json-fields.js';

/** The activation that a field names, or `fallback` without one. Errors: CONFIG, CONFIG_UNSUPPORTED (one that is not here). */
export function readActivationName(fields: JsonFields, key: string, fallback: string): ActivationName {
  const name = fields.string(key) ?? fallback;
  const activation = hiddenActivation(name);
  if (activation !== undefined) return activation;
  throw fields.error(key, `one of ${HIDDEN_ACTIVATION_NAMES.join(', ')}`, name, 'CONFIG_UNSUPPORTED');
}
