// The options of calls that commands offer, and what their help says of them.
import { chunkSchema, embedSchema } from '../../embedding/schemas.js';
import { fillMasksSchema } from '../../generation/masked/schemas.js';
import { answerSchema, classifySchema, entitySchema, fillMaskSchema, rerankSchema, zeroShotSchema } from '../../tasks/schemas.js';
import type {
  AnswerOptions,
  ChunkOptions,
  ClassifyOptions,
  EmbedSyncOptions,
  EntityOptions,
  FillMaskOptions,
  FillMasksOptions,
  RerankOptions,
  ZeroShotOptions,
} from '../../index.js';
import { optionFlags } from './option-flags.js';

/** Of `bertha embed`; how many numbers a vector has is known when the model is. */
export const embedFlags = optionFlags<EmbedSyncOptions>(embedSchema(Infinity), {
  promptName: { says: "one of the model's prompts, put before each text", value: 'name' },
  prompt: 'a prompt of your own, put before each text',
  as: "what the texts are: puts the model's prompt of that name before each",
  normalize: { says: 'scale vectors to length 1 (default: as the model says)', saysNot: 'leave vectors as pooled' },
  dimensions: 'keep the first n numbers of each vector',
  maxLength: "longest input in tokens (default: the model's limit)",
  quantize: 'write vectors in few bytes',
});

/** Of `bertha fill-mask`. */
export const fillMaskFlags = optionFlags<FillMaskOptions>(fillMaskSchema, {
  topK: { short: 'k', says: 'words for each mask (default: 5)' },
  targets: { says: 'score only these words, with commas between them', value: 'words' },
});

/** Of `bertha fill-mask` too: they fill masks together. */
export const maskedFlags = optionFlags<Pick<FillMasksOptions, 'method' | 'iterations' | 'sweeps' | 'seed' | 'temperature'>>(
  fillMasksSchema,
  {
    method: 'fill all masks of a text together: the least certain again in rounds, or drawn one after the other',
    iterations: 'rounds of mask-predict (default: 10)',
    sweeps: 'sweeps of gibbs (default: 10)',
    seed: 'of gibbs: the same seed draws the same text (default: a random one, which is told)',
    temperature: 'of gibbs: divides the logits before a draw (default: 1)',
  },
);

/** Of `bertha classify`. */
export const classifyFlags = optionFlags<ClassifyOptions>(classifySchema, {
  topK: { short: 'k', says: 'labels for each text (default: all)' },
});

/** Of `bertha zero-shot`. */
export const zeroShotFlags = optionFlags<ZeroShotOptions>(zeroShotSchema, {
  multiLabel: 'judge every label by itself',
  hypothesisTemplate: { name: 'template', says: 'the hypothesis, with {} for the label (default: "This example is {}.")' },
});

/** Of `bertha ner`. */
export const entityFlags = optionFlags<EntityOptions>(entitySchema, {
  aggregationStrategy: { name: 'aggregation', value: 'strategy', says: 'how tokens become entities', fallback: 'simple' },
  stride: 'read long texts in windows that share so many tokens (default: cut them)',
});

/** Of `bertha qa`. */
export const answerFlags = optionFlags<AnswerOptions>(answerSchema, {
  topK: { short: 'k', says: 'answers from each text (default: 1)' },
  handleImpossibleAnswer: { name: 'impossible', says: 'let "no answer" win where it is likelier' },
});

/** Of `bertha rerank`. */
export const rerankFlags = optionFlags<RerankOptions>(rerankSchema, {
  topK: { short: 'k', says: 'documents to show (default: all)' },
});

/** Of `bertha chunk`. */
export const chunkFlags = optionFlags<ChunkOptions>(chunkSchema, {
  maxTokens: "longest piece in tokens (default: the model's limit)",
  overlap: 'most tokens that neighbours share (default: 0)',
  boundaries: {
    value: 'kinds',
    says: 'where pieces may begin, with commas between: heading, paragraph, sentence, word (default: all)',
  },
});
