import type { Family } from '../../architectures/family.js';
import { families } from '../../architectures/registry.js';
import { unexpected } from '../../expected.js';
import type { ModelDirectory } from '../../models/model-directory.js';
import { deriveModel } from './derive-model.js';

/** The number of a layer in a tensor's name, of families whose layers are alike and have weights of their own. */
const kLayer = /((?:^|\.)(?:encoder|transformer)\.layers?\.)(\d+)\./;

/**
 * Writes a model of some of another's layers, in the order given: embeddings, heads, tokenizer and sentence modules as they were. `folder`
 * exists.
 *
 * Errors: INVALID_OPTION (layers that there are not, none, one twice), CONFIG_UNSUPPORTED (ALBERT, ModernBERT), IO, those of `openModelDirectory`.
 */
export async function keepLayers(directory: string, layers: readonly number[], folder: string): Promise<void> {
  await deriveModel(directory, folder, (model) => {
    checkLayers(layers, model.config.numLayers);
    requireOwnLayers(model);
    const places = new Map(layers.map((layer, place) => [layer, place]));
    return {
      config: () => ({ [layersField(model)]: layers.length }),
      tensor: (stored) => {
        const [, , layer] = kLayer.exec(stored.name) ?? [];
        if (layer === undefined) return stored;
        const place = places.get(Number(layer));
        return place === undefined ? undefined : { ...stored, name: stored.name.replace(kLayer, `$1${place}.`) };
      },
    };
  });
}

function checkLayers(layers: readonly number[], numLayers: number): void {
  const areLayers = Array.isArray(layers) && layers.every((layer) => Number.isInteger(layer) && layer >= 0 && layer < numLayers);
  if (areLayers && layers.length > 0 && new Set(layers).size === layers.length) return;
  throw unexpected('INVALID_OPTION', `different layers of 0..${numLayers - 1}, at least one,`, JSON.stringify(layers) ?? 'none');
}

/** Errors: CONFIG_UNSUPPORTED for families whose layers share weights (ALBERT) or differ by their numbers (ModernBERT). */
function requireOwnLayers({ config, tensors }: ModelDirectory): void {
  if ([...tensors.keys()].some((name) => kLayer.test(name))) return;
  throw unexpected('CONFIG_UNSUPPORTED', 'a family whose layers are alike and have weights of their own', config.modelType);
}

/** The field of config.json that says how many layers there are. */
function layersField({ config }: ModelDirectory): string {
  const family: Family = families[config.modelType];
  const [names] = family.fields.numLayers;
  return names.find((name) => Object.hasOwn(config.raw, name)) ?? names[0]!;
}
