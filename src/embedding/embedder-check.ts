import { unexpected } from '../expected.js';
import type { Check } from '../options.js';
import type { Embedder } from './embed.js';

/** Whether it is an embedder, of this copy of the package or another. */
export function isEmbedder(value: unknown): value is Embedder {
  const { embed, embedMany, directory } = (value ?? {}) as Partial<Embedder>;
  return typeof embed === 'function' && typeof embedMany === 'function' && typeof directory === 'string';
}

/** The check of an option that takes an embedder. */
export const embedderCheck: Check<Embedder> = (value, name) => {
  if (isEmbedder(value)) return value;
  throw unexpected('INVALID_OPTION', `what loadEmbedder returns for ${name}`, 'something else');
};
