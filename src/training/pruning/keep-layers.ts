import { families } from '../../architectures/registry.js';
import type { Family } from '../../architectures/family.js';
import { isWeightDtype, type TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { unexpected } from '../../expected.js';
import { openModelDirectory, type ModelDirectory } from '../../models/model-directory.js';
import { saveModel } from '../checkpoints/save-model.js';
import { storedDtype } from './stored-dtype.js';

/** The number of a layer in a tensor's name, whatever the family. */
const kLayer = /((?:^|\.)(?:encoder|transformer)\.layer\.)(\d+)\./;

/**
 * Writes a model of some of another's layers, in the order given: embeddings, heads, tokenizer and sentence modules as they were. `folder`
 * exists.
 *
 * Errors: INVALID_OPTION (layers that there are not, none, one twice), IO, those of `openModelDirectory`.
 */
export async function keepLayers(directory: string, layers: readonly number[], folder: string): Promise<void> {
  const opened = await openModelDirectory(directory);
  try {
    const { config, tensors } = opened;
    checkLayers(layers, config.numLayers);
    const places = new Map(layers.map((layer, place) => [layer, place]));
    const kept = [...tensors].flatMap(([name, tensor]) => renamed(name, tensor, places));
    await saveModel(folder, {
      source: opened.path,
      config: { ...config.raw, [layersField(opened)]: layers.length },
      tensors: kept.map(({ name, tensor }) => ({ name, shape: tensor.shape, read: () => tensor.file.readFloat32(tensor.name) })),
      dtype: storedDtype(tensors.values()),
      keepsModules: true,
    });
    await opened.verifyUnchanged();
  } finally {
    await opened.close();
  }
}

/** Errors: INVALID_OPTION. */
export function checkLayers(layers: readonly number[], numLayers: number): void {
  const areLayers = Array.isArray(layers) && layers.every((layer) => Number.isInteger(layer) && layer >= 0 && layer < numLayers);
  if (areLayers && layers.length > 0 && new Set(layers).size === layers.length) return;
  throw unexpected('INVALID_OPTION', `different layers of 0..${numLayers - 1}, at least one,`, JSON.stringify(layers) ?? 'none');
}

function renamed(
  name: string,
  tensor: TensorInfo,
  places: ReadonlyMap<number, number>,
): { readonly name: string; readonly tensor: TensorInfo }[] {
  if (!isWeightDtype(tensor.dtype)) return [];
  const [, , layer] = kLayer.exec(name) ?? [];
  if (layer === undefined) return [{ name, tensor }];
  const place = places.get(Number(layer));
  return place === undefined ? [] : [{ name: name.replace(kLayer, `$1${place}.`), tensor }];
}

/** The field of config.json that says how many layers there are. */
function layersField({ config }: ModelDirectory): string {
  const family: Family = families[config.modelType];
  const [names] = family.fields.numLayers;
  return names.find((name) => Object.hasOwn(config.raw, name)) ?? names[0]!;
}
