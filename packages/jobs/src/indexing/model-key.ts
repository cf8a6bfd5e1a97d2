import { createHash } from 'node:crypto';
import type { Embedder } from 'bertha-encoder';
import { hashFiles } from '../source/file-hash.js';
import type { StoredModel } from '../store/store.js';

/** What tells one model's vectors from another's. */
export interface ModelOptions {
  /** What `loadEmbedder` was given; `''` for the bundled model. Default: the embedder's directory. */
  readonly modelName?: string | undefined;
  /** The directory of the LoRA adapter that the embedder was loaded with. */
  readonly adapter?: string | undefined;
}

const kModelFiles = /\.(?:safetensors|json|txt|model)$/;

/**
 * Who an embedder is. Its key is a hash of the model's files, those of its adapter, the precision, the prompt of documents and the dimensions; it reads the files
 * once. Errors: IO, DISPOSED.
 */
export async function storedModelOf(embedder: Embedder, { modelName, adapter }: ModelOptions = {}): Promise<StoredModel> {
  const hash = createHash('sha256');
  hash.update(await hashFiles(embedder.directory, kModelFiles));
  if (adapter !== undefined) hash.update(await hashFiles(adapter, kModelFiles));
  const { vector } = await embedder.encodeDocument('probe');
  hash.update(JSON.stringify([embedder.precision.chosen, embedder.prompts['document'] ?? '', vector.length]));
  const isNormalized = Math.abs(Math.hypot(...vector) - 1) < 1e-2;
  return { key: hash.digest('hex'), name: modelName ?? embedder.directory, dimensions: vector.length, isNormalized };
}
