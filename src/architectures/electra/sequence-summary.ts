import { HIDDEN_ACTIVATION_NAMES, hiddenActivation, type ActivationName } from '../../checkpoint/activation.js';
import { JsonFields, type JsonObject } from '../../checkpoint/json-fields.js';

/** transformers' SequenceSummary, which makes one vector of a sequence for ELECTRA's multiple choice. */
export interface SequenceSummary {
  /** Which token's vector, or the mean of all. */
  readonly type: 'first' | 'last' | 'mean';
  /** Whether a linear layer follows. */
  readonly projects: boolean;
  readonly activation: ActivationName;
}

const kTypes: ReadonlyMap<string, SequenceSummary['type']> = new Map([
  ['first', 'first'],
  ['last', 'last'],
  ['mean', 'mean'],
  ['cls_index', 'last'], // transformers has no index to give here, and then takes the last token
] as const);

/**
 * Reads `summary_type`, `summary_use_proj` and `summary_activation` of a config.json.
 *
 * Errors: CONFIG, CONFIG_UNSUPPORTED (a summary by attention, an activation that is not here).
 */
export function readSequenceSummary(config: JsonObject): SequenceSummary {
  const fields = new JsonFields(config, 'config.json', 'CONFIG');
  const type = fields.string('summary_type') ?? 'first';
  const known = kTypes.get(type);
  if (known === undefined) throw fields.error('summary_type', 'first, last, mean or cls_index', type, 'CONFIG_UNSUPPORTED');
  const name = fields.contains('summary_activation') ? (fields.string('summary_activation') ?? '') : 'gelu';
  const activation = name === '' ? 'none' : hiddenActivation(name);
  if (activation === undefined)
    throw fields.error('summary_activation', `one of ${HIDDEN_ACTIVATION_NAMES.join(', ')}`, name, 'CONFIG_UNSUPPORTED');
  return { type: known, projects: fields.boolean('summary_use_proj') ?? true, activation };
}
