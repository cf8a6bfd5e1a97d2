import { wrongOption } from '../../expected.js';
import { flag, readOptions, type Check, type Options } from '../../options.js';
import type { EncodeOptions, Tokenizer } from '../../tokenizer/index.js';
import { warnOnce } from '../../runtime/warn-once.js';
import { toCamelCase } from '../snake-case.js';

const pass: Check<unknown> = (value) => value;
/** The values are for `encodeBatch` to check, under these names. */
const encodingSchema = {
  padding: (value: unknown) => (value === 'do_not_pad' ? false : value),
  truncation: (value: unknown) => (value === 'do_not_truncate' ? false : value),
  maxLength: pass,
  padToMultipleOf: pass,
  paddingSide: pass,
  truncationSide: pass,
  addSpecialTokens: pass,
  splitSpecialTokens: pass,
  stride: pass,
};
const kFrameworks: readonly unknown[] = [true, 'pt', 'np', 'tf', 'jax', 'mlx'];
const callSchema = {
  ...encodingSchema,
  textPair: pass,
  returnOverflowingTokens: flag,
  returnTokenTypeIds: flag,
  returnAttentionMask: flag,
  returnSpecialTokensMask: flag,
  returnOffsetsMapping: flag,
  returnLength: flag,
  returnTensor: flag,
  returnTensors: (value: unknown, name: string) => {
    if (value === false || kFrameworks.includes(value)) return value !== false;
    throw wrongOption('true, false, "pt", "np", "tf", "jax" or "mlx" for ' + name, value);
  },
  verbose: flag,
  isSplitIntoWords: (value: unknown, name: string) => {
    if (value === false) return value;
    throw wrongOption(`false for ${name}`, value, {
      hint: 'Join the words with spaces; return_offsets_mapping tells where tokens come from.',
    });
  },
};

/** The options of a tokenizer's call, read. */
export type CallOptions = Options<typeof callSchema>;

/** Options in camel case, those that are null left out as if they were not given. Errors: INVALID_OPTION. */
export function readNullable<S extends Parameters<typeof readOptions>[2]>(call: string, given: object | undefined, schema: S): Options<S> {
  const options = toCamelCase<Record<string, unknown>>(given);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return readOptions(call, options, schema);
  return readOptions(call, Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)), schema);
}

/** Reads the options of a call. Errors: INVALID_OPTION, naming what exists. */
export function readCallOptions(call: string, given: object | undefined): CallOptions {
  return readNullable(call, given, callSchema);
}

/** What `encodeBatch` and `encode` do for a call, with transformers.js's rules of when `max_length` cuts. */
export function encodeOptions(tokenizer: Tokenizer, options: CallOptions): EncodeOptions {
  const own: Record<string, unknown> = Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(encodingSchema, name)));
  const { padding, truncation, maxLength } = own;
  const limit = tokenizer.maxLength;
  const padsToLongest = padding === true || padding === 'longest';
  if (maxLength !== undefined && truncation === undefined && padsToLongest) {
    warnOnce(
      'BERTHA_OPTION',
      'max_length',
      "max_length has no effect with padding: true unless truncation is true; padding: 'max_length' pads to it.",
    );
    delete own['maxLength'];
  } else if (typeof maxLength === 'number' && limit !== undefined && maxLength > limit) own['maxLength'] = limit;
  // Where no limit is known there is nothing to cut at.
  if (truncation !== undefined && maxLength === undefined && limit === undefined) delete own['truncation'];
  return {
    ...own,
    overflow: options.returnOverflowingTokens ?? false,
    ...(options.returnOffsetsMapping === undefined ? {} : { offsets: options.returnOffsetsMapping }),
  };
}
