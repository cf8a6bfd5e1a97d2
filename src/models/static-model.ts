import type { ModelConfig } from '../architectures/config.js';
import { JsonFields, parseJsonObject } from '../checkpoint/json-fields.js';
import { readLabels } from '../checkpoint/labels.js';
import type { TensorInfo } from '../checkpoint/safetensors/safetensors.js';
import type { TokenizerFiles } from '../checkpoint/tokenizer-files.js';
import { WeightMap } from '../checkpoint/weights/weights.js';
import { unexpected } from '../expected.js';
import type { ProgramBuilder, Value } from './program/program.js';

// A table of vectors, one a token, as sentence-transformers' StaticEmbedding and model2vec save it: a text is the mean of its tokens' rows.
// It is a model of no layers: the engine's embed and pool, without special tokens.

/** sentence-transformers' name of the table, then model2vec's. */
const kNames = ['embedding.weight', 'embeddings'];
/** Tokens that are read of one text: its rows are in memory at once. */
const kMostTokens = 1 << 16;
const kMostWidth = 1 << 16;

/** Whether there is a table among a file's tensors. */
export function hasStaticTable(tensors: ReadonlyMap<string, TensorInfo>): boolean {
  return kNames.some((name) => tensors.has(name));
}

/** The table among a file's tensors. Errors: MODEL_MISMATCH, DTYPE_UNSUPPORTED; CONFIG_UNSUPPORTED for tables that other tensors index or weigh. */
export function staticTable(tensors: ReadonlyMap<string, TensorInfo>): TensorInfo {
  const name = kNames.find((each) => tensors.has(each));
  if (name === undefined)
    throw unexpected('MODEL_MISMATCH', `a tensor ${kNames.join(' or ')}`, [...tensors.keys()].slice(0, 8).join(', ') || 'none');
  const beside = ['mapping', 'weights'].find((each) => tensors.has(each));
  if (beside !== undefined)
    throw unexpected('CONFIG_UNSUPPORTED', 'a row for each token of a static model', `a tensor "${beside}" beside the rows`);
  const [rows = 0, width = 0] = tensors.get(name)!.shape;
  if (rows === 0 || width === 0 || width > kMostWidth) {
    throw unexpected(
      'MODEL_MISMATCH',
      `[tokens, width up to ${kMostWidth}] for tensor ${name}`,
      `[${tensors.get(name)!.shape.join(', ')}]`,
    );
  }
  const weights = new WeightMap(tensors, { prefixes: [] });
  const table = weights.take(name, [rows, width]);
  weights.finish();
  return table;
}

/** What stands for a config.json: no layers, no heads. */
export function staticConfig({ shape }: TensorInfo): ModelConfig {
  const [vocabSize, hiddenSize] = [shape[0]!, shape[1]!];
  return {
    modelType: 'bert',
    architectures: [],
    vocabSize,
    hiddenSize,
    embeddingSize: hiddenSize,
    numLayers: 0,
    numHeads: 1,
    headDim: hiddenSize,
    intermediateSize: 0,
    hiddenAct: 'gelu',
    layerNormEps: 1e-12,
    maxPositionEmbeddings: kMostTokens,
    positionOffset: 0,
    maxSequenceLength: kMostTokens,
    typeVocabSize: 0,
    positionEmbeddingType: 'absolute',
    relativeAttentionBuckets: 0,
    padTokenId: undefined,
    tieWordEmbeddings: false,
    isDecoder: false,
    ...readLabels(new JsonFields({}, 'config.json', 'CONFIG')),
    raw: {},
  };
}

/** The rows of the tokens, [tokens, width]. */
export function staticRows(b: ProgramBuilder, table: TensorInfo): Value {
  return b.embed({ word: b.table(table) });
}

/** The same tokenizer without what it puts around texts, and without limits. Errors: TOKENIZER. */
export function withoutSpecialTokens({ tokenizerJson }: TokenizerFiles): TokenizerFiles {
  if (tokenizerJson === undefined) throw unexpected('TOKENIZER', 'tokenizer.json beside a static model', 'none');
  const json = parseJsonObject(tokenizerJson, 'tokenizer.json', 'TOKENIZER');
  return { tokenizerJson: JSON.stringify({ ...json, post_processor: null, truncation: null, padding: null }) };
}
