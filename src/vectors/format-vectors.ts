import { unexpected, wrongArgument } from '../expected.js';
import { isFloat32Array } from '../realms.js';
import { loadAddon } from '../runtime/addon.js';
import { toBerthaError } from '../runtime/native-error.js';

/**
 * Vectors as JSON, in UTF-8: a list of numbers for one vector, `[0.25,-1e-05]`, a list of such lists for many. Each number is the shortest decimal that
 * reads back as the same float32; what is not finite is null, as JSON.stringify has it. Printed natively, ten times as fast as JSON.stringify.
 * `dimensions` keeps the first numbers of each vector.
 *
 * Errors: INVALID_ARG, ADDON_LOAD.
 *
 * @example
 * process.stdout.write(formatVectors((await embedder.embed(texts)).map(({ vector }) => vector)));
 */
export function formatVectors(vectors: Float32Array | readonly Float32Array[], dimensions?: number): Uint8Array {
  const isOne = isFloat32Array(vectors);
  if (!isOne && !Array.isArray(vectors)) throw wrongArgument('a Float32Array or a list of them for formatVectors', vectors);
  const list: readonly unknown[] = isOne ? [vectors] : vectors;
  const wrong = list.findIndex((vector) => !isFloat32Array(vector));
  if (wrong >= 0) throw wrongArgument(`a Float32Array for vector ${wrong} of formatVectors`, list[wrong]);
  const isCount = dimensions === undefined || (Number.isSafeInteger(dimensions) && dimensions > 0);
  if (!isCount) throw unexpected('INVALID_ARG', 'a whole number from 1 for the dimensions of formatVectors', dimensions);
  try {
    return loadAddon().vectors.format(list as readonly Float32Array[], dimensions ?? 0, !isOne);
  } catch (error) {
    throw toBerthaError(error);
  }
}
