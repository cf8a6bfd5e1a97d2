import { join } from 'node:path';
import { exists } from '../checkpoint/exists.js';

/**
 * Tasks whose heads come with the bundled model, and the folders of their adapters below its own. What was trained on text under CC BY-SA lies in a
 * folder of its own, under that licence.
 */
const kFolders = {
  'text-classification': 'heads/sentiment',
  'token-classification': 'heads/entities',
  'next-sentence-prediction': 'heads-cc-by-sa-4.0/next-sentence',
  'fill-mask': 'heads-cc-by-sa-4.0/masked-words',
} as const;

/** A task that the bundled model has a head for. */
export type BundledTask = keyof typeof kFolders;

/** Their names. */
export const bundledTasks = Object.keys(kFolders) as BundledTask[];

/** Whether the bundled model has a head for a task. */
export function isBundledTask(task: string): task is BundledTask {
  return Object.hasOwn(kFolders, task);
}

/** The adapter with the head for a task in the default model's folder; undefined where that is another model, which has none. */
export async function bundledHead(directory: string, task: BundledTask): Promise<string | undefined> {
  const folder = join(directory, kFolders[task]);
  return (await exists(join(folder, 'adapter_config.json'))) ? folder : undefined;
}
