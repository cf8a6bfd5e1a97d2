import path from 'node:path';
import { BerthaError, type ErrorCode } from '../errors.js';
import { parseJsonObject } from '../checkpoint/json-fields.js';
import { errorMessage } from '../realms.js';
import { parseConfig, type ModelConfig } from '../architectures/config.js';
import type { Dtype } from '../checkpoint/safetensors/dtype.js';
import { listFiles } from '../checkpoint/list-files.js';
import { ModelReader } from '../checkpoint/model-reader.js';
import { maxLength, sentenceParts, type ModelDirectory } from '../models/model-directory.js';
import type { TensorHeader } from '../checkpoint/safetensors/safetensors.js';
import type { CrossEncoderConfig, SentenceTransformersConfig } from '../checkpoint/sentence/sentence-transformers.js';
import type { Tokenizer } from '../tokenizer/index.js';
import type { TokenizerFiles } from '../checkpoint/tokenizer-files.js';
import type { WeightFiles } from '../checkpoint/weights/weight-files.js';

/** A stored tensor and the name of the file it is in. */
export interface InspectedTensor extends TensorHeader {
  readonly file: string;
}

/** One reason why a model cannot be loaded; `code` and `message` of the error loading it would give. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a model directory holds. Parts that could not be read are absent and have their reason in `problems`. */
export interface ModelInspection {
  readonly path: string;
  /** Relative names and sizes in bytes, links followed, two folders deep at most. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly config?: ModelConfig;
  /** `model_type` as config.json has it, also of a family that cannot be loaded. */
  readonly modelType?: string;
  readonly tensors?: readonly InspectedTensor[];
  /** Values in all tensors of the model's weights, and by element type. */
  readonly parameters?: number;
  readonly parametersByDtype?: ReadonlyMap<Dtype, number>;
  readonly metadata?: ReadonlyMap<string, string>;
  readonly tokenizerFiles?: TokenizerFiles;
  /** How the tokenizer makes tokens of words: `model.type` of tokenizer.json. */
  readonly tokenizerType?: Tokenizer['modelType'];
  readonly maxLength?: number;
  readonly sentenceTransformers?: SentenceTransformersConfig;
  readonly crossEncoder?: CrossEncoderConfig;
  /** Of a model of other vectors than one dense one a text: which. */
  readonly vectors?: 'sparse' | 'tokens';
  /** A model whose modules alone are bad is still loadable: its encoder and heads are there, its sentence vectors are not. */
  readonly problems: readonly Problem[];
  readonly loadable: boolean;
}

/** Checks of parts that could be read; what they throw becomes a problem. */
export interface InspectionChecks {
  /** Of all parts against each other (tensors against the architecture); runs only when nothing else is wrong. */
  readonly model?: (model: ModelDirectory) => void | Promise<void>;
  /** Makes the tokenizer, with the model's length limit where that is known. */
  readonly tokenizer?: (files: TokenizerFiles, maxLength: number | undefined) => Tokenizer;
}

/**
 * Looks into a model directory without loading it. Never rejects because of what it finds: every part that is bad becomes a problem,
 * and the other parts are still shown.
 */
export async function inspectModelDirectory(directory: string, checks: InspectionChecks = {}): Promise<ModelInspection> {
  const problems: Problem[] = [];
  const attempt = async <T>(part: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await part();
    } catch (error) {
      problems.push({
        code: error instanceof BerthaError ? error.code : 'INTERNAL',
        message: errorMessage(error),
      });
      return undefined;
    }
  };

  const reader = await attempt(() => ModelReader.start(directory));
  if (reader === undefined) return { path: directory, files: [], problems, loadable: false };
  try {
    const modules = await attempt(() => reader.modules());
    const text = await attempt(() => reader.config(modules));
    const config = text === undefined ? undefined : await attempt(() => parseConfig(text));
    const modelType = config === undefined && text !== undefined ? declaredType(text) : config?.raw['model_type'];
    const weights = await attempt(() => reader.weights(modules));
    const tokenizerFiles = await attempt(() => reader.tokenizerFiles(modules));
    const sentence = await attempt(() => reader.sentenceFiles(modules, config?.hiddenSize));
    const { sentenceTransformers, crossEncoder, sentenceError } = sentenceParts(sentence);
    const vectors = sentence?.sparse !== undefined ? 'sparse' : sentence?.multiVector !== undefined ? 'tokens' : undefined;
    const limit = config && tokenizerFiles && (await attempt(() => maxLength(config, tokenizerFiles, sentence)));
    const tokenizer = tokenizerFiles && checks.tokenizer && (await attempt(() => checks.tokenizer!(tokenizerFiles, limit)));
    if (problems.length === 0 && config && weights && tokenizerFiles && limit !== undefined) {
      await attempt(() =>
        checks.model?.({
          path: reader.path,
          config,
          tensors: weights.tensors,
          tokenizerFiles,
          ...sentenceParts(sentence),
          maxLength: limit,
          verifyUnchanged: () => reader.verifyUnchanged(),
          close: () => Promise.resolve(),
        }),
      );
    }
    return {
      path: reader.path,
      files: await listFiles(reader.path),
      ...(config && { config }),
      ...(typeof modelType === 'string' && { modelType }),
      ...(weights && describeWeights(weights, reader.path)),
      ...(tokenizerFiles && { tokenizerFiles }),
      ...(tokenizer && { tokenizerType: tokenizer.modelType }),
      ...(limit !== undefined && { maxLength: limit }),
      ...(sentenceTransformers && { sentenceTransformers }),
      ...(crossEncoder && { crossEncoder }),
      ...(vectors && { vectors }),
      problems: sentenceError === undefined || vectors !== undefined ? problems : [...problems, problemOf(sentenceError)],
      loadable: problems.length === 0,
    };
  } finally {
    await reader.close();
  }
}

/** `model_type` of a config.json that could not be read as a model's. */
function declaredType(text: string): unknown {
  try {
    return parseJsonObject(text, 'config.json', 'CONFIG')['model_type'];
  } catch {
    return undefined;
  }
}

function problemOf(error: unknown): Problem {
  return {
    code: error instanceof BerthaError ? error.code : 'INTERNAL',
    message: errorMessage(error),
  };
}

function describeWeights(
  weights: WeightFiles,
  root: string,
): Required<Pick<ModelInspection, 'tensors' | 'parameters' | 'parametersByDtype' | 'metadata'>> {
  const tensors: InspectedTensor[] = [];
  const parametersByDtype = new Map<Dtype, number>();
  let parameters = 0;
  for (const { file, ...tensor } of weights.tensors.values()) {
    const count = tensor.shape.reduce((product, dimension) => product * dimension, 1);
    parameters += count;
    parametersByDtype.set(tensor.dtype, (parametersByDtype.get(tensor.dtype) ?? 0) + count);
    tensors.push({ ...tensor, file: path.relative(root, file.path) });
  }
  const metadata = new Map(weights.files.flatMap((file) => [...file.metadata]));
  return { tensors, parameters, parametersByDtype, metadata };
}
