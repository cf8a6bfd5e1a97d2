import { pathToFileURL } from 'node:url';

/** A file of the training golden set: of the folder in BERTHA_GOLDEN_TRAINING, else of the small copy here. */
export function goldenTraining(name: string): URL {
  const folder = process.env['BERTHA_GOLDEN_TRAINING'];
  return new URL(name, folder === undefined ? new URL('../golden-training/', import.meta.url) : pathToFileURL(`${folder}/`));
}
