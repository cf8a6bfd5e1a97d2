import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { quotePath } from '../../checkpoint/describe.js';
import { exists } from '../../checkpoint/exists.js';
import { openRegularFile, readFully } from '../../checkpoint/files.js';
import { unexpected } from '../../expected.js';

/** Bytes and CRC-32 of a file: what shows that it was damaged. */
export interface FileSum {
  readonly bytes: number;
  readonly crc32: number;
}

/** What a checkpoint's own list of sums is in, and so cannot have one. */
export const STATE_FILE = 'trainer_state.json';

const kPieceBytes = 1 << 20;

/** The sums of all files of a folder and of its folders, by path with forward slashes. Errors: IO. */
export async function fileSums(folder: string): Promise<Record<string, FileSum>> {
  const sums: Record<string, FileSum> = {};
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file).split(path.sep).join('/');
    if (name !== STATE_FILE) sums[name] = await sumOf(file);
  }
  return sums;
}

/** Compares a folder's files with their sums. Errors: CHECKPOINT names the file that is missing or damaged; IO. */
export async function requireSums(folder: string, sums: Readonly<Record<string, FileSum>>): Promise<void> {
  for (const [name, expected] of Object.entries(sums)) {
    const file = path.join(folder, name);
    const hint = 'Resume from another checkpoint.';
    if (!(await exists(file))) throw unexpected('CHECKPOINT', `the file ${quotePath(file)} of a checkpoint`, 'none', { hint });
    const found = await sumOf(file);
    if (found.bytes === expected.bytes && found.crc32 === expected.crc32) continue;
    const wanted = `${expected.bytes} bytes with CRC-32 ${expected.crc32.toString(16)} for ${quotePath(file)}`;
    throw unexpected('CHECKPOINT', wanted, `${found.bytes} bytes with ${found.crc32.toString(16)}: the file is damaged`, { hint });
  }
}

async function sumOf(file: string): Promise<FileSum> {
  const { handle, size } = await openRegularFile(file);
  try {
    const piece = new Uint8Array(Math.min(kPieceBytes, size));
    let sum = 0;
    for (let done = 0; done < size; done += piece.byteLength) {
      const bytes = piece.subarray(0, Math.min(piece.byteLength, size - done));
      await readFully(handle, bytes, done, file);
      sum = crc32(bytes, sum);
    }
    return { bytes: size, crc32: sum };
  } finally {
    await handle.close();
  }
}
