import { createHash } from 'node:crypto';
import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { openRegularFile, readFully } from '../files.js';
import { readModules } from '../sentence/module-list.js';

const kPieceBytes = 1 << 20;
/** Weights of a model, or of a module of it; not those of heads beside it, which come and go. */
const kWeights = /^(?:model|adapter_model)[^/\\]*\.safetensors$/;
/** Weights where there are none of those. */
const kTorchWeights = /^pytorch_model[^/\\]*\.bin$/;
/** The folders of modules as sentence-transformers names them; modules.json may name others. */
const kModuleFolder = /^\d+_/;

/** The SHA-256 of a model's weights, in hexadecimal: of its one file, or of the names and hashes of several. Errors: IO, INDEX_PATH. */
export async function weightsHash(directory: string): Promise<string> {
  const files = await weightFiles(directory);
  const hashes: string[] = [];
  for (const file of files) hashes.push(await fileHash(path.join(directory, file)));
  if (hashes.length === 1) return hashes[0]!;
  const all = files.map((file, i) => `${file} ${hashes[i]}\n`);
  return createHash('sha256').update(all.join('')).digest('hex');
}

/** Relative names, in order, with slashes. */
async function weightFiles(directory: string): Promise<string[]> {
  const real = await realpath(directory).catch(() => directory);
  const listed = (await readModules(real))?.entries.map((entry) => path.posix.join(entry.path, '.')) ?? [];
  const numbered = (await namesIn(directory)).filter((name) => kModuleFolder.test(name));
  const files: string[] = [];
  for (const folder of new Set(['.', ...numbered, ...listed])) {
    const names = await namesIn(path.join(directory, folder));
    const safetensors = names.filter((name) => kWeights.test(name));
    const weights = safetensors.length > 0 ? safetensors : names.filter((name) => kTorchWeights.test(name));
    files.push(...weights.map((name) => path.posix.join(folder, name)));
  }
  return files.sort();
}

/** What a folder holds; nothing where it is none. */
function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function fileHash(file: string): Promise<string> {
  const { handle, size } = await openRegularFile(file);
  try {
    const hash = createHash('sha256');
    const piece = new Uint8Array(Math.min(kPieceBytes, size));
    for (let done = 0; done < size; done += piece.byteLength) {
      const bytes = piece.subarray(0, Math.min(piece.byteLength, size - done));
      await readFully(handle, bytes, done, file);
      hash.update(bytes);
    }
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}
