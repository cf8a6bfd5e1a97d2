import type { Value } from '../../models/program/program.js';
import { JsonFields } from '../../checkpoint/json-fields.js';
import { decoderLayers, type CrossNames, type DecoderBuilder, type DecoderOutputs, type TokenRows } from '../encoder-decoder/decoder.js';
import { encoderLayers, readLayers, type EncoderOutputs, type LayerNames } from '../encoder.js';
import type { EncoderConfig } from '../encoder-config.js';
import type { WeightReader } from '../weight-reader.js';

type Half = 'encoder' | 'decoder';

/** What tells apart the families that have these layers. */
export interface HalfStyle {
  /** Rows of the position table before the first token's. */
  readonly unreadPositions: number;
  /** What norms the embeddings, where anything does. */
  readonly norm?: string;
}

/** Marian's: positions are sines and cosines, and nothing is normed. */
export const plainStyle: HalfStyle = { unreadPositions: 0 };

/** Which tables there are. Errors: CONFIG. */
function readSettings({ raw }: EncoderConfig): { readonly sharesTables: boolean; readonly scales: boolean } {
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  return {
    sharesTables: fields.boolean('share_encoder_decoder_embeddings') ?? true,
    scales: fields.boolean('scale_embedding') ?? false,
  };
}

/** The name of a half's word table. */
function tableOf(config: EncoderConfig, half: Half): string {
  return readSettings(config).sharesTables ? 'shared.weight' : `${half}.embed_tokens.weight`;
}

/** One table has up to four names, of which a file keeps some. */
export function tableAliases(config: EncoderConfig): ReadonlyMap<string, string> {
  const ofDecoder: [string, string][] = config.tieWordEmbeddings ? [['decoder.embed_tokens.weight', 'lm_head.weight']] : [];
  const ofBoth: [string, string][] = [
    ['shared.weight', 'encoder.embed_tokens.weight'],
    ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'],
  ];
  return new Map(readSettings(config).sharesTables ? [...ofBoth, ...ofDecoder] : ofDecoder);
}

/** Words, scaled where the config says so, and positions, by a table or by sines and cosines: [rows, hidden]. */
function embeddings(read: WeightReader, half: Half, { unreadPositions, norm }: HalfStyle): Value {
  const { b, config } = read;
  const { vocabSize, hiddenSize, maxPositionEmbeddings, layerNormEps } = config;
  const rows: TokenRows = half === 'encoder' ? 'tokens' : 'target';
  const positions = `${half}.embed_positions.weight`;
  const isStored = norm !== undefined || read.has(positions);
  const sum = b.embed({
    word: read.table(tableOf(config, half), vocabSize, hiddenSize),
    ...(isStored ? { position: read.table(positions, maxPositionEmbeddings + unreadPositions, hiddenSize) } : { sinusoidal: true }),
    positionOffset: unreadPositions,
    ...(readSettings(config).scales ? { scale: Math.sqrt(hiddenSize) } : {}),
    rows,
  });
  const x = norm === undefined ? sum : b.layerNorm(sum, read.norm(`${half}.${norm}`, hiddenSize), layerNormEps);
  return read.dropout(x, 'embeddings');
}

function layerNames(half: Half): (layer: number) => LayerNames {
  return (layer) => {
    const name = `${half}.layers.${layer}`;
    return {
      ...attentionNames(name, 'self_attn'),
      intermediate: `${name}.fc1`,
      output: `${name}.fc2`,
      outputNorm: `${name}.final_layer_norm`,
    };
  };
}

function attentionNames(layer: string, kind: 'self_attn' | 'encoder_attn'): CrossNames {
  const name = `${layer}.${kind}`;
  return {
    query: `${name}.q_proj`,
    key: `${name}.k_proj`,
    value: `${name}.v_proj`,
    attentionOutput: `${name}.out_proj`,
    attentionNorm: `${name}_layer_norm`,
  };
}

/** The encoder's half. */
export function encoderOf(style: HalfStyle): (read: WeightReader) => EncoderOutputs {
  return (read) => encoderLayers(read, embeddings(read, 'encoder', style), readLayers(read, layerNames('encoder')));
}

/** The decoder's half, and the words' table again with a bias of its own. */
export function decoderOf(style: HalfStyle): DecoderBuilder {
  return (read, source) => appendDecoder(read, style, source);
}

function appendDecoder(read: WeightReader, style: HalfStyle, source: Value | undefined): DecoderOutputs {
  const { b, config } = read;
  const cross = source && { states: source, namesOf: (layer: number) => attentionNames(`decoder.layers.${layer}`, 'encoder_attn') };
  const outputs = decoderLayers(read, embeddings(read, 'decoder', style), readLayers(read, layerNames('decoder')), cross);
  const matrix = config.tieWordEmbeddings ? tableOf(config, 'decoder') : 'lm_head.weight';
  const logits = b.linear(outputs.hiddenStates.at(-1)!, {
    weight: read.matrix(matrix, config.vocabSize, config.hiddenSize),
    // A buffer of zeros where a file leaves it out.
    ...(read.has('final_logits_bias') ? { bias: read.rowVector('final_logits_bias', config.vocabSize) } : {}),
  });
  return { ...outputs, logits };
}
