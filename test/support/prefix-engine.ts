import type { SearchEngine, SearchTask } from '../../src/generation/engine.js';
import type { Model } from '../../src/models/index.js';
import { searchOps } from './devices.js';

/** Runs searches with the whole text read anew at every step, by `forward`: nothing is kept, so nothing kept can be wrong. */
export function prefixEngine(model: Model): SearchEngine {
  return async (task, { signal, onIds }) => {
    const stopped = new Set<number>();
    const search = searchOps.open(task.settings, task.prompt, task.source?.ids ?? new Int32Array(0), vocabOf(model));
    const stop = (sequence: number) => stopped.add(sequence);
    let texts: number[][] = [];
    let known: number[] = [];
    for (let rows = search.rows(); rows.length > 0; rows = search.rows()) {
      signal?.throwIfAborted();
      texts = rows.map(([parent, token]) => (parent < 0 ? [...task.prompt] : [...texts[parent]!, token]));
      search.step(await lastLogits(model, task, texts));
      for (const sequence of stopped) search.end(sequence, 'stop');
      if (task.settings.numBeams > 1) continue;
      const all = search.sequences();
      onIds?.(
        all.map(({ ids }, i) => ids.slice(known[i] ?? task.prompt.length)),
        stop,
      );
      known = all.map(({ ids }) => ids.length);
    }
    return { sequences: search.sequences(), queuedMs: 0, computeMs: 0 };
  };
}

function vocabOf(model: Model): number {
  return model.values.decoder!.logits!.width;
}

/** Logits [texts, vocab] of what follows each text. */
async function lastLogits(model: Model, { source }: SearchTask, texts: readonly (readonly number[])[]): Promise<Float32Array> {
  const ids = texts.map((text) => Int32Array.from(text));
  const results =
    source === undefined
      ? await model.forward(ids.map((each) => ({ ids: each })))
      : await model.forward(
          ids.map(() => source),
          { decoderInputIds: ids },
        );
  const vocab = vocabOf(model);
  const logits = new Float32Array(texts.length * vocab);
  results.forEach((result, i) => logits.set(result.logits!.data.subarray(-vocab), i * vocab));
  return logits;
}
