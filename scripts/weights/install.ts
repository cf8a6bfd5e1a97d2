import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { modelCard, shareAlike } from './model-card.js';
import type { Recipe } from './recipe.js';
import type { HeadScores } from './scores.js';

const kBase = 'sentence-transformers/all-MiniLM-L6-v2';
const kModel = 'all-MiniLM-L6-v2';
const kMostBytes = 2.5 * 2 ** 20;

/** Puts a trained head with its model card into weights/, and its checksums into SHA256SUMS. */
export function install(weights: string, name: string, recipe: Recipe, trained: string, scores: HeadScores): void {
  const folder = join(weights, kModel, recipe.folder);
  const { size } = statSync(join(trained, 'adapter_model.safetensors'));
  if (size > kMostBytes) throw new Error(`Expected at most ${kMostBytes} bytes for ${name} but received ${size}.`);
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(trained, 'adapter_model.safetensors'), join(folder, 'adapter_model.safetensors'));
  // Training names the base by the folder that it was read from.
  const adapter = JSON.parse(readFileSync(join(trained, 'adapter_config.json'), 'utf8')) as object;
  writeJson(join(folder, 'adapter_config.json'), { ...adapter, base_model_name_or_path: kBase });
  copyFileSync(join(trained, 'config.json'), join(folder, 'config.json'));
  writeFileSync(join(folder, 'README.md'), modelCard(recipe, scores, size));
  if (recipe.licence === 'CC-BY-SA-4.0') writeFileSync(join(dirname(folder), 'LICENSE'), shareAlike);
  writeSums(weights);
  console.log(`${name}: ${folder}, ${size} bytes`);
}

/** The checksums of all that lies in the model's folder, as sha256sum writes them. */
function writeSums(weights: string): void {
  const files = readdirSync(join(weights, kModel), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(weights.length + 1))
    .sort();
  const sums = files.map(
    (file) =>
      `${createHash('sha256')
        .update(readFileSync(join(weights, file)))
        .digest('hex')}  ${file}\n`,
  );
  writeFileSync(join(weights, 'SHA256SUMS'), sums.join(''));
}

function writeJson(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
