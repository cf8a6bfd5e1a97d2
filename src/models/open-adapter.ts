import type { Family } from '../architectures/family.js';
import { families } from '../architectures/registry.js';
import { mergeAdapter } from '../checkpoint/adapter/merged-adapter.js';
import type { ModelDirectory } from './model-directory.js';

/**
 * The model of an open directory with a LoRA adapter in its tensors; it is for the head that the adapter's task names. Closing it closes the directory.
 *
 * Errors: those of `mergeAdapter`; the directory is then closed.
 */
export async function openAdapter(base: ModelDirectory, folder: string): Promise<ModelDirectory> {
  const family: Family = families[base.config.modelType];
  try {
    const { tensors, classSuffix, close } = await mergeAdapter(base, folder, family.prefix);
    const architectures = classSuffix === undefined ? base.config.architectures : [family.className + classSuffix];
    return {
      ...base,
      config: { ...base.config, architectures },
      tensors,
      close: async () => {
        await close();
        await base.close();
      },
    };
  } catch (error) {
    await base.close();
    throw error;
  }
}
