import path from 'node:path';
import { quotePath } from '../../checkpoint/describe.js';
import { isMissing, readTextFile } from '../../checkpoint/files.js';
import { JsonFields, type JsonObject, parseJsonObject } from '../../checkpoint/json-fields.js';
import { listFiles } from '../../checkpoint/list-files.js';
import { makeFolder } from '../../checkpoint/make-folder.js';
import { replaceFile } from '../../checkpoint/replace-file.js';
import { SafetensorsFile } from '../../checkpoint/safetensors/safetensors.js';
import { type TensorToWrite, writeSafetensors } from '../../checkpoint/safetensors/safetensors-writer.js';
import { unexpected, wrongArgument } from '../../expected.js';
import { type FilePath, readFilePath } from '../../file-path.js';
import { EstimatorReader } from './estimator-reader.js';

/** What the first field of every saved estimator says. */
export const kFormat = 'bertha-learn';
/** Vocabularies of some millions of pieces need this much. */
const kMostBytes = 1 << 28;

/** The names that the files of an estimator begin with: several kinds lie in one folder. */
export type Stem = 'classifier' | 'clusters' | 'pca' | 'scaler' | 'one-hot' | 'vectorizer';

/** What an estimator consists of. */
export interface SavedEstimator {
  /** scikit-learn's name of the class. */
  readonly type: string;
  /** Its options under scikit-learn's names; undefined ones are left out. */
  readonly params: JsonObject;
  /** What fitting found, as JSON. */
  readonly state?: JsonObject;
  /** What fitting found, as tensors: float64 or int32. */
  readonly tensors?: Readonly<Record<string, SavedTensor>>;
}

/** A tensor of an estimator, in C order. */
export interface SavedTensor {
  readonly data: Float64Array | Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** A vector as a tensor. */
export function vectorTensor(data: SavedTensor['data']): SavedTensor {
  return { data, shape: [data.length] };
}

/** Rows of one width as a tensor [rows, width]. */
export function rowsTensor(rows: readonly Float64Array[]): SavedTensor {
  const width = rows[0]?.length ?? 0;
  const data = new Float64Array(rows.length * width);
  rows.forEach((row, i) => data.set(row, i * width));
  return { data, shape: [rows.length, width] };
}

/**
 * Writes `STEM.safetensors` (where there are tensors), then `STEM.json`, into a folder that is made. Each file appears when it is whole.
 *
 * Errors: INVALID_ARG for what is no path, IO.
 */
export async function writeEstimator(directory: FilePath, stem: Stem, saved: SavedEstimator): Promise<void> {
  const folder = folderOf(directory, 'save');
  await makeFolder(folder);
  const tensors = Object.entries(saved.tensors ?? {}).map(([name, tensor]) => toWrite(name, tensor));
  if (tensors.length > 0) await writeSafetensors(path.join(folder, `${stem}.safetensors`), tensors);
  const json = JSON.stringify({ format: kFormat, version: 1, type: saved.type, params: saved.params, ...saved.state }, undefined, 1);
  await replaceFile(path.join(folder, `${stem}.json`), [Buffer.from(`${json}\n`)]);
}

/**
 * Opens a saved estimator of one of the types and gives it to `read`; what `read` asks for is checked.
 *
 * Errors: ESTIMATOR for files that are damaged or hold another estimator, MODEL_NOT_FOUND where there is none, UNSAFE_FORMAT where there
 * are pickles in its place; IO, LFS_POINTER, OUT_OF_MEMORY, INVALID_ARG, those of a safetensors header.
 */
export async function readEstimator<T>(
  directory: FilePath,
  stem: Stem,
  types: readonly string[],
  read: (reader: EstimatorReader) => T | Promise<T>,
): Promise<T> {
  const folder = folderOf(directory, 'load');
  const file = path.join(folder, `${stem}.json`);
  const text = await readTextFile(file, kMostBytes, 'ESTIMATOR');
  if (text === undefined) throw await missing(folder, stem);
  const json = parseJsonObject(text, quotePath(file), 'ESTIMATOR');
  const fields = new JsonFields(json, quotePath(file), 'ESTIMATOR');
  if (fields.get('format') !== kFormat) throw fields.error('format', JSON.stringify(kFormat), fields.get('format'));
  if (fields.get('version') !== 1) throw fields.error('version', '1', fields.get('version'));
  const type = fields.string('type');
  if (type === undefined || !types.includes(type)) throw fields.error('type', types.map((each) => JSON.stringify(each)).join(' or '), type);
  const tensorFile = path.join(folder, `${stem}.safetensors`);
  const tensors = await SafetensorsFile.open(tensorFile).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  try {
    const estimator = await read(new EstimatorReader(json, quotePath(file), type, tensors, quotePath(tensorFile)));
    await tensors?.verifyUnchanged();
    return estimator;
  } finally {
    await tensors?.close();
  }
}

function toWrite(name: string, { data, shape }: SavedTensor): TensorToWrite {
  const dtype = data.BYTES_PER_ELEMENT === 8 ? 'F64' : Object.prototype.toString.call(data) === '[object Int32Array]' ? 'I32' : 'F32';
  return { name, dtype, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function folderOf(directory: FilePath, call: string): string {
  const folder = readFilePath(directory);
  if (folder === undefined || folder === '') throw wrongArgument(`the path or URL of a folder for ${call}`, directory);
  return folder;
}

async function missing(folder: string, stem: Stem): Promise<Error> {
  const pickle = (await listFiles(folder)).map(({ name }) => name).find((name) => /\.(?:pkl|pickle|joblib|skops)$/.test(name));
  if (pickle === undefined) return unexpected('MODEL_NOT_FOUND', `${stem}.json in ${quotePath(folder)}`, 'a folder without it');
  return unexpected(
    'UNSAFE_FORMAT',
    `${stem}.json in ${quotePath(folder)}`,
    `only ${JSON.stringify(pickle)}, which can run code when read`,
    {
      hint: 'docs/learn.md has the lines of Python that write the estimator as JSON and safetensors.',
    },
  );
}
