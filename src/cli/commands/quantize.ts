import { quantizeModel, type QuantizedDtype } from '../../index.js';
import { openOutput } from '../output.js';

/** The flags of `bertha quantize`, as commander hands them over. */
export interface QuantizeFlags {
  readonly dtype: QuantizedDtype;
}

/** Writes a model directory with weights in fewer bytes. */
export async function runQuantize(directory: string, target: string, { dtype }: QuantizeFlags): Promise<void> {
  const { path, bytes, bytesBefore, integers, calibration } = await quantizeModel(directory, target, { dtype });
  const megabytes = (count: number): string => `${(count / 1e6).toFixed(1)} MB`;
  const of = calibration === undefined ? 'no calibration (bertha calibrate makes one)' : `the calibration ${calibration}`;
  const output = await openOutput(undefined, { patchable: false });
  await output.write(
    `${path}: weights of ${megabytes(bytes)}, before ${megabytes(bytesBefore)}\n` +
      (dtype === 'int8' ? `${integers.length} matrices and tables are int8, with ${of}; they are computed in int8 alone.\n` : ''),
  );
}
