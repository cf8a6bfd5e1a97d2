import type { SentenceTransformersConfig } from '../../checkpoint/sentence/sentence-transformers.js';

/**
 * A sentence model's modules, with the tensors of Dense and LayerNorm named as seen from the model's directory (`2_Dense/linear.weight`): those of several
 * modules differ, and saving knows where each goes.
 */
export function namedByFolder<T extends SentenceTransformersConfig | undefined>(config: T): T {
  if (config === undefined) return config;
  const modules = config.modules.map((module) => {
    if (module.type === 'normalize') return module;
    const named = [...module.tensors].map(([name, tensor]) => [name, { ...tensor, name: `${module.folder}/${name}` }] as const);
    return { ...module, tensors: new Map(named) };
  });
  return { ...config, modules };
}
