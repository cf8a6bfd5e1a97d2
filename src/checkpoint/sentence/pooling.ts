import { JsonFields, parseJsonObject } from '../json-fields.js';

/** Ways to make one vector of a sequence's token vectors, as sentence-transformers names them. */
export const POOLING_MODES = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const;
export type PoolingMode = (typeof POOLING_MODES)[number];

/** The Pooling module of a sentence-transformers directory. */
export interface PoolingConfig {
  /** One or more; the vectors of several are concatenated in this order. */
  readonly modes: readonly PoolingMode[];
  /** Whether the tokens of a prompt take part. */
  readonly includePrompt: boolean;
  /** Width of a token vector. */
  readonly wordEmbeddingDimension: number;
}

/** The booleans of the first generation, in the order in which sentence-transformers concatenates. */
const BOOLEAN_KEYS: readonly (readonly [string, PoolingMode])[] = [
  ['pooling_mode_cls_token', 'cls'],
  ['pooling_mode_max_tokens', 'max'],
  ['pooling_mode_mean_tokens', 'mean'],
  ['pooling_mode_mean_sqrt_len_tokens', 'mean_sqrt_len_tokens'],
  ['pooling_mode_weightedmean_tokens', 'weightedmean'],
  ['pooling_mode_lasttoken', 'lasttoken'],
];
const kMostModes = 16;

/**
 * Parses the config.json of a Pooling module, of either generation: one boolean per mode (mean where none is set), or since
 * sentence-transformers 5.4 `pooling_mode` with one name or a list.
 *
 * Errors: POOLING (malformed, an unknown mode, two generations that disagree, a width other than `hiddenSize`
 * where that is known).
 */
export function parsePooling(text: string, file: string, hiddenSize?: number): PoolingConfig {
  const fields = new JsonFields(parseJsonObject(text, file, 'POOLING'), file, 'POOLING');
  const booleans = readBooleans(fields);
  const named = readNames(fields);
  if (booleans.length > 0 && named !== undefined && [...booleans].sort().join() !== [...named].sort().join()) {
    throw fields.error('pooling_mode', `the modes of the pooling_mode_* booleans beside it (${booleans.join(', ')})`, named.join(', '));
  }
  const modes = named ?? booleans;
  return {
    modes: modes.length === 0 ? ['mean'] : modes,
    includePrompt: fields.boolean('include_prompt') ?? true,
    wordEmbeddingDimension: readWidth(fields, hiddenSize),
  };
}

function readBooleans(fields: JsonFields): readonly PoolingMode[] {
  const known = new Map(BOOLEAN_KEYS);
  for (const key of fields.keys().filter((name) => name.startsWith('pooling_mode_') && !known.has(name))) {
    if (fields.boolean(key) === true) throw fields.error(key, `one of ${[...known.keys()].join(', ')}`, true);
  }
  return BOOLEAN_KEYS.filter(([key]) => fields.boolean(key) === true).map(([, mode]) => mode);
}

function readNames(fields: JsonFields): readonly PoolingMode[] | undefined {
  const value = fields.get('pooling_mode');
  if (value === undefined) return undefined;
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (names.length === 0 || names.length > kMostModes) throw fields.error('pooling_mode', `1..${kMostModes} modes`, value);
  return names.map((name) => {
    const mode = POOLING_MODES.find((known) => known === name);
    if (mode === undefined) throw fields.error('pooling_mode', `one of ${POOLING_MODES.join(', ')}`, name);
    return mode;
  });
}

function readWidth(fields: JsonFields, hiddenSize: number | undefined): number {
  for (const key of ['word_embedding_dimension', 'embedding_dimension']) {
    const width = fields.integer(key, 1, Number.MAX_SAFE_INTEGER);
    if (width === undefined) continue;
    if (hiddenSize !== undefined && width !== hiddenSize) throw fields.error(key, `${hiddenSize}, the model's hidden size,`, width);
    return width;
  }
  throw fields.error('word_embedding_dimension', 'a width ("embedding_dimension" since version 5.4)', undefined);
}
