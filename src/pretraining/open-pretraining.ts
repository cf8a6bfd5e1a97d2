import path from 'node:path';
import { unexpected } from '../expected.js';
import { Budget } from '../runtime/event-loop-budget.js';
import { Trainer, type TrainingArguments } from '../training/index.js';
import { learningArguments } from '../training/trainer/learning-arguments.js';
import type { TrainableModel } from '../training/trainer/trainable-model.js';
import { LearningModel } from '../training/program/learning-model.js';
import { openCorpus, type TextSource } from './corpus/text-source.js';
import { ElectraPair, type ReplacedPrediction } from './replaced-tokens/electra-pair.js';
import { replacedMetrics } from './replaced-tokens/replaced-metrics.js';
import type { PairObjective } from './examples/draw-examples.js';
import { PretrainingCollator, pretrainingMetrics, type PretrainingPrediction } from './examples/pretraining-collator.js';
import type { PretrainingObjective, PretrainSettings } from './pretrain-options.js';
import type { PretrainingExample } from './store/example-block.js';
import type { ExampleStore } from './store/example-store.js';
import { forgetExamples, prepareExamples } from './store/prepare-examples.js';

const pairsOf = {
  mlm: 'none',
  'replaced-tokens': 'none',
  'mlm+nsp': 'next-sentence',
  'mlm+sop': 'sentence-order',
} as const satisfies Record<PretrainingObjective, PairObjective>;

/** All that a pre-training is made of, before its first step. */
export interface OpenPretraining {
  readonly learning: TrainableModel;
  readonly trainer: Trainer<PretrainingExample>;
  readonly collator: PretrainingCollator;
  readonly examples: ExampleStore;
  readonly heldOut: ExampleStore | undefined;
  /** Removes the examples of a run that is at its end, unless they are in a `corpusDir`. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a model directory and a corpus for pre-training. Errors: those of `pretrain`, before training. */
export async function openPretraining(directory: string, own: PretrainSettings, args: TrainingArguments): Promise<OpenPretraining> {
  const { objective = 'mlm+nsp', maxLength = 128, shortSeqProb = 0.1, staticMasks = false, callbacks = [], signal } = own;
  const hasPairs = pairsOf[objective] !== 'none';
  const isElectra = objective === 'replaced-tokens';
  const { discriminatorWeight = 50 } = own;
  if (isElectra && args.lora !== undefined) throw unexpected('INVALID_OPTION', 'no lora for replaced-tokens', 'one');
  const how = learningArguments(args);
  const learning = isElectra
    ? await ElectraPair.load(directory, { ...how, discriminatorWeight })
    : await LearningModel.load(directory, { ...how, task: hasPairs ? 'pretraining' : 'fill-mask' });
  const stores: ExampleStore[] = [];
  const close = async (): Promise<void> => {
    learning.dispose();
    for (const store of stores) await store.close();
  };
  try {
    const { tokenizer, config } = learning.model;
    if (maxLength > config.maxSequenceLength) {
      throw unexpected('MAX_LENGTH', `at most ${config.maxSequenceLength}, the model's positions, for maxLength`, maxLength);
    }
    const { maskingRule, mlmProbability, wholeWordMask, maxPredictionsPerSequence } = own;
    // As google-research's ELECTRA: a word that the generator is asked for becomes [MASK] or stays.
    const { maskReplaceProb = isElectra && wholeWordMask !== true ? 0.85 : undefined, randomReplaceProb = isElectra ? 0 : undefined } = own;
    const masking = { maskingRule, mlmProbability, maskReplaceProb, randomReplaceProb, wholeWordMask, maxPredictionsPerSequence };
    const collator = new PretrainingCollator(tokenizer, { ...masking, hasPairs, staticMasks });
    const folder = own.corpusDir ?? (args.outputDir === undefined ? undefined : path.join(args.outputDir, kCorpusFolder));
    const budget = new Budget(signal, 'bulk');
    const prepare = async (source: TextSource, name: string): Promise<ExampleStore> => {
      const corpus = await openCorpus(name, source);
      const format = own.corpusFormat ?? (corpus.totalBytes === undefined ? 'documents' : 'sentences');
      const draw = { objective: pairsOf[objective], maxLength, shortSeqProb, seed: args.dataSeed };
      const store = await prepareExamples({
        corpus,
        tokenizer,
        draw,
        format,
        folder,
        budget,
        onProgress: own.onProgress,
      });
      stores.push(store);
      return store;
    };
    const examples = await prepare(own.corpus, 'pretrain option corpus');
    const heldOut = own.evalCorpus === undefined ? undefined : await prepare(own.evalCorpus, 'pretrain option evalCorpus');
    const trainer = new Trainer<PretrainingExample>({
      model: learning,
      args,
      trainDataset: examples,
      ...(heldOut === undefined ? {} : { evalDataset: heldOut }),
      dataCollator: collator,
      computeMetrics: ({ predictions, labels }) =>
        isElectra
          ? replacedMetrics(predictions as readonly ReplacedPrediction[], labels as readonly PretrainingPrediction[])
          : pretrainingMetrics(predictions as readonly PretrainingPrediction[], labels as readonly PretrainingPrediction[]),
      callbacks,
    });
    const forget = (): Promise<void> => (own.corpusDir === undefined && folder !== undefined ? forgetExamples(folder) : Promise.resolve());
    return { learning, trainer, collator, examples, heldOut, forget, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where examples are kept until the run is at its end. */
const kCorpusFolder = '.bertha-corpus';
