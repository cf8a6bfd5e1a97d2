import { unexpected, received, wrongOption } from '../../expected.js';
import { availablePrecisions, PRECISIONS, type Precision, type PrecisionOption } from './precision.js';
import { warnOnce } from '../warn-once.js';

/** transformers.js's number formats. */
export type Dtype = 'auto' | 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | 'q4f16' | 'bnb4' | 'q2' | 'q2f16' | 'q1' | 'q1f16';

/** What the option `dtype` takes: a format, a precision, or one for each file, of which `model` counts. */
export type DtypeOption = Dtype | PrecisionOption | Readonly<Record<string, string>>;

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

/** The option's value. Errors: PRECISION for a name that is neither a format of transformers.js nor a precision. */
export function parseDtype(value: unknown, name: string): DtypeOption {
  const dtype = ofModel(value);
  const known: readonly unknown[] = ['auto', ...new Set([...PRECISIONS, ...Object.keys(ON_CPU)])];
  if (dtype !== undefined && !known.includes(dtype))
    throw unexpected('PRECISION', `one of ${known.join(', ')} for ${name}`, received(dtype));
  return value as DtypeOption;
}

/**
 * The precision that a model is loaded in, of the options `dtype` and `precision`; undefined if neither is given. A format that does not
 * exist here becomes one that does, said by a warning once. Bertha's own precisions and `auto` pass. CUDA devices compute everything
 * below fp32 in fp16.
 *
 * Errors: INVALID_OPTION if both are given, PRECISION, ADDON_LOAD.
 */
export function precisionOf(options: {
  readonly dtype?: DtypeOption | undefined;
  readonly precision?: PrecisionOption | undefined;
  readonly device?: string | undefined;
}): PrecisionOption | undefined {
  const { precision, device } = options;
  const dtype = ofModel(options.dtype) as Dtype | PrecisionOption | undefined;
  if (dtype === undefined) return precision;
  if (precision !== undefined) throw wrongOption('no dtype beside a precision', dtype);
  if (!Object.hasOwn(ON_CPU, dtype)) return dtype as PrecisionOption;
  const available = availablePrecisions();
  const isCuda = device?.startsWith('cuda') === true;
  const chosen = isCuda ? 'fp16' : ON_CPU[dtype as keyof typeof ON_CPU].find((each) => available.includes(each))!;
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
