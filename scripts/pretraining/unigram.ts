import type { PretrainingCollator } from '../../src/pretraining/examples/pretraining-collator.js';
import type { ExampleStore } from '../../src/pretraining/store/example-store.js';
import { Budget } from '../../src/runtime/event-loop-budget.js';
import type { TrainingArguments } from '../../src/training/index.js';
import { readExamples } from '../../src/training/trainer/examples.js';

/** Mean cross entropy of the masked words of held-out text by how often each token occurs in the text that was learned, one added to each. */
export async function unigramLoss(
  examples: ExampleStore,
  heldOut: ExampleStore,
  collator: PretrainingCollator,
  { seed }: Pick<TrainingArguments, 'seed'>,
  vocabSize: number,
): Promise<number> {
  const counts = new Float64Array(vocabSize).fill(1);
  for await (const { ids } of examples) for (const id of ids) counts[id]!++;
  const total = counts.reduce((sum, count) => sum + count);
  let [loss, words] = [0, 0];
  const budget = new Budget(undefined);
  for await (const example of (await readExamples(heldOut, collator, budget)).stream(budget)) {
    const { batch } = collator.collate([example as Parameters<typeof collator.collate>[0][number]], { seed, epoch: 0 });
    for (const label of batch.labels!) loss -= Math.log(counts[label]! / total);
    words += batch.labels!.length;
  }
  return loss / words;
}
