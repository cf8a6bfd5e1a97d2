import path from 'node:path';
import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { quote, quotePath } from '../../checkpoint/describe.js';
import { replaceFile } from '../../checkpoint/replace-file.js';
import { SafetensorsFile } from '../../checkpoint/safetensors/safetensors.js';
import { safetensorsHead } from '../../checkpoint/safetensors/safetensors-writer.js';
import type { TrainedTensor } from '../trainer/trainable-model.js';

/** AdamW's moments, under the weights' names. */
export const OPTIMIZER_FILE = 'optimizer.safetensors';

const prefixes = { expAvg: 'exp_avg.', expAvgSq: 'exp_avg_sq.' } as const;

const kinds = ['expAvg', 'expAvgSq'] as const;

/** Writes the moments of all tensors, one in memory at a time. Errors: IO. */
export async function writeOptimizer(folder: string, tensors: readonly TrainedTensor[]): Promise<void> {
  const parts = kinds.flatMap((kind) => tensors.map((tensor) => ({ kind, tensor })));
  const heads = parts.map(({ kind, tensor: { name, shape } }) => ({
    name: prefixes[kind] + name,
    dtype: 'F32' as const,
    shape,
    bytes: { byteLength: 4 * shape.reduce((product, size) => product * size, 1) },
  }));
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    yield safetensorsHead(heads, new Map([['format', 'pt']]));
    for (const { kind, tensor } of parts) {
      const { buffer, byteOffset, byteLength } = await tensor.read(kind);
      yield new Uint8Array(buffer, byteOffset, byteLength);
    }
  }
  await replaceFile(path.join(folder, OPTIMIZER_FILE), chunks());
}

/** Reads the moments, and the weights from `weightsFile`. Errors: CHECKPOINT, IO. */
export async function readOptimizer(folder: string, tensors: readonly TrainedTensor[], weightsFile: string): Promise<void> {
  await readFrom(path.join(folder, OPTIMIZER_FILE), async (source) => {
    for (const kind of kinds) {
      for (const tensor of tensors) await tensor.write(kind, await readOne(source, prefixes[kind] + tensor.name, tensor));
    }
  });
  await readWeights(folder, tensors, weightsFile);
}

/** Reads the weights of a saved model, from `weightsFile` unless they say where they are. Errors: CHECKPOINT, IO. */
export async function readWeights(folder: string, tensors: readonly TrainedTensor[], weightsFile: string): Promise<void> {
  for (const file of new Set(tensors.map(({ stored }) => stored?.file ?? weightsFile))) {
    const own = tensors.filter(({ stored }) => (stored?.file ?? weightsFile) === file);
    await readFrom(path.join(folder, file), async (source) => {
      for (const tensor of own) await tensor.write('value', await readOne(source, tensor.stored?.name ?? tensor.name, tensor));
    });
  }
}

async function readOne(source: SafetensorsFile, name: string, { shape }: TrainedTensor): Promise<Float32Array> {
  const found = source.tensors.get(name);
  const wanted = `tensor ${quote(name)} [${shape.join(', ')}] in ${quotePath(source.path)}`;
  if (found === undefined) throw unexpected('CHECKPOINT', wanted, 'a file without it');
  if (found.shape.join() !== shape.join()) throw unexpected('CHECKPOINT', wanted, `[${found.shape.join(', ')}]`);
  return source.readFloat32(name);
}

/** Whatever is wrong with the file's contents is the checkpoint's fault. */
async function readFrom<T>(file: string, read: (source: SafetensorsFile) => Promise<T>): Promise<T> {
  let source: SafetensorsFile | undefined;
  try {
    source = await SafetensorsFile.open(file);
    return await read(source);
  } catch (error) {
    if (!(error instanceof BerthaError) || error.kind !== 'model') throw error;
    throw new BerthaError('CHECKPOINT', error.message, { cause: error });
  } finally {
    await source?.close();
  }
}
