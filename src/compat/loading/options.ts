import { hubSchema, readModelPath, type HubOptions, type ModelPath, type ProgressEvent } from '../../hub/index.js';
import type { LoadModelOptions } from '../../models/index.js';
import { toCamelCase, type WithCamelCase } from '../snake-case.js';
import { ofModel } from '../../runtime/options/dtype.js';
import { findLocalModel, withEnvironment } from './env.js';
import { findOriginal } from './original-models.js';
import { warnOnce } from '../../runtime/warn-once.js';

/** transformers.js's names of devices that Bertha has under another name or not at all. */
export type ForeignDevice = 'gpu' | 'webgpu' | 'wasm' | 'dml' | 'coreml' | 'webnn' | 'webnn-npu' | 'webnn-gpu' | 'webnn-cpu';

/** How `pipeline` and `from_pretrained` load: `loadModel`'s options and transformers.js's, in snake case or camel case. */
export interface PretrainedOptions extends Omit<LoadModelOptions, 'device' | 'dtype'>, WithCamelCase<ForeignOptions> {
  /** Number format, as `loadModel` takes it. */
  readonly dtype?: LoadModelOptions['dtype'] | null;
  /** `wasm` is the processor, `webgpu` and its like are `auto`, with a warning. */
  readonly device?: LoadModelOptions['device'] | ForeignDevice | Readonly<Record<string, string>> | null;
  /** The former name of `dtype: 'q8'` (true) and `'fp32'` (false). */
  readonly quantized?: boolean | undefined;
  /** Names of `cacheDir` and `localFilesOnly`. */
  readonly cache_dir?: string | null | undefined;
  readonly local_files_only?: boolean | undefined;
  /** Hears how a download goes, as `onProgress`. */
  readonly progress_callback?: ((event: ProgressEvent) => void) | null | undefined;
  /** The same. */
  readonly progressCallback?: ((event: ProgressEvent) => void) | null | undefined;
}

/** Options of transformers.js that have no effect, as it spells them. */
export interface ForeignOptions {
  /** Without effect, with a warning: they are about ONNX files. */
  readonly session_options?: object | undefined;
  readonly subfolder?: string | undefined;
  readonly model_file_name?: string | undefined;
  readonly use_external_data_format?: unknown;
  /** Without effect, with a warning: the model's config.json is read. */
  readonly config?: unknown;
}

const kIgnored: Readonly<Record<string, string>> = {
  sessionOptions: 'there is no ONNX session; threads and device are options of their own',
  subfolder: 'models are read from safetensors at the top of a repository',
  modelFileName: 'models are read from model.safetensors',
  useExternalDataFormat: 'models are read from safetensors',
  config: "the model's own config.json is read",
};

/** A model's name or directory and the options to load it with, as Bertha names them. */
export interface Pretrained<T> {
  readonly model: string | undefined;
  readonly options: T;
}

/**
 * Reads how a model is to be loaded: names of options, `dtype`, `device`, `env`, and ids of conversions, which become those of the originals.
 *
 * Errors: PRECISION, INVALID_ARG, those of `resolveModel`, ADDON_LOAD. Names that nobody knows are for `loadModel` to refuse.
 */
export async function readPretrained(model: ModelPath | undefined, given: object | undefined): Promise<Pretrained<LoadModelOptions>> {
  const { dtype, quantized, device: asked, ...rest } = readNames(given);
  const device = readDevice(asked);
  if (quantized !== undefined && quantized !== null) {
    warnOnce('BERTHA_OPTION', 'quantized', "quantized is the former name of dtype: 'q8' where true, else 'fp32'.");
  }
  const formerDtype = typeof quantized === 'boolean' ? (quantized ? 'q8' : 'fp32') : quantized;
  const format = dtype ?? formerDtype;
  const options = { ...rest, ...(device === undefined ? {} : { device }), ...(format === undefined ? {} : { dtype: format }) };
  return locate(model, options as LoadModelOptions);
}

/** `readPretrained` for what needs no weights: a tokenizer, a config. Options that are about weights have no effect there. */
export async function readPretrainedFiles(model: ModelPath | undefined, given: object | undefined): Promise<Pretrained<HubOptions>> {
  const { dtype: _d, quantized: _q, device: _e, precision: _p, threads: _t, weightCache: _w, heads: _h, ...rest } = readNames(given);
  return locate(model, rest as HubOptions);
}

function readNames(given: object | undefined): Record<string, unknown> {
  const named = toCamelCase<Record<string, unknown>>(given);
  if (typeof named !== 'object' || named === null) return (named ?? {}) as Record<string, unknown>;
  const { progressCallback, ...rest } = named;
  for (const [name, why] of Object.entries(kIgnored)) {
    if (rest[name] !== undefined && rest[name] !== null) warnOnce('BERTHA_OPTION', name, `The option ${name} has no effect: ${why}.`);
    delete rest[name];
  }
  if (progressCallback !== undefined) rest['onProgress'] = progressCallback;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
}

function readDevice(given: unknown): unknown {
  const device = ofModel(given);
  if (typeof device !== 'string' || !/^(?:gpu|webgpu|wasm|dml|coreml|webnn(?:-npu|-gpu|-cpu)?)$/.test(device)) return device;
  const used = device === 'wasm' || device === 'webnn-cpu' ? 'cpu' : 'auto';
  warnOnce('BERTHA_DEVICE', 'device', `There is no device ${JSON.stringify(device)}: ${JSON.stringify(used)} is used.`);
  return used;
}

async function locate<T extends HubOptions>(given: ModelPath | undefined, asked: T): Promise<Pretrained<T>> {
  const options = withEnvironment(asked);
  if (given === undefined) return { model: given, options };
  const model = readModelPath(given, 'from_pretrained');
  const local = await findLocalModel(model);
  if (local !== undefined) return { model: local, options };
  const original = await findOriginal(model, hubOptions(options));
  if (original === undefined) return { model, options };
  const { revision: _, ...rest } = options; // names a commit of the conversion
  return { model: original, options: rest as T };
}

function hubOptions(options: HubOptions): HubOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(hubSchema, name)));
}
