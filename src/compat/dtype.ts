import { BerthaError } from '../errors.js';
import { received } from '../options.js';
import { availablePrecisions, PRECISIONS, type Precision, type PrecisionOption } from '../runtime/precision.js';
import { warnOnce } from './warn-once.js';

/** transformers.js's number formats. */
export type Dtype = 'auto' | 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | 'q4f16' | 'bnb4' | 'q2' | 'q2f16' | 'q1' | 'q1f16';

const kIntegers: readonly Precision[] = ['int8', 'fp16-weights', 'fp32'];
/** What stands for a format, the first that the processor has: there is nothing narrower than 8 bits. */
const ON_CPU: Readonly<Record<Exclude<Dtype, 'auto' | 'fp32'>, readonly Precision[]>> = {
  fp16: ['fp16-weights', 'fp32'],
  q8: kIntegers,
  int8: kIntegers,
  uint8: kIntegers,
  q4: kIntegers,
  q4f16: kIntegers,
  bnb4: kIntegers,
  q2: kIntegers,
  q2f16: kIntegers,
  q1: kIntegers,
  q1f16: kIntegers,
};

/** The part for the model of an option that may be given file by file, as `{ model: 'q8' }`. */
export function ofModel(value: unknown): unknown {
  return (typeof value === 'object' && value !== null ? (value as { readonly model?: unknown }).model : value) ?? undefined;
}

/**
 * The precision that stands for transformers.js's `dtype`: one that exists, said by a warning where it is not the same. Bertha's own
 * precisions and `auto` pass. CUDA devices compute everything below fp32 in fp16.
 *
 * Errors: PRECISION for a name that is neither, ADDON_LOAD.
 */
export function readDtype(given: unknown, device: unknown): PrecisionOption | undefined {
  const dtype = ofModel(given);
  if (dtype === undefined) return undefined;
  const isCuda = typeof device === 'string' && device.startsWith('cuda');
  const isOurs = dtype === 'auto' || PRECISIONS.includes(dtype as Precision);
  if (isOurs && !Object.hasOwn(ON_CPU, dtype as string)) return dtype as PrecisionOption;
  if (typeof dtype !== 'string' || !Object.hasOwn(ON_CPU, dtype)) {
    const known = ['auto', ...new Set([...PRECISIONS, ...Object.keys(ON_CPU)])].join(', ');
    throw new BerthaError('PRECISION', `Expected one of ${known} for dtype but received ${received(dtype)}.`);
  }
  const available = availablePrecisions();
  const chosen = isCuda ? 'fp16' : ON_CPU[dtype as keyof typeof ON_CPU].find((precision) => available.includes(precision))!;
  if (chosen !== dtype) {
    warnOnce(
      'BERTHA_DTYPE',
      'dtype',
      `dtype ${JSON.stringify(dtype)} is computed in the precision ${JSON.stringify(chosen)}, made from the float weights; docs/transformers-js.md has ` +
        `all dtypes, docs/precision.md what the precisions do.`,
    );
  }
  return chosen;
}
