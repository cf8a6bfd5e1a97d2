import { parseConfig, type ModelConfig } from '../../architectures/config.js';
import { readDropout } from '../../architectures/dropout.js';
import type { DecoderOutputs } from '../../architectures/encoder-decoder/decoder.js';
import type { EncoderOutputs } from '../../architectures/encoder.js';
import type { Family } from '../../architectures/family.js';
import { wordTable, type HeadBuilder, type Heads } from '../../architectures/heads.js';
import { families } from '../../architectures/registry.js';
import { WeightReader } from '../../architectures/weight-reader.js';
import { JsonFields } from '../../checkpoint/json-fields.js';
import { WeightMap } from '../../checkpoint/weights/weights.js';
import { unexpected } from '../../expected.js';
import { limitsOf, type BuiltModel } from '../../models/build-model.js';
import type { ModelDirectory } from '../../models/model-directory.js';
import { requireEncoder } from '../../models/require-encoder.js';
import { sentenceEmbedding, type SentenceOutputs } from '../../models/sentence.js';
import { namedByFolder } from '../sentence/modules.js';
import type { NativeTrainingProgram } from '../../runtime/native.js';
import { trainingConfig } from './config.js';
import { initializerRange, initialValues } from './initial-values.js';
import { LoraBuilder, type AdaptedLayer } from '../lora/lora-builder.js';
import { loraSettings, type LoraOptions, type LoraSettings } from '../lora/lora.js';
import { appendLosses } from './losses.js';
import { place, toNativeTraining, trainedWeights, type TrainedWeight, type Trainable } from './trained-weights.js';
import { headsOfTask, type LossInput, type TrainingTaskOptions } from './tasks.js';
import { TrainingTensors, type LearnedTensors } from './training-tensors.js';
import { appendWriter, isWriter, writerConfig } from '../writers/append-writer.js';

/** What of a model learns. */
export interface TrainingOptions extends TrainingTaskOptions, Trainable {
  /** New tensors are a function of it. */
  readonly seed: number;
  /** Whether it drops what config.json says while it learns. Default true. */
  readonly dropout?: boolean | undefined;
  /** Learn low-rank changes of linear layers instead of the layers. */
  readonly lora?: LoraOptions | undefined;
}

/** A model that can learn: its programs, and its tensors under the names of transformers. */
export interface TrainingModel {
  /** Forward with dropout, and the losses. */
  readonly program: NativeTrainingProgram;
  /** The same model for inference; its weights have the same indices. */
  readonly live: BuiltModel;
  readonly weights: readonly TrainedWeight[];
  /** What the names of the encoder's tensors begin with, and no head's. */
  readonly encoderPrefix: string;
  /** Values of weights that no file has, row-major, by weight. */
  readonly initialValues: ReadonlyMap<number, Float32Array>;
  /** Tensors that the checkpoint does not have, and those that had another size there. */
  readonly newlyInitialized: readonly string[];
  readonly replaced: readonly string[];
  /** What the losses read of a micro-batch; `numItems` has one number for each. */
  readonly losses: readonly LossInput[];
  /** The logits of the task's first head, or the sentence vectors, as a value of `program`. */
  readonly output: { readonly id: number; readonly width: number };
  /** The config.json to be saved. */
  readonly config: ModelConfig;
  /** The layers that have a low-rank branch, and how. */
  readonly lora?: LoraSettings;
  readonly adapted: readonly AdaptedLayer[];
}

/**
 * Builds the program by which a model learns a task, and the same model's program for inference. Heads that the checkpoint does not have,
 * or has with another number of labels, are new.
 *
 * Errors: MODEL_MISMATCH, DTYPE_UNSUPPORTED, CONFIG, CONFIG_UNSUPPORTED, NO_HEAD (the family has no such head), INVALID_OPTION; POOLING and others for
 * modules that sentence vectors cannot be made with.
 */
export function buildTraining(directory: ModelDirectory, options: TrainingOptions): TrainingModel {
  if (options.task === 'sentence-embedding' && directory.sentenceError !== undefined) throw directory.sentenceError;
  const writes = isWriter(options, directory.config);
  if (!writes) requireEncoder(directory, `training the task ${options.task}`);
  const family: Family = families[directory.config.modelType];
  const saved = writes ? writerConfig(directory.config) : trainingConfig(directory.config, family, options);
  const config = parseConfig(JSON.stringify(saved));
  const lora = options.lora && loraSettings(options.lora, family);
  const parts: Parts = { directory, family, config, options, lora };
  const build = writes ? appendWriting : append;
  const live = build(parts, false);
  const training = build(parts, true);
  const losses = appendLosses(training.b, training, config, options);
  const { b, tensors } = training;
  const program = b.build();
  const settings = lora && { ...lora, modulesToSave: [...new Set([...tensors.headModules(), ...lora.modulesToSave])] };
  const { bitfit } = options;
  const isPoolerIdle = options.task === 'sentence-embedding' && live.encoder.poolerOutput !== undefined;
  const freeze = [...(options.freeze ?? []), ...(isPoolerIdle ? ['pooler'] : [])];
  const weights = trainedWeights(program, { freeze, bitfit, config, tensors, fixed: family.fixed, lora: settings, adapted: b.adapted });
  return {
    program: toNativeTraining(program, weights, losses),
    live: builtModel(live, config),
    weights,
    encoderPrefix: family.prefixes[0],
    initialValues: newValues(weights, options.seed, initializerRange(config)),
    newlyInitialized: tensors.newlyInitialized,
    replaced: tensors.replaced,
    losses: losses.inputs,
    output: losses.output,
    config,
    ...(settings === undefined ? {} : { lora: settings }),
    adapted: b.adapted,
  };
}

interface Parts {
  readonly directory: ModelDirectory;
  readonly family: Family;
  readonly config: ModelConfig;
  readonly options: TrainingOptions;
  readonly lora: LoraSettings | undefined;
}

interface Appended {
  readonly b: LoraBuilder;
  readonly tensors: LearnedTensors;
  readonly encoder: EncoderOutputs;
  /** Of a model that writes. */
  readonly decoder?: DecoderOutputs;
  readonly heads: Heads;
  readonly sentence: SentenceOutputs;
}

/** The encoder and the task's heads in a program of their own; where it `learns`, with dropout. */
function append({ directory, family, config, options, lora }: Parts, learns: boolean): Appended {
  const wanted = headsOfTask[options.task];
  const tensors = new TrainingTensors(new WeightMap(directory.tensors, { prefixes: family.prefixes, aliases: aliasesOf(family, config) }), {
    prefix: wanted.length === 0 ? '' : family.prefixes[0],
    pooler: wanted.length === 0 ? 'stored' : wanted.some((head) => family.pooled.includes(head)),
    neverNew: (name) => config.tieWordEmbeddings && name.startsWith(`${decoderOf(family)}.`) && !isTiedBias(family, name),
  });
  const b = new LoraBuilder(limitsOf(config), { learns, lora, mayAdapt: (name) => tensors.isEncoders(name) });
  const dropout =
    learns && options.dropout !== false ? readDropout(new JsonFields(config.raw, 'config.json', 'CONFIG'), family.dropout) : undefined;
  const read = new WeightReader(b, config, tensors, dropout);
  const encoder = family.encoder(read);
  tensors.beginHeads();
  const heads: Record<string, unknown> = {};
  for (const name of wanted) {
    const build = family.heads[name] as HeadBuilder | undefined;
    const head = build?.(read, encoder);
    if (head === undefined) throw unexpected('NO_HEAD', `a family with a head for ${options.task}`, family.title);
    heads[name] = head;
  }
  const modules = wanted.length === 0 ? namedByFolder(directory.sentenceTransformers) : undefined;
  const sentence = sentenceEmbedding(b, encoder.hiddenStates.at(-1)!, modules);
  tensors.finish();
  return { b, tensors, encoder, heads, sentence };
}

/** A model that writes in a program of its own, whose shared tensors are one weight. */
function appendWriting({ directory, config, options }: Parts, learns: boolean): Appended {
  const b = new LoraBuilder(limitsOf(config), { learns, lora: undefined, mayAdapt: () => false, sharesWeights: true });
  const writer = appendWriter(b, directory, config, learns && options.dropout !== false);
  const sentence = sentenceEmbedding(b, writer.encoder.hiddenStates.at(-1)!, undefined);
  return { b, ...writer, heads: {}, sentence };
}

function builtModel({ b, encoder, decoder, heads, sentence }: Appended, config: ModelConfig): BuiltModel {
  return { program: b.build(), config, encoder, ...(decoder && { decoder }), sentence, heads, otherHeads: {}, headFaults: {}, surplus: [] };
}

/** The module of the decoder. */
function decoderOf({ decoder }: Family): string {
  return decoder.replace(/\.weight$/, '');
}

/** In some families the bias of a tied decoder is named as the decoder's own. */
function isTiedBias(family: Family, name: string): boolean {
  return name === `${decoderOf(family)}.bias` && !family.decoder.endsWith('.decoder.weight');
}

/** A tied decoder's matrix is the word embeddings; its bias can be stored under either of two names. */
function aliasesOf(family: Family, config: ModelConfig): ReadonlyMap<string, string> {
  if (!config.tieWordEmbeddings) return new Map();
  const decoder = decoderOf(family);
  const bias = [decoder.replace(/decoder$/, 'bias'), `${decoder}.bias`] as const;
  return new Map([[family.wordTable ?? wordTable, family.decoder], ...(decoder.endsWith('.decoder') ? [bias] : [])]);
}

/** Values of the weights that no file has, row-major: each tensor's own, in its place. */
function newValues(weights: readonly TrainedWeight[], seed: number, range: number): Map<number, Float32Array> {
  const values = new Map<number, Float32Array>();
  // A of LoRA has the deviation of peft's uniform numbers below 1 / √in.
  const deviation = ({ name, cols }: { readonly name: string; readonly cols: number }): number =>
    name.endsWith('.lora_A.weight') ? 1 / Math.sqrt(3 * cols) : range;
  for (const { id, rows, cols, parts, tiedTo } of weights) {
    if (tiedTo !== undefined || !parts.some(({ isNew }) => isNew)) continue;
    const all = new Float32Array(rows * cols);
    for (const part of parts) place(all, cols, part, initialValues(seed, part.name, part.rows * part.cols, deviation(part)));
    values.set(id, all);
  }
  return values;
}
