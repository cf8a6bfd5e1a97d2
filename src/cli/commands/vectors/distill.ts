import { loadModel, type LoadModelOptions } from '../../../index.js';
import { distillVectors } from '../../../word-vectors/index.js';
import type { ModelFlags } from '../../flags.js';
import { stopBar } from '../../terminal/bars.js';
import { showDownload } from '../../terminal/download-progress.js';
import { startBar } from '../../terminal/progress.js';
import { readWordList } from '../words/word-list.js';

/** The flags of `bertha vectors distill`, as commander hands them over. */
export interface DistillVectorsFlags extends Omit<ModelFlags, 'model'> {
  readonly output: string;
  readonly dimensions?: number;
  readonly vocabulary?: string;
  readonly layout?: 'sentence-transformers' | 'model2vec';
}

/** Makes static vectors of a model and writes them as a model of their own. */
export async function distill(name: string | undefined, flags: DistillVectorsFlags): Promise<void> {
  const { output, dimensions, vocabulary: file, layout, ...compute } = flags;
  const vocabulary = file === undefined ? undefined : readWordList(file);
  const model = await loadModel(name, { heads: false, ...compute, onProgress: showDownload() } as LoadModelOptions);
  let bar: ReturnType<typeof startBar> | undefined;
  const onProgress = ({ done, of }: { readonly done: number; readonly of: number }): void => {
    if (process.stderr.isTTY) (bar ??= startBar('tokens {bar} {percentage}%, {eta_formatted} left', of, 0)).update(done);
  };
  try {
    const vectors = await distillVectors(model, { vocabulary, dimensions, onProgress });
    await vectors.save(output, { layout });
    process.stdout.write(`${output}: ${vectors.size} tokens, ${vectors.dimensions} numbers each\n`);
  } finally {
    if (bar !== undefined) stopBar(bar);
    model.dispose();
  }
}
