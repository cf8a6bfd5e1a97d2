import { received, unexpected, wrongOption } from '../../expected.js';
import type { Model } from '../../models/index.js';
import type { Check } from '../../options.js';

/** What stands for "nothing": the row of the padding token or of the mask, zeros, or the row of a token. */
export type BaselineOption = 'pad' | 'mask' | 'zero' | { readonly token: string };

/** A baseline as it was resolved; without an id the row is zeros. */
export interface Baseline {
  readonly name: string;
  readonly id?: number;
}

/** The check of the option `baseline`. */
export const baselineCheck: Check<BaselineOption> = (value, name) => {
  if (value === 'pad' || value === 'mask' || value === 'zero') return value;
  const { token } = (typeof value === 'object' && value !== null ? value : {}) as { readonly token?: unknown };
  if (typeof token === 'string') return { token };
  throw wrongOption(`"pad", "mask", "zero" or { token } for ${name}`, value);
};

/** Errors: INVALID_OPTION for a token that the vocabulary does not have. */
export function resolveBaseline({ tokenizer }: Model, option: BaselineOption): Baseline {
  if (option === 'zero') return { name: 'zero' };
  if (typeof option === 'object') {
    const id = tokenizer.tokenToId(option.token);
    if (id !== undefined) return { name: option.token, id };
    throw unexpected('INVALID_OPTION', 'a token of the vocabulary for the baseline', received(option.token));
  }
  const id = option === 'pad' ? tokenizer.padId : tokenizer.maskId;
  if (id !== undefined) return { name: option, id };
  throw unexpected('INVALID_OPTION', `a baseline that the model has, such as "zero"`, `"${option}", of which it has no token`);
}
