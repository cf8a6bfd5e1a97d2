// The models that the benches run, in the forms that Bertha and its rivals read. What is made here goes to bench/.cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultModelDirectory } from '../src/runtime/default-model.js';
import type { BenchModel } from './engine.js';
import { writeRandomBert } from './random-bert.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const shared = resolve(root, process.env['BERTHA_SHARED'] ?? '../shared');

/** Where the benches keep what they make. */
export const cacheFolder = join(root, 'bench/.cache');

/** all-MiniLM-L6-v2: the bundled directory; ONNX graphs of shared/models, or made by bench/python/export_onnx.py. */
export function miniLm(python: string | undefined): BenchModel {
  const directory = defaultModelDirectory();
  const published = join(shared, 'models/all-MiniLM-L6-v2');
  const onnx = existsSync(join(published, 'model.onnx'))
    ? { fp32: join(published, 'model.onnx'), int8: join(published, 'model_quantized.onnx') }
    : exportOnnx(directory, join(cacheFolder, 'all-MiniLM-L6-v2'), python);
  return { name: 'MiniLM', directory, onnx, layers: 6, hidden: 384, intermediate: 1536 };
}

/** The shape of bert-base-uncased with random weights: speed does not depend on their values. */
export function bertBase(python: string | undefined): BenchModel {
  const directory = join(cacheFolder, 'bert-base-random');
  const shape = { layers: 12, hidden: 768, intermediate: 3072, heads: 12 };
  if (!existsSync(join(directory, 'model.safetensors'))) writeRandomBert(directory, shape, defaultModelDirectory());
  return { name: 'BERT-base', directory, onnx: exportOnnx(directory, directory, python), ...shape };
}

/** The ONNX graphs of a directory, made by a script of bench/python if they are not in `folder` yet; none without such a Python. */
export function exportOnnx(directory: string, folder: string, python = 'python3', name = 'export_onnx.py'): BenchModel['onnx'] {
  const paths = { fp32: join(folder, 'model.onnx'), int8: join(folder, 'model_quantized.onnx') };
  if (existsSync(paths.fp32) && existsSync(paths.int8)) return paths;
  if (spawnSync(python, ['-c', 'import onnx, onnxruntime'], { stdio: 'ignore' }).status !== 0) return {};
  mkdirSync(folder, { recursive: true });
  process.stderr.write(`bench: making ONNX graphs of ${directory}\n`);
  const script = join(root, 'bench/python', name);
  const { status } = spawnSync(python, [script, directory, '--out', folder, '--int8'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`Expected ${python} ${script} to succeed but received exit code ${status}.`);
  return paths;
}

/** The error of an engine that has no graph of a model. */
export function noGraph(model: BenchModel, precision: string): Error {
  const remedy = 'A Python with bench/python/requirements.txt makes it: --python PYTHON';
  return new Error(`Expected an ONNX graph of ${model.name} in ${precision} but received none. ${remedy}`);
}
