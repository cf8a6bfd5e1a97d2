import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPickle } from '../../src/checkpoint/torch/pickle.js';
import { tensorsOf, torchNames } from '../../src/checkpoint/torch/state-dict.js';
import { openTorchFile } from '../../src/checkpoint/torch/torch-file.js';
import { dtypeBits } from '../../src/checkpoint/safetensors/safetensors.js';
import { tensorPickle, torchArchive, torchStream, zip, type TorchTensor } from '../support/torch-writer.js';
import { promise, type Target } from './target.js';

const golden = fileURLToPath(new URL('../golden-generation/files/', import.meta.url));
const hostile = readdirSync(golden)
  .filter((name) => name.startsWith('hostile'))
  .map((name) => readFileSync(golden + name));

const storage = { key: '0', type: 'FloatStorage', bytes: Buffer.alloc(48, 1), count: 12 };
const tensors: readonly TorchTensor[] = [
  { ...storage, name: 'whole', shape: [3, 4] },
  { ...storage, name: 'transposed', shape: [4, 3], strides: [1, 4] },
  { ...storage, name: 'column', shape: [3], strides: [4], offset: 1 },
  { name: 'half', key: 'b', type: 'HalfStorage', bytes: Buffer.alloc(10), count: 5, shape: [5] },
];
const files = [
  torchArchive(tensors),
  torchStream(tensors),
  zip(
    [
      ['m/data.pkl', tensorPickle(tensors.slice(0, 1))],
      ['m/data/0', storage.bytes],
    ],
    { long: true },
  ),
];

/** The pickle alone: mutations get past the archive. */
const pickles: Target = {
  name: 'pickle of tensors',
  share: 20,
  seeds: [tensorPickle(tensors), tensorPickle(tensors, true), ...hostile.map((bytes) => bytes.subarray(-120))],
  read(bytes) {
    const pickle = readPickle(bytes, 0, torchNames);
    promise(pickle === undefined || pickle.end <= bytes.length, 'a pickle ends in what was read');
    if (pickle === undefined) return;
    for (const [name, { shape, strides, offset, storage: own }] of tensorsOf(pickle.value)) {
      promise(typeof name === 'string' && shape.length === strides.length, 'names are text, and sizes have strides');
      promise(
        [...shape, ...strides, offset, own.count].every((size) => Number.isSafeInteger(size) && size >= 0),
        'sizes are whole',
      );
    }
  },
};

const folder = mkdtempSync(join(tmpdir(), 'bertha-fuzz-torch-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const torchFiles: Target = {
  name: 'file of torch.save',
  share: 5,
  seeds: [...files, ...files, ...hostile],
  async read(bytes) {
    const path = join(folder, 'pytorch_model.bin');
    writeFileSync(path, bytes);
    const { tensors: read, files: opened } = await openTorchFile(path);
    try {
      promise(read.size > 0, 'there are tensors');
      for (const { name, dtype, shape, byteLength, file } of read.values()) {
        promise(byteLength === shape.reduce((a, b) => a * b, dtypeBits(dtype) / 8), 'a tensor has the bytes of its shape');
        promise((await file.read(name)).length === byteLength && byteLength <= bytes.length, 'a tensor is no larger than its file');
      }
    } finally {
      for (const file of opened) await file.close();
    }
  },
};

export const torchTargets: readonly Target[] = [pickles, torchFiles];
