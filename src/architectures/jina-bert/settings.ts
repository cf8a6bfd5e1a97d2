import type { ActivationName } from '../../checkpoint/activation.js';
import { JsonFields, type JsonObject } from '../../checkpoint/json-fields.js';
import type { EncoderConfig } from '../encoder-config.js';

const kActivations: Readonly<Record<string, ActivationName>> = { geglu: 'gelu', reglu: 'relu' };

/**
 * The activation of the gates.
 *
 * Errors: CONFIG, CONFIG_UNSUPPORTED (another implementation, such as that of jina-embeddings-v2-base-code, which normalizes queries and keys; a feed-forward
 * block without a gate).
 */
export function readJina(raw: JsonObject): { readonly activation: ActivationName } {
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  const code = Object.values(fields.object('auto_map') ?? {}).find((value): value is string => typeof value === 'string') ?? '';
  const [repository = ''] = code.split('--');
  if (code.includes('--') && !repository.endsWith('jina-bert-implementation')) {
    throw fields.error('auto_map', 'jinaai/jina-bert-implementation', repository, 'CONFIG_UNSUPPORTED');
  }
  const type = fields.string('feed_forward_type') ?? 'original';
  const activation = Object.hasOwn(kActivations, type) ? kActivations[type] : undefined;
  if (activation === undefined) throw fields.error('feed_forward_type', '"geglu" or "reglu"', type, 'CONFIG_UNSUPPORTED');
  return { activation };
}

/** Errors: CONFIG, CONFIG_UNSUPPORTED. */
export function checkJina({ raw }: EncoderConfig): void {
  readJina(raw);
}
