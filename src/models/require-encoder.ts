import type { ModelConfig } from '../architectures/config.js';
import { unexpected } from '../expected.js';

/** Errors: CONFIG_UNSUPPORTED for a model that writes, where only an encoder will do. */
export function requireEncoder({ config }: { readonly config: ModelConfig }, call: string): void {
  if (!config.isDecoder && config.decoder === undefined) return;
  throw unexpected('CONFIG_UNSUPPORTED', `an encoder for ${call}`, config.isDecoder ? 'a decoder alone' : 'an encoder-decoder');
}
