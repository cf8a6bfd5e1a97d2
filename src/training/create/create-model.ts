import path from 'node:path';
import { parseConfig, type ModelConfig } from '../../architectures/config.js';
import type { Family } from '../../architectures/family.js';
import { families } from '../../architectures/registry.js';
import { WeightReader } from '../../architectures/weight-reader.js';
import { quotePath } from '../../checkpoint/describe.js';
import { exists } from '../../checkpoint/exists.js';
import type { JsonObject } from '../../checkpoint/json-fields.js';
import { unexpected, wrongOption } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { limitsOf } from '../../models/build-model.js';
import { loadTokenizer } from '../../models/load-tokenizer.js';
import { ProgramBuilder } from '../../models/program/program.js';
import { integer, readOptions } from '../../options.js';
import { record } from '../arguments/checks.js';
import { replaceFolder } from '../checkpoints/complete-folder.js';
import { saveModel } from '../checkpoints/save-model.js';
import { initializerRange, initialValues } from '../program/initial-values.js';
import { createPair, writesTexts } from '../seq2seq/create-pair.js';
import { createDecoder } from '../text-generation/create-decoder.js';
import { NewTensors } from './new-tensors.js';

/** What a new model is made of. */
export interface CreateModelOptions {
  /** Fields of config.json under transformers' names; those left out have the defaults of its class. `vocab_size` is the tokenizer's unless given. */
  readonly config: Readonly<Record<string, unknown>>;
  /** A directory with the tokenizer's files, which are copied. */
  readonly tokenizer: FilePath;
  /** The numbers are a function of it and of the tensors' names. Default 42. */
  readonly seed?: number | undefined;
}

/**
 * Makes a model that has learned nothing: the encoder of a configuration, filled as transformers fills it (matrices and tables N(0, `initializer_range`), biases 0,
 * norms 1 and 0, the row of the padding token 0), in a directory that `train`, `loadModel` and transformers read, and that must not be
 * there yet. `model_type` 'encoder-decoder' (with fields `encoder` and `decoder`), 'marian' and 'bart' make models that write, `is_decoder: true` a decoder alone with its head.
 *
 * ```js
 * await createModel('small', { config: { model_type: 'bert', hidden_size: 128, num_hidden_layers: 2, num_attention_heads: 2 }, tokenizer: 'path/to/tokenizer' });
 * ```
 *
 * Errors: INVALID_OPTION, CONFIG, CONFIG_UNSUPPORTED, TOKENIZER, VOCAB, IO.
 */
export async function createModel(directory: FilePath, options: CreateModelOptions): Promise<void> {
  const folder = path.resolve(filePath(directory, 'the directory of createModel'));
  const schema = { config: record, tokenizer: filePath, seed: integer(0, Number.MAX_SAFE_INTEGER) };
  const { config: fields, tokenizer: source, seed = 42 } = readOptions('createModel', options, schema);
  if (fields === undefined) throw wrongOption('fields of config.json for createModel option config', fields);
  if (source === undefined) throw wrongOption('a directory with tokenizer files for createModel option tokenizer', source);
  if (await exists(folder)) throw unexpected('IO', 'a folder that is not there yet for the new model', quotePath(folder));
  const tokenizer = await loadTokenizer(source);
  const { vocabSize } = tokenizer;
  if (writesTexts(fields)) {
    await createPair(folder, { fields, source, tokenizer, seed });
    return;
  }
  if (fields['is_decoder'] === true) {
    await createDecoder(folder, { fields, source, tokenizer, seed });
    return;
  }
  const config = parseConfig(JSON.stringify(configOf(fields, vocabSize)));
  if (config.vocabSize < vocabSize) {
    throw unexpected('INVALID_OPTION', `a vocab_size of at least ${vocabSize}, the tokenizer's, for createModel`, config.vocabSize);
  }
  const tensors = newTensors(config).map(({ name, shape }) => ({ name, shape, read: async () => valuesOf(name, shape, config, seed) }));
  await replaceFolder(folder, (temporary) => saveModel(temporary, { source, config: config.raw, tensors, keepsModules: false }));
}

function configOf(fields: Readonly<Record<string, unknown>>, vocabSize: number): JsonObject {
  const family = (families as Partial<Record<string, Family>>)[String(fields['model_type'] ?? 'bert')];
  const named = { model_type: 'bert', vocab_size: vocabSize, ...fields, dtype: 'float32' };
  return { ...named, ...(family === undefined ? {} : { architectures: [`${family.className}Model`] }) } as JsonObject;
}

/** The encoder's tensors, by building its program. */
function newTensors(config: ModelConfig): readonly { readonly name: string; readonly shape: readonly number[] }[] {
  const family: Family = families[config.modelType];
  const tensors = new NewTensors();
  family.encoder(new WeightReader(new ProgramBuilder(limitsOf(config)), config, tensors));
  return [...tensors.shapes].map(([name, shape]) => ({ name, shape }));
}

function valuesOf(name: string, shape: readonly number[], config: ModelConfig, seed: number): Float32Array {
  const [rows = 1, cols = 1] = shape;
  const values = initialValues(seed, name, rows * cols, initializerRange(config));
  // Rows that nothing is read from: padding's, and in MPNet its position.
  const [, table] = /(word|position)_embeddings\.weight$/.exec(name) ?? [];
  const row = { word: config.padTokenId, position: config.uncountedId }[table ?? ''];
  if (row !== undefined) values.fill(0, row * cols, (row + 1) * cols);
  return values;
}
