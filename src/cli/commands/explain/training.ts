import { trainingCurves } from '../../../explain/index.js';
import { writeResult, type OutputFlags } from './output.js';

/** Writes the curves of runs, over each other. */
export async function showTraining(runs: readonly string[], flags: OutputFlags): Promise<void> {
  await writeResult(await trainingCurves(runs), flags);
}
