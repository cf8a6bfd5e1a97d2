import type { Family } from '../../architectures/family.js';
import { families } from '../../architectures/registry.js';
import { unexpected } from '../../expected.js';
import type { ModelDirectory } from '../../models/model-directory.js';
import { deriveModel } from './derive-model.js';

/** The number of a layer in a tensor's name, whatever the family. */
const kLayer = /((?:^|\.)(?:encoder|transformer)\.layer\.)(\d+)\./;

/**
 * Writes a model of some of another's layers, in the order given: embeddings, heads, tokenizer and sentence modules as they were. `folder`
 * exists.
 *
 * Errors: INVALID_OPTION (layers that there are not, none, one twice), IO, those of `openModelDirectory`.
 */
export async function keepLayers(directory: string, layers: readonly number[], folder: string): Promise<void> {
  await deriveModel(directory, folder, (model) => {
    checkLayers(layers, model.config.numLayers);
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

/** The field of config.json that says how many layers there are. */
function layersField({ config }: ModelDirectory): string {
  const family: Family = families[config.modelType];
  const [names] = family.fields.numLayers;
  return names.find((name) => Object.hasOwn(config.raw, name)) ?? names[0]!;
}
