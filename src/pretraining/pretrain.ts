import path from 'node:path';
import type { JsonObject } from '../checkpoint/json-fields.js';
import { unexpected } from '../expected.js';
import { filePath, type FilePath } from '../file-path.js';
import { readModelPath, resolveModel, type ModelPath } from '../hub/index.js';
import type { Model } from '../models/model.js';
import { abortSignal, callback, finite, flag, integer, oneOf, readOptions, received, type Check } from '../options.js';
import { Budget } from '../runtime/event-loop-budget.js';
import {
  createModel,
  trainingArguments,
  Trainer,
  type TrainerCallback,
  type TrainingArgumentsOptions,
  type TrainOptions,
} from '../training/index.js';
import { inTemporaryFolder } from './temporary-folder.js';
import type { MaskingOptions } from '../training/collators/masking.js';
import { LearningModel } from '../training/program/learning-model.js';
import { readDocuments, type CorpusFormat } from './corpus/documents.js';
import { TokenArena } from './corpus/token-arena.js';
import { openCorpus, type TextSource } from './corpus/text-source.js';
import { drawExamples, type PairObjective, type PretrainingExample } from './examples/draw-examples.js';
import { PretrainingCollator, pretrainingMetrics, type PretrainingPrediction } from './examples/pretraining-collator.js';
import { modelSizes, type ModelSize } from './model-sizes.js';
import type { WordPieceVocabulary } from './vocabulary/train-wordpiece.js';

/** What is learned: masked words, and whether B follows A (`nsp`) or stands behind it (`sop`). */
export type PretrainingObjective = 'mlm' | 'mlm+nsp' | 'mlm+sop';

/** Options of `pretrain`: what is learned from which text, masking, and all training arguments. */
export interface PretrainOptions extends TrainingArgumentsOptions, TrainOptions, MaskingOptions {
  readonly corpus: TextSource;
  /** Held-out text, for MLM loss, accuracy, perplexity and the accuracy of pairs. */
  readonly evalCorpus?: TextSource;
  /** 'sentences' (default for files): one a line, blank lines between documents; 'documents' (default for iterables): one a line or item. */
  readonly corpusFormat?: CorpusFormat;
  /** A model to go on with: a directory or an id on the Hub. */
  readonly model?: ModelPath;
  /** A new model instead: a size of BERT, or fields of config.json. */
  readonly config?: ModelSize | JsonObject;
  /** Of a new model: a directory, or what `trainWordPiece` gave. */
  readonly tokenizer?: FilePath | WordPieceVocabulary;
  /** Default 'mlm+nsp'. */
  readonly objective?: PretrainingObjective;
  /** Longest sequence in tokens. Default 128, and never more than the model has positions. */
  readonly maxLength?: number;
  /** Share of examples that aim at a random shorter length. Default 0.1, as google-research's BERT. */
  readonly shortSeqProb?: number;
  /** Masks the same words in every epoch. Default false. */
  readonly staticMasks?: boolean;
  readonly callbacks?: readonly TrainerCallback[];
  /** Bytes of the corpus that have been read, while it is tokenized. */
  readonly onProgress?: (bytes: number, totalBytes: number | undefined) => void;
}

/** What `pretrain` gives. */
export interface PretrainedModel {
  /** The model, ready to be used by any task. It holds native memory until `dispose`. */
  readonly model: Model;
  /** Of the training, and of evalCorpus at its end: `eval_mlm_loss`, `eval_mlm_accuracy`, `eval_perplexity`, `eval_pair_accuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Sequences of the corpus, and its tokens. */
  readonly examples: number;
  readonly tokens: number;
}

const anything: Check<unknown> = (value) => value;
const share: Check<number> = (value, name) => {
  const number = finite(value, name);
  if (number >= 0 && number <= 1) return number;
  throw unexpected('INVALID_OPTION', `a number from 0 to 1 for ${name}`, received(value));
};
const schema = {
  corpus: anything,
  evalCorpus: anything,
  corpusFormat: oneOf(['sentences', 'documents']),
  model: anything,
  config: anything,
  tokenizer: anything,
  objective: oneOf(['mlm', 'mlm+nsp', 'mlm+sop']),
  maxLength: integer(4, 1 << 20),
  shortSeqProb: share,
  staticMasks: flag,
  maskingRule: oneOf(['transformers', 'google']),
  mlmProbability: share,
  maskReplaceProb: share,
  randomReplaceProb: share,
  wholeWordMask: flag,
  maxPredictionsPerSequence: integer(1, 1 << 20),
  callbacks: anything,
  signal: abortSignal,
  resumeFromCheckpoint: anything,
  onProgress: callback,
};
const pairsOf = { mlm: 'none', 'mlm+nsp': 'next-sentence', 'mlm+sop': 'sentence-order' } as const satisfies Record<
  PretrainingObjective,
  PairObjective
>;

/**
 * Teaches a new BERT, or one that goes on, from raw text: masked words, and next sentences or their order. With `outputDir` the result is
 * saved there as transformers' class for it (BertForPreTraining or BertForMaskedLM). The tokens of the corpus are held in memory, in two
 * bytes each for vocabularies up to 65,536.
 *
 * ```js
 * const tokenizer = await trainWordPiece('corpus.txt', { vocabSize: 8000 });
 * const { model, metrics } = await pretrain({ corpus: 'corpus.txt', tokenizer, config: 'tiny', outputDir: 'my-bert', learningRate: 1e-3 });
 * ```
 *
 * Errors: INVALID_OPTION, INVALID_ARG (a corpus of one document for next sentences), EMPTY_INPUT, IO, CONFIG, TOKENIZER, MAX_LENGTH; those
 * of `loadModel` and of `Trainer.train`.
 */
export async function pretrain(options: PretrainOptions): Promise<PretrainedModel> {
  const given = Object.entries(options ?? {});
  const own = readOptions(
    'pretrain',
    Object.fromEntries(given.filter(([name]) => Object.hasOwn(schema, name))),
    schema,
  ) as unknown as PretrainOptions;
  const args = trainingArguments(Object.fromEntries(given.filter(([name]) => !Object.hasOwn(schema, name))));
  if (own.corpus === undefined) throw unexpected('INVALID_OPTION', 'text for pretrain option corpus', 'none');
  if ((own.model === undefined) === (own.config === undefined)) {
    const what = own.model === undefined ? 'neither' : 'both';
    throw unexpected('INVALID_OPTION', 'model (to go on with) or config (of a new one) for pretrain', what);
  }
  own.signal?.throwIfAborted();
  if (own.model !== undefined) {
    const directory = await resolveModel(readModelPath(own.model, 'pretrain'), {}, 'model');
    return learn(directory, own, args);
  }
  const config = readConfig(own.config);
  return inTemporaryFolder(async (folder) => {
    const [tokenizer, model] = [path.join(folder, 'tokenizer'), path.join(folder, 'model')];
    const isLearned = typeof own.tokenizer === 'object' && 'save' in own.tokenizer;
    if (isLearned) await own.tokenizer.save(tokenizer);
    await createModel(model, { config, tokenizer: isLearned ? tokenizer : readTokenizer(own.tokenizer), seed: args.seed });
    return learn(model, own, args);
  });
}

async function learn(directory: string, own: PretrainOptions, args: ReturnType<typeof trainingArguments>): Promise<PretrainedModel> {
  const { objective = 'mlm+nsp', maxLength = 128, shortSeqProb = 0.1, staticMasks = false, callbacks = [], signal } = own;
  const hasPairs = objective !== 'mlm';
  const learning = await LearningModel.load(directory, {
    task: hasPairs ? 'pretraining' : 'fill-mask',
    labelSmoothing: args.labelSmoothingFactor,
    seed: args.seed,
    freeze: args.freeze,
    bitfit: args.bitfit,
    threads: args.threads,
    precision: args.bf16 ? 'bf16' : 'fp32',
    recompute: args.gradientCheckpointing,
  });
  try {
    const { tokenizer, config } = learning.model;
    if (maxLength > config.maxSequenceLength) {
      throw unexpected('MAX_LENGTH', `at most ${config.maxSequenceLength}, the model's positions, for maxLength`, maxLength);
    }
    const draw = { objective: pairsOf[objective], maxLength, shortSeqProb, seed: args.dataSeed };
    const budget = new Budget(signal, 'bulk');
    const { maskingRule, mlmProbability, maskReplaceProb, randomReplaceProb, wholeWordMask, maxPredictionsPerSequence } = own;
    const masking = { maskingRule, mlmProbability, maskReplaceProb, randomReplaceProb, wholeWordMask, maxPredictionsPerSequence };
    const arena = new TokenArena(tokenizer.vocabSize);
    const read = async (source: TextSource, name: string): Promise<PretrainingExample[]> => {
      const corpus = await openCorpus(name, source);
      const format = own.corpusFormat ?? (corpus.totalBytes === undefined ? 'documents' : 'sentences');
      const drawing = drawExamples(await readDocuments(corpus, tokenizer, format, arena, budget, own.onProgress), draw);
      let step = drawing.next();
      for (; step.done !== true; step = drawing.next()) if (budget.isSpent) await budget.yield();
      return step.value;
    };
    const examples = await read(own.corpus, 'pretrain option corpus');
    const tokens = arena.length;
    const heldOut = own.evalCorpus === undefined ? undefined : await read(own.evalCorpus, 'pretrain option evalCorpus');
    const trainer = new Trainer<PretrainingExample>({
      model: learning,
      args,
      trainDataset: examples,
      ...(heldOut === undefined ? {} : { evalDataset: heldOut }),
      dataCollator: new PretrainingCollator(arena, tokenizer, { ...masking, hasPairs, staticMasks }),
      computeMetrics: ({ predictions, labels }) =>
        pretrainingMetrics(predictions as readonly PretrainingPrediction[], labels as readonly PretrainingPrediction[]),
      callbacks,
    });
    const stoppable = signal === undefined ? {} : { signal };
    const { metrics } = await trainer.train({ resumeFromCheckpoint: own.resumeFromCheckpoint ?? false, ...stoppable });
    const evaluated = heldOut === undefined ? {} : await trainer.evaluate(heldOut, stoppable);
    if (args.outputDir !== undefined) await trainer.saveModel(args.outputDir);
    return { model: await trainer.snapshot(), metrics: { ...metrics, ...evaluated }, examples: examples.length, tokens };
  } finally {
    learning.dispose();
  }
}

/** Fields of config.json. */
function readConfig(config: unknown): JsonObject {
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as JsonObject;
  if (typeof config === 'string' && Object.hasOwn(modelSizes, config)) return modelSizes[config as ModelSize];
  throw unexpected(
    'INVALID_OPTION',
    `${Object.keys(modelSizes).join(', ')} or fields of config.json for pretrain option config`,
    received(config),
  );
}

function readTokenizer(source: unknown): string {
  if (source !== undefined) return filePath(source, 'pretrain option tokenizer');
  throw unexpected('INVALID_OPTION', 'a tokenizer for a new model: a directory, or what trainWordPiece gave,', 'none');
}
