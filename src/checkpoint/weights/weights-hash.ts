import { createHash } from 'node:crypto';
import path from 'node:path';
import { listFiles } from '../list-files.js';
import { openRegularFile, readFully } from '../files.js';

const kPieceBytes = 1 << 20;
/** Weights of a model, in its folder or a module's (`2_Dense`); not those of checkpoints and of heads beside it, which come and go. */
const kWeights = /^(?:\d+_[^/\\]+[/\\])?(?:model|adapter_model)[^/\\]*\.safetensors$/;

/** The SHA-256 of a model's weights, in hexadecimal: of its one file, or of the names and hashes of several. Errors: IO. */
export async function weightsHash(directory: string): Promise<string> {
  const files = (await listFiles(directory)).map(({ name }) => name).filter((name) => kWeights.test(name));
  const hashes: string[] = [];
  for (const file of files) hashes.push(await fileHash(path.join(directory, file)));
  if (hashes.length === 1) return hashes[0]!;
  const all = files.map((file, i) => `${file.replaceAll('\\', '/')} ${hashes[i]}\n`);
  return createHash('sha256').update(all.join('')).digest('hex');
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
