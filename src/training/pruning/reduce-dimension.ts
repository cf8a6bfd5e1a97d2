import path from 'node:path';

import type { JsonObject } from '../../checkpoint/json-fields.js';
import { makeFolder } from '../../checkpoint/make-folder.js';
import { replaceFile } from '../../checkpoint/replace-file.js';
import { writeSafetensors } from '../../checkpoint/safetensors/safetensors.js';
import { readModuleFile } from '../../checkpoint/sentence/module-list.js';
import { loadEmbedder } from '../../embedding/embed.js';
import { unexpected, wrongOption } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { readModelPath, resolveModel, type ModelPath } from '../../hub/index.js';
import { PCA } from '../../learn/index.js';
import { abortSignal, integer, readOptions, strings, type Check } from '../../options.js';
import { fillFolder } from '../checkpoints/complete-folder.js';
import { deriveModel } from './derive-model.js';

/** Options of `reduceDimension`. */
export interface ReduceDimensionOptions {
  /** A sentence model: a directory, or an id on the Hub. */
  readonly model: ModelPath;
  /** Texts like those that will be embedded; a few thousand, at least as many as `dimensions`. */
  readonly texts: readonly string[];
  /** Numbers that a vector keeps. */
  readonly dimensions: number;
  /** Where the model goes. */
  readonly outputDir: FilePath;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** What `reduceDimension` gives. */
export interface ReducedDimension {
  /** The share of the vectors' variance that is left. */
  readonly explainedVariance: number;
}

const anything: Check<unknown> = (value) => value;
const schema = {
  model: anything,
  texts: strings,
  dimensions: integer(1, 8192),
  outputDir: filePath,
  threads: integer(1, 1024),
  signal: abortSignal,
};

/**
 * Makes a sentence model's vectors shorter: the principal components of the vectors of some texts become a Dense module at its end, which
 * sentence-transformers reads too. A model that ends in Normalize does so again.
 *
 * ```js
 * await reduceDimension({ model: 'my-sentence-model', texts, dimensions: 128, outputDir: 'short' });
 * ```
 *
 * Errors: INVALID_OPTION, INVALID_ARG (fewer texts than dimensions), those of `loadEmbedder` and `embed`; IO.
 */
export async function reduceDimension(options: ReduceDimensionOptions): Promise<ReducedDimension> {
  const own = readOptions('reduceDimension', options, schema);
  for (const name of ['model', 'texts', 'dimensions', 'outputDir'] as const) {
    if (own[name] === undefined) throw wrongOption(`a value for reduceDimension option ${name}`, undefined);
  }
  const { texts, dimensions, outputDir, signal } = own as unknown as ReduceDimensionOptions;
  const directory = await resolveModel(readModelPath(own.model, 'reduceDimension'), {}, 'model');
  const embedder = await loadEmbedder(directory, own.threads === undefined ? {} : { threads: own.threads });
  let vectors: Float32Array[];
  try {
    if (dimensions >= embedder.dimensions) {
      throw unexpected(
        'INVALID_OPTION',
        `fewer than the model's ${embedder.dimensions} dimensions for reduceDimension option dimensions`,
        dimensions,
      );
    }
    vectors = (await embedder.embed(texts, { priority: 'bulk', ...(signal && { signal }) })).map(({ vector }) => vector);
  } finally {
    embedder.dispose();
  }
  const pca = await new PCA({ nComponents: dimensions }).fit(vectors, signal && { signal });
  await fillFolder(path.resolve(outputDir as string), async (folder) => {
    await deriveModel(directory, folder, () => ({ makesSentences: true }));
    await addDense(folder, pca.components);
  });
  return { explainedVariance: pca.explainedVarianceRatio.reduce((sum, share) => sum + share, 0) };
}

/** Appends a Dense module without bias, and Normalize behind it where the model ended so. */
async function addDense(folder: string, components: readonly Float64Array[]): Promise<void> {
  const list = path.join(folder, 'modules.json');
  const modules = JSON.parse((await readModuleFile(folder, 'modules.json', 'CONFIG'))!) as JsonObject[];
  const [rows, cols] = [components.length, components[0]!.length];
  const last = modules.at(-1)!;
  const add = (kind: string): string => {
    const idx = modules.length;
    modules.push({ idx, name: String(idx), path: `${idx}_${kind}`, type: `sentence_transformers.models.${kind}` });
    return path.join(folder, `${idx}_${kind}`);
  };
  const dense = add('Dense');
  if (String(last['type']).endsWith('Normalize')) await makeFolder(add('Normalize'));
  await makeFolder(dense);
  const values = new Float32Array(rows * cols);
  components.forEach((component, row) => values.set(component, row * cols));
  await writeSafetensors(path.join(dense, 'model.safetensors'), [
    { name: 'linear.weight', dtype: 'F32', shape: [rows, cols], bytes: new Uint8Array(values.buffer) },
  ]);
  const config = { in_features: cols, out_features: rows, bias: false, activation_function: 'torch.nn.modules.linear.Identity' };
  await writeJson(path.join(dense, 'config.json'), config);
  await writeJson(list, modules);
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await replaceFile(file, [new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`)]);
}
