import path from 'node:path';
import { SafetensorsFile, writeSafetensors, type TensorToWrite } from '../../src/checkpoint/safetensors/safetensors.js';

/** Rewrites the tensors of a copy of a model. */
export async function withTensors(folder: string, change: (tensor: TensorToWrite) => readonly TensorToWrite[]): Promise<string> {
  const weights = path.join(folder, 'model.safetensors');
  const file = await SafetensorsFile.open(weights);
  const tensors: TensorToWrite[] = [];
  for (const { name, dtype, shape } of file.tensors.values()) tensors.push(...change({ name, dtype, shape, bytes: await file.read(name) }));
  await file.close();
  await writeSafetensors(weights, tensors);
  return folder;
}
