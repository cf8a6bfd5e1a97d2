import type { ModelConfig, PartConfig } from '../../architectures/config.js';
import { readDropout, type DropoutRates } from '../../architectures/dropout.js';
import { appendDecoder, appendEncoder, halvesOf } from '../../architectures/encoder-decoder/encoder-decoder.js';
import type { DecoderOutputs } from '../../architectures/encoder-decoder/decoder.js';
import type { EncoderOutputs } from '../../architectures/encoder.js';
import type { Family } from '../../architectures/family.js';
import { encoderDecoderClass, families } from '../../architectures/registry.js';
import { WeightReader, type TensorSource } from '../../architectures/weight-reader.js';
import { JsonFields, type JsonObject } from '../../checkpoint/json-fields.js';
import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { WeightMap } from '../../checkpoint/weights/weights.js';
import { unexpected } from '../../expected.js';
import { aliasesOf } from '../../models/build-model.js';
import type { ModelDirectory } from '../../models/model-directory.js';
import type { ProgramBuilder } from '../../models/program/program.js';
import type { TrainingTaskOptions } from '../program/tasks.js';
import type { LearnedTensors } from '../program/training-tensors.js';

// Models that write, as they learn: an encoder and a decoder, or a decoder alone.

/** Whether a task is for models that write. Errors: INVALID_OPTION for options that they do not take, CONFIG_UNSUPPORTED for a model that does not fit the task. */
export function isWriter({ task, ...options }: TrainingTaskOptions & { readonly lora?: unknown }, config: ModelConfig): boolean {
  if (task !== 'seq2seq' && task !== 'causal-lm') return false;
  const fits = task === 'seq2seq' ? config.decoder !== undefined : config.isDecoder;
  if (!fits) throw unexpected('CONFIG_UNSUPPORTED', `${kFitting[task]} for the task ${task}`, kindOf(config));
  const given = (['lora', 'distillation', 'teacher', 'classWeights'] as const).find((name) => options[name] !== undefined);
  if (given !== undefined) throw unexpected('INVALID_OPTION', `no ${given} for the task ${task}`, 'one');
  return true;
}

const kFitting = { seq2seq: 'an encoder-decoder', 'causal-lm': 'a decoder alone (is_decoder)' };

function kindOf({ decoder, isDecoder }: ModelConfig): string {
  if (decoder !== undefined) return 'an encoder-decoder';
  return isDecoder ? 'a decoder alone' : 'an encoder';
}

/** config.json of a model that writes and learns, as transformers would save it. */
export function writerConfig({ raw, modelType, decoder, architectures }: ModelConfig): JsonObject {
  const { torch_dtype: _, ...rest } = raw;
  return { ...rest, architectures: [classOf(modelType, decoder, architectures)], dtype: 'float32' };
}

const kCausalClasses: Readonly<Partial<Record<string, string>>> = { bert: 'BertLMHeadModel', 'bert-generation': 'BertGenerationDecoder' };

function classOf(modelType: PartConfig['modelType'], decoder: PartConfig | undefined, stored: readonly string[]): string {
  const family: Family = families[modelType];
  if (decoder === undefined) {
    const known = stored.find((name) => /(?:LMHeadModel|ForCausalLM|Decoder)$/.test(name));
    return known ?? kCausalClasses[modelType] ?? `${family.className}ForCausalLM`;
  }
  return family.decoderFields === undefined ? encoderDecoderClass : family.classes!.at(-1)!;
}

/** What a model that writes computes, and its tensors. */
export interface Writer {
  readonly tensors: LearnedTensors;
  readonly encoder: EncoderOutputs;
  readonly decoder: DecoderOutputs;
}

/** Appends a model that writes, with dropout where it `drops`. Errors: MODEL_MISMATCH, DTYPE_UNSUPPORTED, CONFIG (a rate of dropout). */
export function appendWriter(b: ProgramBuilder, directory: ModelDirectory, config: ModelConfig, drops: boolean): Writer {
  const family: Family = families[config.modelType];
  const { decoder } = config;
  const isOfTwoFamilies = decoder !== undefined && family.decoderFields === undefined;
  const names = isOfTwoFamilies ? { prefixes: [] } : { prefixes: family.prefixes, aliases: aliasesOf(config) };
  const weights = new WeightMap(directory.tensors, names);
  const tensors = new WriterTensors(weights, isOfTwoFamilies ? (name) => name : (name) => fullName(name, family));
  if (decoder === undefined) {
    const outputs = family.asDecoder!(new WeightReader(b, config, tensors, drops ? ratesOf(config) : undefined));
    weights.finish();
    return { tensors, encoder: outputs, decoder: outputs };
  }
  const rates = drops ? { encoder: ratesOf(config), decoder: ratesOf(decoder) } : undefined;
  const halves = halvesOf(b, { ...config, decoder }, tensors, rates);
  const encoder = appendEncoder(halves, config);
  const outputs = appendDecoder(halves, decoder, encoder.hiddenStates.at(-1)!);
  weights.finish();
  return { tensors, encoder, decoder: outputs };
}

/** What one half drops. Of two families' models `raw` of the encoder is that of both. */
function ratesOf({ modelType, raw }: PartConfig): DropoutRates {
  const own = raw['encoder'];
  const fields = typeof own === 'object' && own !== null && !Array.isArray(own) ? (own as JsonObject) : raw;
  return readDropout(new JsonFields(fields, 'config.json', 'CONFIG'), families[modelType].dropout);
}

/** A tensor's name in transformers' class for writing: heads stand beside the model. */
export function fullName(name: string, { prefixes: [prefix], decoder }: Family): string {
  const isBeside = name.startsWith(`${decoder.slice(0, decoder.indexOf('.'))}.`) || name === 'final_logits_bias';
  return isBeside || name.startsWith(prefix) ? name : prefix + name;
}

/** A checkpoint's tensors under the names of transformers' class; those that lie at one place of a file are one, under the name that is asked for first. */
class WriterTensors implements TensorSource, LearnedTensors {
  readonly newlyInitialized: readonly string[] = [];
  readonly replaced: readonly string[] = [];
  readonly #weights: WeightMap;
  readonly #fullName: (name: string) => string;
  readonly #names = new Map<string, string>();

  constructor(weights: WeightMap, fullNameOf: (name: string) => string) {
    this.#weights = weights;
    this.#fullName = fullNameOf;
  }

  has(name: string): boolean {
    return this.#weights.has(name);
  }

  take(name: string, shape: readonly number[]): TensorInfo {
    const tensor = this.#weights.take(name, shape);
    const place = `${tensor.file.path} ${tensor.byteOffset} ${shape.join(' ')}`;
    const known = this.#names.get(place) ?? this.#fullName(name);
    this.#names.set(place, known);
    return { ...tensor, name: known };
  }

  attempt<T>(use: () => T): { readonly result: T; readonly taken: ReadonlySet<string> } {
    return this.#weights.attempt(use);
  }

  isNew(): boolean {
    return false;
  }

  headModules(): string[] {
    return [];
  }
}
