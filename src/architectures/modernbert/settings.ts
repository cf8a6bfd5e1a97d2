import type { ActivationName } from '../../checkpoint/activation.js';
import { JsonFields } from '../../checkpoint/json-fields.js';
import type { EncoderConfig } from '../encoder-config.js';
import { readActivationName, requireEvenHeads } from '../config-checks.js';
import { readRope, type Rope } from '../rope.js';

const kKinds = ['full_attention', 'sliding_attention'] as const;
type LayerKind = (typeof kKinds)[number];

/** What only ModernBERT's config.json says. */
export interface ModernBertSettings {
  /** Whether each layer sees all tokens, or its neighbours. */
  readonly layers: readonly LayerKind[];
  readonly ropes: Readonly<Record<LayerKind, Rope>>;
  /** Tokens that a sliding layer sees to either side. */
  readonly window: number;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly normBias: boolean;
  /** Of the heads' dense layer, and of the decoder. */
  readonly classifierBias: boolean;
  readonly decoderBias: boolean;
  readonly classifierActivation: ActivationName;
  readonly pooling: 'cls' | 'mean';
}

/** Reads the fields of transformers 4 and 5. Errors: CONFIG (malformed, or the two disagree), CONFIG_UNSUPPORTED. */
export function readModernBert({ raw, numLayers }: EncoderConfig): ModernBertSettings {
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  const flag = (key: string, fallback = false): boolean => fields.boolean(key) ?? fallback;
  const rope = (section: LayerKind, thetaField: string, fallback: number): Rope =>
    readRope(raw, { thetaField, fallback, types: [], section });
  const pooling = fields.string('classifier_pooling') ?? 'cls';
  if (pooling !== 'cls' && pooling !== 'mean') throw fields.error('classifier_pooling', '"cls" or "mean"', pooling, 'CONFIG_UNSUPPORTED');
  return {
    layers: readLayerKinds(fields, numLayers),
    ropes: {
      full_attention: rope('full_attention', 'global_rope_theta', 160_000),
      sliding_attention: rope('sliding_attention', 'local_rope_theta', 10_000),
    },
    window: Math.trunc((fields.integer('local_attention', 2, 1 << 20) ?? 128) / 2),
    attentionBias: flag('attention_bias'),
    mlpBias: flag('mlp_bias'),
    normBias: flag('norm_bias'),
    classifierBias: flag('classifier_bias'),
    decoderBias: flag('decoder_bias', true),
    classifierActivation: readActivationName(fields, 'classifier_activation', 'gelu'),
    pooling,
  };
}

/** Errors: CONFIG, CONFIG_UNSUPPORTED. */
export function checkModernBert(config: EncoderConfig): void {
  requireEvenHeads(config);
  readModernBert(config);
}

function readLayerKinds(fields: JsonFields, numLayers: number): LayerKind[] {
  const every = fields.integer('global_attn_every_n_layers', 1, 1 << 20);
  const byNumber = (step: number): LayerKind[] =>
    Array.from({ length: numLayers }, (_, layer) => (layer % step === 0 ? 'full_attention' : 'sliding_attention'));
  const named = fields.strings('layer_types');
  if (named === undefined) return byNumber(every ?? 3);
  const kinds = named.map((name) => {
    const kind = kKinds.find((each) => each === name);
    if (kind === undefined) throw fields.error('layer_types', kKinds.join(' or '), name, 'CONFIG_UNSUPPORTED');
    return kind;
  });
  if (kinds.length !== numLayers) throw fields.error('layer_types', `${numLayers} entries, one a layer,`, `${kinds.length} entries`);
  if (every === undefined || byNumber(every).every((kind, layer) => kind === kinds[layer])) return kinds;
  throw fields.error('global_attn_every_n_layers', 'the layers that "layer_types" names', every);
}
