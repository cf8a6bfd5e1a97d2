import path from 'node:path';
import type { ErrorCode } from '../../errors.js';
import { MAX_CONFIG_BYTES, readTextFile } from '../files.js';

/** One entry of modules.json: the class without its package, and the folder inside the model directory. */
export interface ModuleEntry {
  readonly kind: string;
  readonly path: string;
}

/** Modules that are none of an encoder's vectors. */
const kReasons: Readonly<Record<string, string>> = {
  BoW: 'It counts words, without an encoder: see CountVectorizer and TfidfVectorizer of bertha-encoder/learn.',
  CNN: 'Convolutions over word vectors are not computed.',
  LSTM: 'Recurrent layers are not computed.',
  WordEmbeddings: 'Vectors of words without an encoder: see KeyedVectors of bertha-encoder/word-vectors.',
  WordWeights: 'Tokens are not weighted by a table before pooling.',
};

/** Why a module of this kind is refused, as a hint of an error. */
export function reasonAgainst(kind: string | undefined): { readonly hint?: string } {
  const hint = kind === undefined || !Object.hasOwn(kReasons, kind) ? undefined : kReasons[kind];
  return hint === undefined ? {} : { hint };
}

/** A file of a module, below the model directory. */
export function moduleFile(entry: ModuleEntry, name: string): string {
  return entry.path === '' ? name : `${entry.path}/${name}`;
}

/** The text of a small file below the model directory, or undefined. Errors: LFS_POINTER, IO, `code`. */
export function readModuleFile(directory: string, file: string, code: ErrorCode): Promise<string | undefined> {
  return readTextFile(path.join(directory, file), MAX_CONFIG_BYTES, code);
}
