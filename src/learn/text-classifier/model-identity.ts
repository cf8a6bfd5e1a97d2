import path from 'node:path';
import type { JsonObject } from '../../checkpoint/json-fields.js';
import { weightsHash } from '../../checkpoint/weights/weights-hash.js';
import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { defaultModelDirectory } from '../../runtime/default-model.js';
import type { EstimatorReader } from '../saving/estimator-reader.js';

/** The model whose vectors a classifier learned from. */
export interface ModelIdentity {
  /** What `loadEmbedder` takes: an id on the Hub or a path; "." for the classifier's own folder, nothing for the bundled model. */
  readonly name?: string;
  /** Of its weights, in hexadecimal. */
  readonly sha256: string;
}

/** The name of a model in the classifier's own folder, which may be moved as a whole. */
const kOwnFolder = '.';

/** Who a loaded model is; `folder` is where the classifier is saved. Errors: IO. */
export async function identify(directory: string, folder?: string): Promise<ModelIdentity> {
  const sha256 = await weightsHash(directory);
  const outside = directory === bundled() ? undefined : (hubId(directory) ?? directory);
  const name = directory === folder ? kOwnFolder : outside;
  return { ...(name === undefined ? {} : { name }), sha256 };
}

/** What `loadEmbedder` takes for the model of a classifier in `folder`. */
export function modelOf({ name }: ModelIdentity, folder: string | undefined): string | undefined {
  return name === kOwnFolder ? folder : name;
}

/** An identity as it stands in classifier.json. */
export function toJson({ name = null, sha256 }: ModelIdentity | { readonly name?: null; readonly sha256: string }): JsonObject {
  return { name, sha256 };
}

/** The identity in a classifier.json; undefined where words alone were learned. Errors: ESTIMATOR. */
export function readIdentity({ fields }: EstimatorReader): ModelIdentity | undefined {
  const model = fields.object('model');
  if (model === undefined) return undefined;
  const { name, sha256 } = model;
  const isHash = typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256);
  if (!isHash || (name !== null && name !== undefined && typeof name !== 'string')) {
    throw fields.error('model', 'a name (or null) and a sha256', model);
  }
  return { ...(typeof name === 'string' ? { name } : {}), sha256 };
}

/** Requires the model that a classifier learned from. Errors: MODEL_MISMATCH, which names both; IO. */
export async function requireModel(directory: string, wanted: ModelIdentity, file: string): Promise<void> {
  const { sha256 } = await identify(directory);
  if (sha256 === wanted.sha256) return;
  const named = `${wanted.name ?? 'the bundled model'} (weights ${wanted.sha256.slice(0, 12)}…), which ${file} learned from`;
  throw unexpected('MODEL_MISMATCH', named, `${directory} (weights ${sha256.slice(0, 12)}…)`);
}

function bundled(): string | undefined {
  try {
    return path.resolve(defaultModelDirectory());
  } catch (error) {
    if (error instanceof BerthaError) return undefined;
    throw error;
  }
}

/** The id of a snapshot in the Hub's cache: …/models--org--name/snapshots/commit. */
function hubId(directory: string): string | undefined {
  return /models--([^/\\]+)[/\\]snapshots[/\\][^/\\]+$/.exec(directory)?.[1]?.replace('--', '/');
}
