import path from 'node:path';
import { readTextFile } from '../../checkpoint/files.js';
import { parseJsonObject } from '../../checkpoint/json-fields.js';
import { unexpected } from '../../expected.js';
import { readModelPath, resolveModel, type ModelPath } from '../../hub/index.js';
import { toCamelCase } from '../snake-case.js';
import { readPretrainedFiles, type PretrainedOptions } from '../loading/options.js';

const kMaxConfigBytes = 1 << 24;

/** The fields of a config.json, each as it is spelled there and in camel case. */
export type PretrainedConfig = Readonly<Record<string, unknown>>;

/** Reads config.json of a directory. Errors: CONFIG, MODEL_NOT_FOUND, IO, LFS_POINTER. */
export async function readConfigFields(directory: string): Promise<PretrainedConfig> {
  const file = path.join(directory, 'config.json');
  const text = await readTextFile(file, kMaxConfigBytes, 'CONFIG');
  if (text === undefined) throw unexpected('MODEL_NOT_FOUND', 'a config.json', `none in ${JSON.stringify(directory)}`);
  const fields = parseJsonObject(text, file, 'CONFIG');
  return { ...fields, ...toCamelCase<PretrainedConfig>(fields) };
}

/** Reads the config.json of a model without its weights. */
export const AutoConfig = {
  /** The fields of config.json, `hidden_size` and `hiddenSize` alike. Errors: as `loadTokenizer`; CONFIG. */
  from_pretrained: async (model: ModelPath, options?: PretrainedOptions): Promise<PretrainedConfig> => {
    const found = await readPretrainedFiles(readModelPath(model, 'AutoConfig'), options);
    return readConfigFields(await resolveModel(found.model!, found.options, 'tokenizer'));
  },
};
