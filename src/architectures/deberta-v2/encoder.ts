import type { Value } from '../../models/program/program.js';
import { encoderLayers, type AttentionTerms, type EncoderLayer, type EncoderOutputs } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';
import { distanceRows, type DistanceBuckets } from './distance-rows.js';
import { debertaEmbeddings } from './embeddings.js';
import { readDebertaV2, type DebertaSettings, type DebertaV2Settings, type DistanceTerm } from './settings.js';

/** DeBERTa v2 and v3. */
export function debertaV2Encoder(read: WeightReader): EncoderOutputs {
  const { config, b } = read;
  const settings = readDebertaV2(config);
  const embeddings = debertaEmbeddings(read);
  const layers = Array.from({ length: config.numLayers }, (_, layer) => readLayer(read, `encoder.layer.${layer}`, settings));
  const norm = settings.isRelative && settings.normalizesTable ? read.norm('encoder.LayerNorm', config.hiddenSize) : undefined;
  const terms = distanceTerms(read, settings, {
    scaleTerms: settings.terms.length,
    buckets: settings,
    normalize: (table) => (norm === undefined ? table : b.layerNorm(table, norm, config.layerNormEps)),
    projections: (layer, table) => layers[layer]!.ofDistances(table),
  });
  const { convolution } = settings;
  if (convolution === undefined) return encoderLayers(read, embeddings, layers, { terms });
  const beside = (output: Value, layer: number): Value => (layer === 0 ? convolved(read, convolution, embeddings, output) : output);
  return encoderLayers(read, embeddings, layers, { terms, afterLayer: beside });
}

/** What a layer makes of the table of distances: keys, which queries meet (c2p), and queries, which keys meet (p2c). */
type DistanceProjections = Readonly<Record<DistanceTerm, () => Value>>;

function readLayer(
  read: WeightReader,
  name: string,
  { sharesProjections }: DebertaV2Settings,
): EncoderLayer & { readonly ofDistances: (table: Value) => DistanceProjections } {
  const { b, config } = read;
  const { hiddenSize } = config;
  const self = `${name}.attention.self`;
  const qkv = read.stacked(['query', 'key', 'value'].map((part) => `${self}.${part}_proj`));
  const own = (table: Value, part: string): Value => b.linear(table, read.linear(`${self}.${part}`, hiddenSize, hiddenSize));
  const ofDistances = (table: Value): DistanceProjections => {
    if (!sharesProjections) return { c2p: () => own(table, 'pos_key_proj'), p2c: () => own(table, 'pos_query_proj') };
    const all = b.linear(table, qkv);
    return { c2p: () => b.columns(all, hiddenSize, hiddenSize), p2c: () => b.columns(all, 0, hiddenSize) };
  };
  return { qkv, ...readBlock(read, name), ofDistances };
}

/** What all versions' layers have behind attention, under BERT's names. */
export function readBlock(read: WeightReader, name: string): Omit<EncoderLayer, 'qkv'> {
  const { hiddenSize, intermediateSize } = read.config;
  return {
    attentionOutput: read.linear(`${name}.attention.output.dense`, hiddenSize, hiddenSize),
    attentionNorm: read.norm(`${name}.attention.output.LayerNorm`, hiddenSize),
    intermediate: read.linear(`${name}.intermediate.dense`, intermediateSize, hiddenSize),
    output: read.linear(`${name}.output.dense`, hiddenSize, intermediateSize),
    outputNorm: read.norm(`${name}.output.LayerNorm`, hiddenSize),
  };
}

/** How a version makes its terms of distances. */
interface DistanceOptions {
  /** Scores are divided by √(headDim · (1 + this)). */
  readonly scaleTerms: number;
  readonly buckets: DistanceBuckets;
  readonly normalize: (table: Value) => Value;
  readonly projections: (layer: number, table: Value) => DistanceProjections;
}

/** The terms of a layer's scores: what its projections make of the table of distances, which is a function of the weights alone. */
export function distanceTerms(
  read: WeightReader,
  { isRelative, terms }: DebertaSettings,
  { scaleTerms, buckets: rows, normalize, projections }: DistanceOptions,
): (layer: number) => AttentionTerms {
  const { b, config } = read;
  const softmaxScale = 1 / Math.sqrt(config.headDim * (1 + scaleTerms));
  if (!isRelative) return () => ({ softmaxScale });
  const table = normalize(b.constant(read.table('encoder.rel_embeddings.weight', 2 * rows.span, config.hiddenSize)));
  const buckets = distanceRows(rows, config.maxSequenceLength);
  return (layer) => {
    const { c2p, p2c } = projections(layer, read.dropout(table, 'hidden'));
    return {
      softmaxScale,
      disentangled: {
        buckets,
        ...(terms.includes('c2p') ? { contentToPosition: c2p() } : {}),
        ...(terms.includes('p2c') ? { positionToContent: p2c() } : {}),
      },
    };
  };
}

/** LayerNorm(output + activation(convolution of the embeddings)), as deberta-v2-xlarge has beside its first layer. */
function convolved(
  read: WeightReader,
  { width, activation }: NonNullable<DebertaV2Settings['convolution']>,
  embeddings: Value,
  output: Value,
): Value {
  const { b, config } = read;
  const { hiddenSize, layerNormEps } = config;
  const neighbours = read.dropout(read.convolution(embeddings, 'encoder.conv.conv', [hiddenSize, hiddenSize, width]), 'hidden');
  const summed = b.activate(neighbours, activation, output);
  return b.layerNorm(summed, read.norm('encoder.conv.LayerNorm', hiddenSize), layerNormEps);
}
