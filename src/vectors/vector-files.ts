import { npyHeader, readNpy } from '../checkpoint/npy.js';
import { replaceFile } from '../checkpoint/replace-file.js';
import { SafetensorsFile } from '../checkpoint/safetensors/safetensors.js';
import { safetensorsHead } from '../checkpoint/safetensors/safetensors-writer.js';
import { unexpected, wrongArgument } from '../expected.js';
import { readFilePath, type FilePath } from '../file-path.js';
import { oneOf, readOptions, text } from '../options.js';
import { toRows } from './rows.js';
import { componentsOf, isVectorList, type VectorLike, type VectorMatrix } from './vector-like.js';

const kFormats = ['npy', 'safetensors'] as const;
/** Numbers that are written at once. */
const kBlockNumbers = 1 << 18;

/** Options of `saveVectors` and `loadVectors`. */
export interface VectorFileOptions {
  /** Default: as the name ends. */
  readonly format?: (typeof kFormats)[number] | undefined;
  /** The tensor of a safetensors file. Default `embeddings`; to be loaded, else the only tensor. */
  readonly name?: string | undefined;
}

const schema = { format: oneOf(kFormats), name: text };

/**
 * Writes vectors as one matrix [count, dimensions] to a .npy or .safetensors file: float32, or float64 where the vectors are (plain
 * numbers are float64). The file appears when it is whole; an old one stays until then, and when something fails.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, IO.
 */
export async function saveVectors(
  file: FilePath,
  vectors: readonly VectorLike[] | VectorMatrix,
  options?: VectorFileOptions,
): Promise<void> {
  const path = pathOf(file, 'saveVectors');
  const settings = readOptions('saveVectors', options, schema);
  const { format, name = 'embeddings' } = { ...settings, format: settings.format ?? formatOf(path, 'saveVectors') };
  const rows = toRows(vectors, 'the vectors of saveVectors');
  const isSingle = (each: VectorLike, i: number): boolean =>
    componentsOf(each, `the vectors of saveVectors at index ${i}`).BYTES_PER_ELEMENT === 4;
  const type = (isVectorList(vectors) ? vectors.every(isSingle) : vectors.data.BYTES_PER_ELEMENT === 4) ? Float32Array : Float64Array;
  const bytes = { byteLength: rows.count * rows.width * type.BYTES_PER_ELEMENT };
  const isFloat32 = type === Float32Array;
  const head =
    format === 'npy'
      ? npyHeader(isFloat32 ? '<f4' : '<f8', rows.count, rows.width)
      : safetensorsHead([{ name, dtype: isFloat32 ? 'F32' : 'F64', shape: [rows.count, rows.width], bytes }], new Map());
  function* chunks(): Generator<Uint8Array> {
    yield head;
    const most = Math.max(1, Math.floor(kBlockNumbers / Math.max(1, rows.width)));
    for (let begin = 0; begin < rows.count; begin += most) {
      // A copy: the caller may change or transfer its array while this is written.
      const block = type.from(rows.block(begin, Math.min(rows.count, begin + most)));
      yield new Uint8Array(block.buffer);
    }
  }
  await replaceFile(path, chunks());
}

/**
 * Reads the matrix of a .npy file (float32 or float64, C order) or of a .safetensors file (F32, F64; F16 and BF16 become float32).
 *
 * Errors: VECTOR_FILE for what is no such matrix, and damaged files; those of reading safetensors; INVALID_OPTION, IO, OUT_OF_MEMORY.
 */
export async function loadVectors(file: FilePath, options?: VectorFileOptions): Promise<VectorMatrix> {
  const path = pathOf(file, 'loadVectors');
  const { format, name } = readOptions('loadVectors', options, schema);
  if ((format ?? formatOf(path, 'loadVectors')) === 'safetensors') return loadTensor(path, name);
  const { data, columns } = await readNpy(path);
  return toMatrix(data, columns, path);
}

async function loadTensor(path: string, name: string | undefined): Promise<VectorMatrix> {
  const file = await SafetensorsFile.open(path);
  try {
    const names = [...file.tensors.keys()];
    const chosen = name ?? (names.length === 1 ? names[0]! : 'embeddings');
    const tensor = file.tensors.get(chosen);
    const columns = tensor?.shape[1];
    if (tensor === undefined || tensor.shape.length !== 2 || columns === undefined) {
      const got =
        tensor === undefined ? `the tensors ${names.slice(0, 10).join(', ') || 'none'}` : `the shape [${tensor.shape.join(', ')}]`;
      throw unexpected('VECTOR_FILE', `a matrix ${JSON.stringify(chosen)} in ${JSON.stringify(path)}`, got);
    }
    const data =
      tensor.dtype === 'F64' ? new Float64Array((await file.read(chosen)).buffer as ArrayBuffer) : await file.readFloat32(chosen);
    await file.verifyUnchanged();
    return toMatrix(data, columns, path);
  } finally {
    await file.close();
  }
}

function toMatrix(data: Float32Array | Float64Array, dimensions: number, path: string): VectorMatrix {
  if (dimensions > 0) return { data, dimensions };
  throw unexpected('VECTOR_FILE', `vectors of at least one number in ${JSON.stringify(path)}`, 'none');
}

function pathOf(file: unknown, call: string): string {
  const path = readFilePath(file);
  if (path === undefined) throw wrongArgument(`a path or a file URL for ${call}`, file);
  return path;
}

function formatOf(path: string, call: string): (typeof kFormats)[number] {
  const found = kFormats.find((format) => path.toLowerCase().endsWith(`.${format}`));
  if (found !== undefined) return found;
  throw wrongArgument(`a name that ends with .npy or .safetensors, or the option format, for ${call}`, path);
}
