import type { ActivationName } from '../../checkpoint/activation.js';
import { JsonFields, type JsonObject } from '../../checkpoint/json-fields.js';
import type { EncoderConfig } from '../encoder-config.js';

/** Which of the published implementations a config.json belongs to. */
export interface JinaSettings {
  /** That of jina-embeddings-v2-base-code: LayerNorm over queries and keys, a second residual, the gate behind what it gates. */
  readonly normalizesKeys: boolean;
  /** Of the gate. */
  readonly activation: ActivationName;
}

const kActivations: Readonly<Record<string, ActivationName>> = { geglu: 'gelu', reglu: 'relu' };

/** Errors: CONFIG, CONFIG_UNSUPPORTED (another implementation, a feed-forward block without a gate). */
export function readJina(raw: JsonObject): JinaSettings {
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  const map = fields.object('auto_map') ?? {};
  const code = Object.values(map).find((value): value is string => typeof value === 'string') ?? '';
  const [repository = ''] = code.split('--');
  const normalizesKeys = repository.endsWith('qk-post-norm');
  if (!normalizesKeys && code.includes('--') && !repository.endsWith('jina-bert-implementation')) {
    throw fields.error('auto_map', 'jina-bert-implementation or jina-bert-v2-qk-post-norm', repository, 'CONFIG_UNSUPPORTED');
  }
  const type = fields.string('feed_forward_type') ?? 'original';
  const activation = Object.hasOwn(kActivations, type) ? kActivations[type] : undefined;
  if (activation === undefined) throw fields.error('feed_forward_type', '"geglu" or "reglu"', type, 'CONFIG_UNSUPPORTED');
  return { normalizesKeys, activation };
}

/** Errors: CONFIG, CONFIG_UNSUPPORTED. */
export function checkJina({ raw }: EncoderConfig): void {
  readJina(raw);
}
