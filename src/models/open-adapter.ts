import type { Family } from '../architectures/family.js';
import { families } from '../architectures/registry.js';
import { parseConfig } from '../architectures/config.js';
import { openAdapter } from '../checkpoint/adapter/adapter.js';
import { readAdaptedFields } from '../checkpoint/adapter/adapted-fields.js';
import type { ModelDirectory } from './model-directory.js';
import { requireEncoder } from './require-encoder.js';

/**
 * The model of an open directory with a LoRA adapter: its branches beside the model's tensors, the modules that it saved whole in the place of the
 * model's, the head that its task names, and the labels of a config.json beside it. Closing it closes the directory.
 *
 * Errors: those of `openAdapter`, CONFIG, CONFIG_UNSUPPORTED (a model that writes); the directory is then closed.
 */
export async function withAdapter(base: ModelDirectory, folder: string, merge: boolean): Promise<ModelDirectory> {
  const family: Family = families[base.config.modelType];
  try {
    requireEncoder(base, 'an adapter');
    const adapter = await openAdapter(folder, { path: base.path, tensors: base.tensors, prefixes: family.prefixes });
    const { branches, saved, classSuffix } = adapter;
    const className = classSuffix === undefined ? adapter.className : family.className + classSuffix;
    const fields = { ...(await readAdaptedFields(folder)), ...(className === undefined ? {} : { architectures: [className] }) };
    return {
      ...base,
      config: parseConfig(JSON.stringify({ ...base.config.raw, ...fields })),
      tensors: new Map([...base.tensors, ...saved]),
      lowRank: { branches, merge },
      verifyUnchanged: async () => {
        await adapter.verifyUnchanged();
        await base.verifyUnchanged();
      },
      close: async () => {
        await adapter.close();
        await base.close();
      },
    };
  } catch (error) {
    await base.close();
    throw error;
  }
}
