import type { BerthaError } from '../../errors.js';
import { received, unexpected } from '../../expected.js';
import { loadAddon } from '../addon.js';
import type { IsaReport } from '../native-stats.js';
import { callNative } from '../native-error.js';

/**
 * Number formats of the encoder's matrix products. Everything else (embeddings, LayerNorm, softmax, residuals, sums) is float32 in all
 * of them; docs/precision.md says how far each moves a vector.
 *
 * - `fp32`: the reference.
 * - `fp16-weights`: weights stored as half floats and widened as they are read; float32 arithmetic.
 * - `fp16`: weights and inputs in half floats, float32 sums; on CUDA only.
 * - `bf16`: weights and inputs in bfloat16, float32 sums.
 * - `int8`: weights rounded per output channel, inputs per token (asymmetric), exact integer sums.
 * - `int8-fast`: the same on coarser grids, where that is faster (AVX2 without VNNI).
 */
export type Precision = 'fp32' | 'fp16-weights' | 'fp16' | 'bf16' | 'int8' | 'int8-fast';

/** What can be asked for; `auto` chooses by processor and model, and says why. */
export type PrecisionOption = Precision | 'auto';

/** What was asked for and what a model computes in. */
export interface PrecisionReport {
  readonly asked: PrecisionOption;
  readonly chosen: Precision;
  readonly reason: string;
  /** int8: the corpus that the input scales come from; absent where inputs are rounded without them. */
  readonly calibration?: string;
}

/** Every precision, the reference first. */
export const PRECISIONS: readonly Precision[] = ['fp32', 'fp16-weights', 'fp16', 'bf16', 'int8', 'int8-fast'];

/** Whether a precision rounds to integers and therefore wants a calibration. */
export function isInteger(precision: Precision): boolean {
  return precision === 'int8' || precision === 'int8-fast';
}

/** The option's value. Errors: PRECISION for anything that is no precision. */
export function parsePrecision(value: unknown, name: string): PrecisionOption {
  const known: readonly PrecisionOption[] = [...PRECISIONS, 'auto'];
  const found = known.find((each) => each === value);
  if (found !== undefined) return found;
  throw unexpected('PRECISION', `one of ${known.join(', ')} for ${name}`, received(value));
}

/** The precisions that this processor has kernels for, with the instruction set in use. Errors: ADDON_LOAD, ISA. */
export function availablePrecisions(isa: IsaReport = readIsa()): readonly Precision[] {
  return PRECISIONS.filter((precision) => isa.precisions.includes(precision));
}

function readIsa(): IsaReport {
  return callNative(() => loadAddon().isa());
}

/**
 * Decides what a model on the CPU computes in. `corpus` names the model's calibration, if it has one.
 *
 * Errors: PRECISION when this processor cannot run what was asked for (what is missing is in the message), ADDON_LOAD, ISA.
 */
export function choosePrecision(asked: PrecisionOption, corpus: string | undefined): PrecisionReport {
  const report = readIsa();
  const { chosen: isa } = report;
  const available = availablePrecisions(report);
  if (asked === 'auto') {
    const { chosen, reason } = automatic(isa, available, corpus !== undefined);
    return withCalibration({ asked, chosen, reason }, corpus);
  }
  if (!available.includes(asked)) throw missing(asked, isa, available);
  return withCalibration({ asked, chosen: asked, reason: 'as asked' }, corpus);
}

function withCalibration(report: PrecisionReport, corpus: string | undefined): PrecisionReport {
  if (!isInteger(report.chosen)) return report;
  if (corpus !== undefined) return { ...report, calibration: corpus };
  const advice = 'without a calibration file: inputs are rounded unsmoothed (bertha calibrate makes one)';
  return { ...report, reason: `${report.reason}; ${advice}` };
}

/** int8 where vectors stay within 0.996 of fp32 on average, which takes a calibration; else the next that is faster than fp32. */
function automatic(isa: string, available: readonly Precision[], isCalibrated: boolean): { chosen: Precision; reason: string } {
  if (isa === 'scalar') return { chosen: 'fp32', reason: 'no vector instructions in use: nothing is faster than fp32' };
  if (isCalibrated) return { chosen: 'int8', reason: `the fastest on ${isa}, and the model is calibrated for it` };
  const why = 'the model has no calibration for int8';
  if (available.includes('bf16')) return { chosen: 'bf16', reason: `${isa} multiplies bf16; ${why}` };
  return { chosen: 'fp16-weights', reason: `${isa} has no bf16 products; half the weights' memory traffic at fp32 accuracy; ${why}` };
}

function missing(asked: Precision, isa: string, available: readonly Precision[]): BerthaError {
  const why: Readonly<Partial<Record<Precision, string>>> = {
    bf16: `bf16 products need the instruction set avx512_bf16 or neon_bf16, and ${isa} is in use`,
    'int8-fast': `${isa} computes int8 as fast as it could int8-fast`,
  };
  const got = `${asked}: ${why[asked] ?? `${isa} has no kernels for it`}`;
  return unexpected('PRECISION', `one of ${available.join(', ')}, auto for precision`, got);
}
