import path from 'node:path';
import type { ErrorCode } from '../../errors.js';
import { MAX_CONFIG_BYTES, readTextFile } from '../files.js';

/** One entry of modules.json: the class without its package, and the folder inside the model directory. */
export interface ModuleEntry {
  readonly kind: string;
  readonly path: string;
}

/** A file of a module, below the model directory. */
export function moduleFile(entry: ModuleEntry, name: string): string {
  return entry.path === '' ? name : `${entry.path}/${name}`;
}

/** The text of a small file below the model directory, or undefined. Errors: LFS_POINTER, IO, `code`. */
export function readModuleFile(directory: string, file: string, code: ErrorCode): Promise<string | undefined> {
  return readTextFile(path.join(directory, file), MAX_CONFIG_BYTES, code);
}
