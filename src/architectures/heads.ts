import type { ActivationName } from '../checkpoint/activation.js';
import { unexpected } from '../expected.js';
import type { DropoutPlace } from './dropout.js';
import type { EncoderOutputs } from './encoder.js';
import type { LinearWeights, Value } from '../models/program/program.js';
import type { WeightReader } from './weight-reader.js';

/** Predicts words at the positions that a call selects. */
export interface MaskedLmHead {
  /** [selected, vocab] */
  readonly logits: Value;
  /** `[selected, 1 + 2k]` each: log-sum-exp of the logits, the k largest in falling order, their ids. Rising k. */
  readonly topK: readonly { readonly k: number; readonly value: Value }[];
  /** `[selected, 1 + TARGETS_PER_ROW]`: log-sum-exp, the logits of the words that a call names. */
  readonly targets: Value;
  /** Appends one vector a sequence, over all of its tokens: [sequences, vocab] (SPLADE). */
  readonly pooled?: (options: PooledWords) => Value;
}

/** How the words' logits of a sequence's tokens become one vector. */
export interface PooledWords {
  /** The sum over the tokens; else the largest. */
  readonly sums: boolean;
  /** How often log(1 + x) is applied to what is above 0. */
  readonly logs: 1 | 2;
}

/** What the heads of a checkpoint compute; a head it does not have is absent. */
export interface Heads {
  readonly maskedLm?: MaskedLmHead;
  /** `[sequences, 2]`: logits of "is next" and "is not next". */
  readonly nextSentence?: Value;
  /** [sequences, labels] */
  readonly sequenceClassification?: Value;
  /** [tokens, labels] */
  readonly tokenClassification?: Value;
  /** `[tokens, 2]`: logits of being the first and the last token of the answer. */
  readonly questionAnswering?: Value;
  /** `[sequences, 1]`: one sequence a choice. */
  readonly multipleChoice?: Value;
  /** `[tokens, 1]`: logit of "not the original token". */
  readonly replacedToken?: Value;
}

/**
 * Appends a head to a program; undefined where the checkpoint has nothing of it.
 *
 * Errors: MODEL_MISMATCH, CONFIG_UNSUPPORTED; tensors that are missing or misshapen go to the account of `read`.
 */
export type HeadBuilder<K extends keyof Heads = keyof Heads> = (read: WeightReader, encoder: EncoderOutputs) => Heads[K] | undefined;

/** How an architecture builds its heads, those first that are to read a tensor which several could read. */
export type HeadBuilders = { readonly [K in keyof Heads]?: HeadBuilder<K> };

/** The k for which a program can be asked; a call takes the smallest that is enough, and beyond the last one the logits themselves. */
const kTopK = [16, 256] as const;

/** Where an architecture stores the product that makes logits of words. */
export interface WordNames {
  /** Absent where the code has no decoder but the word embeddings. */
  readonly decoder?: string;
  /** The decoder's bias where it shares the word embeddings' matrix. */
  readonly tiedBias: string;
  /** The word embeddings' matrix, where it is not `wordTable`. */
  readonly table?: string;
}

/** Where an architecture stores its masked-word head. */
export interface MaskedLmNames extends WordNames {
  readonly dense: string;
  readonly norm: string;
  readonly activation: ActivationName;
  /** What has a bias, where not all have. */
  readonly biases?: { readonly dense: boolean; readonly norm: boolean; readonly decoder: boolean };
}

/** What most families call the word embeddings' matrix. */
export const wordTable = 'embeddings.word_embeddings.weight';

/**
 * The product that makes logits of words: a matrix of its own where the checkpoint has one, else with `tie_word_embeddings` the word
 * embeddings again. As in transformers 5, a stored decoder counts even where the config calls it tied.
 */
export function wordMatrix(read: WeightReader, names: WordNames, hasBias = true): LinearWeights {
  const { embeddingSize, vocabSize, tieWordEmbeddings } = read.config;
  const own = names.decoder === undefined ? undefined : { weight: `${names.decoder}.weight`, bias: `${names.decoder}.bias` };
  const isTied = own === undefined || (tieWordEmbeddings && !read.has(own.weight));
  const bias = own !== undefined && read.has(own.bias) ? own.bias : names.tiedBias;
  return {
    weight: read.matrix(isTied ? (names.table ?? wordTable) : own.weight, vocabSize, embeddingSize),
    ...(hasBias ? { bias: read.vector(bias, vocabSize) } : {}),
  };
}

/** Dense, activation, LayerNorm, and the words' matrix after it; undefined where the checkpoint has no such head. */
function wordHead(
  read: WeightReader,
  names: MaskedLmNames,
): { readonly transform: (x: Value) => Value; readonly decoder: LinearWeights } | undefined {
  if (!read.has(`${names.dense}.weight`)) return undefined;
  const { b } = read;
  const { biases = { dense: true, norm: true, decoder: true } } = names;
  const { hiddenSize, embeddingSize, layerNormEps } = read.config;
  const dense = read.linear(names.dense, embeddingSize, hiddenSize, biases.dense);
  const norm = read.norm(names.norm, embeddingSize, biases.norm);
  const transform = (x: Value): Value => b.layerNorm(b.linear(x, dense, { activation: names.activation }), norm, layerNormEps);
  return { transform, decoder: wordMatrix(read, names, biases.decoder) };
}

/** The same over every row of a decoder's states: [rows, hidden] → [rows, vocab]. */
export function wordLogits(read: WeightReader, states: Value, names: MaskedLmNames): Value | undefined {
  const head = wordHead(read, names);
  return head && read.b.linear(head.transform(states), head.decoder);
}

/** Dense, activation, LayerNorm, then the words' matrix, at the positions that a call selects. */
export function maskedLm(read: WeightReader, encoder: EncoderOutputs, names: MaskedLmNames): MaskedLmHead | undefined {
  const head = wordHead(read, names);
  if (head === undefined) return undefined;
  const { b } = read;
  const states = encoder.hiddenStates.at(-1)!;
  const logits = b.linear(head.transform(b.selectedTokens(states)), head.decoder);
  const ks = [...new Set(kTopK.map((k) => Math.min(k, read.config.vocabSize)))];
  return {
    logits,
    topK: ks.map((k) => ({ k, value: b.topK(logits, k) })),
    targets: b.pickTargets(logits),
    pooled: (options) => b.poolLinear(head.transform(states), head.decoder, options),
  };
}

/** One linear layer over every token: `classifier`, one row a label. */
export const tokenClassification: HeadBuilder<'tokenClassification'> = (read, encoder) => {
  const { hiddenSize, numLabels } = read.config;
  if (!read.has('classifier.weight')) return undefined;
  const states = read.dropout(encoder.hiddenStates.at(-1)!, 'tokens');
  return read.b.linear(states, read.linear('classifier', numLabels, hiddenSize));
};

/** One linear layer over every token: `qa_outputs`, start and end. */
export const questionAnswering: HeadBuilder<'questionAnswering'> = (read, encoder) => {
  if (!read.has('qa_outputs.weight')) return undefined;
  const states = read.dropout(encoder.hiddenStates.at(-1)!, 'question');
  return read.b.linear(states, read.linear('qa_outputs', 2, read.config.hiddenSize));
};

/** The pooler's output. Errors: MODEL_MISMATCH where the checkpoint has none. */
export function requirePooler(encoder: EncoderOutputs, head: string): Value {
  if (encoder.poolerOutput !== undefined) return encoder.poolerOutput;
  throw unexpected('MODEL_MISMATCH', `a pooler ("pooler.dense.weight") for the head ${head}`, 'a checkpoint without one');
}

/** `classifier` over the pooler's output: one row a label, or one in all for multiple choice. `place` says how much is dropped before it. */
export function pooledClassifier(
  read: WeightReader,
  encoder: EncoderOutputs,
  rows: number,
  place: DropoutPlace = 'classifier',
): Value | undefined {
  if (!read.has('classifier.weight')) return undefined;
  const pooled = read.dropout(requirePooler(encoder, 'classifier'), place);
  return read.b.linear(pooled, read.linear('classifier', rows, read.config.hiddenSize));
}

/** Class scores over the pooler's output. */
export const pooledClassification: HeadBuilder<'sequenceClassification'> = (read, encoder) =>
  pooledClassifier(read, encoder, read.config.numLabels);

/** A score for each choice over the pooler's output. */
export const pooledMultipleChoice: HeadBuilder<'multipleChoice'> = (read, encoder) => pooledClassifier(read, encoder, 1);

/** Two layers over the first token: dense and activation, then one row a label. `dropsInput`: where numbers are dropped in front of both. */
export function firstTokenClassifier(
  read: WeightReader,
  encoder: EncoderOutputs,
  names: { readonly dense: string; readonly output: string; readonly activation: ActivationName; readonly dropsInput?: DropoutPlace },
  rows: number,
): Value | undefined {
  if (!read.has(`${names.output}.weight`) || !read.has(`${names.dense}.weight`)) return undefined;
  const { b, config } = read;
  const firstToken = b.firstTokens(encoder.hiddenStates.at(-1)!);
  const first = names.dropsInput === undefined ? firstToken : read.dropout(firstToken, names.dropsInput);
  const options = { activation: names.activation, ...read.dropoutSite('classifier') };
  const dense = b.linear(first, read.linear(names.dense, config.hiddenSize, config.hiddenSize), options);
  return b.linear(dense, read.linear(names.output, rows, config.hiddenSize));
}
