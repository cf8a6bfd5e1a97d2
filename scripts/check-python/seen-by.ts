import type { Model } from '../../src/models/index.js';
import type { PackedBatch } from '../../src/runtime/batch.js';
import { evaluatedValues } from '../../src/training/evaluation/evaluate-losses.js';
import type { TrainingTask } from '../../src/training/program/tasks.js';

/** Sequences and what a model says of them for a task, as compare_saved.py reads both. */
export interface Seen {
  readonly batch: readonly { readonly input_ids: readonly number[]; readonly token_type_ids: readonly number[] }[];
  readonly outputs: readonly number[];
}

/** What `loaded` says of the sequences of a batch; every token is looked at where the task is one of tokens. */
export async function seenBy(loaded: Model, task: TrainingTask, batch: PackedBatch): Promise<Seen> {
  const tokens = Array.from({ length: batch.inputIds.length }, (_, i) => i);
  const starts = Array.from(batch.cuSeqlens);
  const positions = tokens.map((token) => token - starts.filter((start) => start <= token).at(-1)!);
  const all = { ...batch, selected: Int32Array.from(positions), cuSelected: batch.cuSeqlens };
  const { values } = loaded;
  const [value] = evaluatedValues(
    {
      heads: { ...values.heads, ...(task === 'multiple-choice' ? values.otherHeads : {}) },
      sentence: { embedding: values.sentenceEmbedding },
    } as never,
    { task },
  );
  const [outputs] = await loaded.session.run(all, [value!]);
  const sequences = starts.slice(0, -1).map((begin, i) => ({
    input_ids: Array.from(batch.inputIds.subarray(begin, starts[i + 1])),
    token_type_ids: Array.from(batch.tokenTypeIds.subarray(begin, starts[i + 1])),
  }));
  return { batch: sequences, outputs: Array.from(outputs!) };
}
