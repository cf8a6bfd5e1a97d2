import { dirname, join } from 'node:path';
import { unexpected } from '../expected.js';
import { setLocation } from './configure.js';
import { installedFile, isThere, packageRoot } from './package-files.js';

const weightsPackage = '@bertha-encoder/weights-all-minilm-l6-v2';
/** In float32, in 16 bits, in 8 bits: where several are installed, the most accurate counts. */
const weightsPackages = [weightsPackage, `${weightsPackage}-fp16`, `${weightsPackage}-int8`];

/**
 * The folder of the default model, all-MiniLM-L6-v2: the one that `configure` or BERTHA_MODEL_DIR names, and then no other; else weights/
 * in a checkout; else the weights package, the first that is installed of those in float32, fp16 and int8. Throws `MODEL_NOT_FOUND` when there is none.
 */
export function defaultModelDirectory(): string {
  const set = setLocation('modelDirectory');
  if (set !== undefined) {
    if (isThere(join(set.path, 'config.json'))) return set.path;
    const got = isThere(set.path) ? 'which has no config.json' : 'which is not there';
    throw unexpected('MODEL_NOT_FOUND', `a model directory for ${set.setBy}`, `${JSON.stringify(set.path)}, ${got}`, {
      hint: 'Correct or remove it.',
    });
  }
  const root = packageRoot();
  const own = root === undefined ? undefined : join(root, 'weights', 'all-MiniLM-L6-v2');
  if (own !== undefined && isThere(join(own, 'config.json'))) return own;
  for (const name of weightsPackages) {
    const config = installedFile(`${name}/config.json`);
    if (config !== undefined) return dirname(config);
  }
  const bundled = 'set BERTHA_MODEL_DIR to a folder that holds it, or keep bertha-encoder out of the bundle (docs/bundlers.md)';
  throw unexpected(
    'MODEL_NOT_FOUND',
    `a model directory, or the default model in the package ${weightsPackage},`,
    'none and the package is not installed',
    {
      hint: `Run npm install ${weightsPackage} (or, smaller, -fp16 or -int8 of that name), ${root === undefined ? `${bundled}, ` : ''}or name a model directory.`,
    },
  );
}
