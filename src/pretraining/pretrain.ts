import path from 'node:path';
import type { JsonObject } from '../checkpoint/json-fields.js';
import { unexpected } from '../expected.js';
import { filePath } from '../file-path.js';
import { readModelPath, resolveModel } from '../hub/index.js';
import type { Model } from '../models/model.js';
import { received } from '../options.js';
import { createModel, type TrainingArguments } from '../training/index.js';
import { inTemporaryFolder } from '../training/checkpoints/temporary-folder.js';
import { electraConfigs } from './replaced-tokens/electra-config.js';
import { kGeneratorFolder } from './replaced-tokens/electra-pair.js';
import { modelSizes, type ModelSize } from './model-sizes.js';
import { openPretraining } from './open-pretraining.js';
import { readPretrainOptions, type PretrainOptions, type PretrainSettings } from './pretrain-options.js';

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

/**
 * Teaches a new BERT, or one that goes on, from raw text: masked words, and next sentences or their order. With `outputDir` the result is
 * saved there as transformers' class for it (BertForPreTraining, BertForMaskedLM; ElectraForPreTraining with its ElectraForMaskedLM in the folder generator). The corpus may be larger than memory: its examples
 * are on the disk.
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
  const { own, args } = readPretrainOptions(options);
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
    const parts = { tokenizer: isLearned ? tokenizer : readTokenizer(own.tokenizer), seed: args.seed };
    if (own.objective === 'replaced-tokens') {
      const { discriminator, generator } = electraConfigs(config, own.generatorSize ?? 0.25);
      await createModel(model, { ...parts, config: discriminator });
      await createModel(path.join(model, kGeneratorFolder), { ...parts, config: generator });
    } else await createModel(model, { ...parts, config });
    return learn(model, own, args);
  });
}

async function learn(directory: string, own: PretrainSettings, args: TrainingArguments): Promise<PretrainedModel> {
  const opened = await openPretraining(directory, own, args);
  try {
    const { trainer, examples, heldOut } = opened;
    const stoppable = own.signal === undefined ? {} : { signal: own.signal };
    const { metrics } = await trainer.train({ resumeFromCheckpoint: own.resumeFromCheckpoint ?? false, ...stoppable });
    const evaluated = heldOut === undefined ? {} : await trainer.evaluate(heldOut, stoppable);
    if (args.outputDir !== undefined) await trainer.saveModel(args.outputDir);
    const model = await trainer.snapshot();
    await opened.forget();
    return { model, metrics: { ...metrics, ...evaluated }, examples: examples.length, tokens: examples.tokens };
  } finally {
    await opened.close();
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
