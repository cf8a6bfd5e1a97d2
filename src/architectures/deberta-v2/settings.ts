import type { ActivationName } from '../../checkpoint/activation.js';
import { JsonFields } from '../../checkpoint/json-fields.js';
import { readActivationName } from '../config-checks.js';
import type { EncoderConfig } from '../encoder-config.js';
import type { DistanceBuckets } from './distance-rows.js';

/** Terms of attention's scores beside content and content, by whose vector meets a position's: the query's (c2p) or the key's (p2c). */
export type DistanceTerm = 'c2p' | 'p2c';

/** What config.json says of both versions of DeBERTa. */
export interface DebertaSettings {
  /** Whether scores have terms of content and position; else positions are only added to the embeddings. */
  readonly isRelative: boolean;
  readonly terms: readonly DistanceTerm[];
  /** What `pos_att_type` lists, known terms or `none`. */
  readonly listed: readonly string[];
  /** Distances from this one on are one. */
  readonly longest: number;
  /** Whether positions are added to the embeddings. */
  readonly addsPositions: boolean;
  readonly poolerActivation: ActivationName;
  /** Which of the two masked-word heads transformers has for the model. */
  readonly isLegacy: boolean;
}

/** What only the second version's config.json says. */
export interface DebertaV2Settings extends DebertaSettings, DistanceBuckets {
  /** Whether the projections of queries and keys serve positions too. */
  readonly sharesProjections: boolean;
  readonly normalizesTable: boolean;
  /** Of the convolution beside the first layer. */
  readonly convolution?: { readonly width: number; readonly activation: ActivationName };
}

const kMaxSpan = 1 << 16;
const kTerms = ['c2p', 'p2c'] as const;

const fieldsOf = ({ raw }: EncoderConfig): JsonFields => new JsonFields(raw, 'config.json', 'CONFIG');

/** Reads the fields that both versions have. Errors: CONFIG (malformed, or contradictory), CONFIG_UNSUPPORTED. */
export function readDeberta(config: EncoderConfig): DebertaSettings {
  const fields = fieldsOf(config);
  if (fields.boolean('talking_head') === true) throw fields.error('talking_head', 'false', true, 'CONFIG_UNSUPPORTED');
  requireWidth(fields, 'pooler_hidden_size', config.hiddenSize);
  const isRelative = fields.boolean('relative_attention') ?? false;
  const listed = readTerms(fields);
  const terms = kTerms.filter((name) => listed.includes(name));
  if (isRelative && terms.length === 0)
    throw fields.error('pos_att_type', 'c2p or p2c beside "relative_attention"', fields.get('pos_att_type'), 'CONFIG_UNSUPPORTED');
  const longest = fields.integer('max_relative_positions', -1, kMaxSpan) ?? -1;
  return {
    isRelative,
    terms,
    listed,
    longest: longest < 1 ? config.maxPositionEmbeddings : longest,
    addsPositions: fields.boolean('position_biased_input') ?? true,
    poolerActivation: readActivationName(fields, 'pooler_hidden_act', 'gelu'),
    isLegacy: fields.boolean('legacy') ?? true,
  };
}

/** Reads the fields of the second version. Errors: as `readDeberta`. */
export function readDebertaV2(config: EncoderConfig): DebertaV2Settings {
  const fields = fieldsOf(config);
  requireWidth(fields, 'attention_head_size', config.headDim);
  const common = readDeberta(config);
  const buckets = Math.max(0, fields.integer('position_buckets', -1, kMaxSpan) ?? 0);
  if (common.isRelative && buckets > 0) checkBuckets(fields, buckets, common.longest, config.maxPositionEmbeddings);
  const convolution = readConvolution(fields);
  const normalized = (fields.string('norm_rel_ebd') ?? 'none').toLowerCase().split('|');
  return {
    ...common,
    span: buckets > 0 ? buckets : common.longest,
    buckets,
    sharesProjections: fields.boolean('share_att_key') ?? false,
    normalizesTable: normalized.some((name) => name.trim() === 'layer_norm'),
    ...(convolution && { convolution }),
  };
}

/** Logarithms of distances beyond half of the buckets need a longest distance beyond it. */
function checkBuckets(fields: JsonFields, buckets: number, longest: number, longestInput: number): void {
  const middle = Math.trunc(buckets / 2);
  if (longestInput - 1 <= middle) return;
  if (middle === 0) throw fields.error('position_buckets', 'at least 2, or none,', buckets);
  if (longest - 1 <= middle) throw fields.error('position_buckets', `fewer than twice ${longest - 1}, the largest distance,`, buckets);
}

function requireWidth(fields: JsonFields, key: string, width: number): void {
  const given = fields.get(key);
  if (given !== undefined && given !== width) throw fields.error(key, String(width), given, 'CONFIG_UNSUPPORTED');
}

/** `pos_att_type`: a list, or names between bars. */
function readTerms(fields: JsonFields): readonly string[] {
  const value = fields.get('pos_att_type');
  const names = typeof value === 'string' ? value.toLowerCase().split('|') : (fields.strings('pos_att_type') ?? []);
  const listed = names.map((name) => name.trim());
  const unknown = listed.find((name) => !['c2p', 'p2c', 'none', ''].includes(name));
  if (unknown !== undefined) throw fields.error('pos_att_type', 'c2p and p2c', unknown, 'CONFIG_UNSUPPORTED');
  return listed;
}

function readConvolution(fields: JsonFields): DebertaV2Settings['convolution'] {
  const width = fields.integer('conv_kernel_size', 0, 63) ?? 0;
  if (width === 0) return undefined;
  if (width % 2 === 0) throw fields.error('conv_kernel_size', 'an odd number', width, 'CONFIG_UNSUPPORTED');
  const groups = fields.integer('conv_groups', 1, kMaxSpan) ?? 1;
  if (groups !== 1) throw fields.error('conv_groups', '1', groups, 'CONFIG_UNSUPPORTED');
  return { width, activation: readActivationName(fields, 'conv_act', 'tanh') };
}
