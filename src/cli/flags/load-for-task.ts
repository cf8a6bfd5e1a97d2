import { loadModel, type LoadModelOptions, type Model } from '../../index.js';
import { isBundledTask } from '../../models/bundled-heads.js';
import type { ModelFlags } from '../flags.js';
import { showDownload } from '../terminal/download-progress.js';

/** Loads the model that the flags name, with its heads for a task; without one the bundled model, with its own head for the task where it has one. */
export async function loadForTask(flags: ModelFlags, task: string | undefined): Promise<Model> {
  const { model, threads, precision, device, weightCache, adapter } = flags;
  const isBundled = model === undefined && adapter === undefined && task !== undefined && isBundledTask(task);
  const head = isBundled ? { task } : { adapter };
  const compute = { threads, precision, device, weightCache };
  return loadModel(model, { heads: task !== undefined, ...head, ...compute, onProgress: showDownload() } as LoadModelOptions);
}
