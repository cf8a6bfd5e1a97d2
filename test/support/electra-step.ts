import { join } from 'node:path';
import { electraConfigs } from '../../src/pretraining/replaced-tokens/electra-config.js';
import { ElectraPair, kGeneratorFolder } from '../../src/pretraining/replaced-tokens/electra-pair.js';
import { sampleWord } from '../../src/pretraining/replaced-tokens/sample-words.js';
import { trainWordPiece } from '../../src/pretraining/index.js';
import type { CollatedBatch } from '../../src/training/collators/collator.js';
import { createModel } from '../../src/training/index.js';
import { seedWords } from '../../src/training/program/philox.js';
import { packBatch } from '../../src/runtime/batch.js';

export const electraSeed = 5;

/** Updates of the step that scripts/pretraining/electra_step.py repeats. */
export const electraUpdate = {
  learningRate: 1e-3,
  step: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  microStep: 0,
} as const;

/** A small pair without dropout, in a folder that is not there yet. */
export async function newElectra(folder: string): Promise<ElectraPair> {
  const words = 'the cat dog sat ran on under a mat tree slept jumped';
  const tokenizer = join(folder, 'tokenizer');
  await (await trainWordPiece([words, words].values(), { vocabSize: 60 })).save(tokenizer);
  const sizes = { hidden_size: 16, embedding_size: 8, num_hidden_layers: 1, num_attention_heads: 4, intermediate_size: 24 };
  const noDropout = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, initializer_range: 0.3, max_position_embeddings: 16 };
  const { discriminator, generator } = electraConfigs({ ...sizes, ...noDropout }, 0.5);
  const model = join(folder, 'model');
  await createModel(model, { config: discriminator, tokenizer, seed: electraSeed });
  await createModel(join(model, kGeneratorFolder), { config: generator, tokenizer, seed: electraSeed });
  return ElectraPair.load(model, { seed: electraSeed, discriminatorWeight: 50 });
}

/** Two micro-batches of masked sequences; ids are those of the first words of the vocabulary. */
export const electraBatches: readonly CollatedBatch[] = [
  [
    [2, 8, 4, 12, 9, 3],
    [2, 4, 4, 3],
  ],
  [[2, 10, 4, 11, 4, 13, 7, 3]],
].map((sequences) => {
  const masked = sequences.map((ids) => ids.flatMap((id, token) => (id === 4 ? [token] : [])));
  const selected = Int32Array.from(masked.flat());
  const ends = masked.map((_, i) => masked.slice(0, i + 1).flat().length);
  const packed = packBatch(sequences.map((ids) => ({ ids: Int32Array.from(ids) })));
  const labels = Int32Array.from(selected, (token, i) => 6 + ((3 * token + i) % 9));
  return {
    rows: sequences.length,
    tokens: packed.inputIds.length,
    numItems: [selected.length],
    batch: { ...packed, selected, cuSelected: Int32Array.of(0, ...ends), labels },
    read: () => ({ predictions: [], labels: [] }),
  };
});

/** The words that the generator's logits give for each micro-batch. */
export async function drawnWords({ parts: { generator } }: ElectraPair): Promise<number[][]> {
  const all: number[][] = [];
  for (const [microStep, { batch }] of electraBatches.entries()) {
    const [logits] = await generator.model.session.run(batch, [generator.training.live.heads.maskedLm!.logits], {});
    const width = logits!.length / batch.selected!.length;
    const key = seedWords(electraSeed);
    all.push(
      Array.from(batch.selected!, (_, row) => sampleWord(logits!.subarray(row * width, (row + 1) * width), { key, row, microStep })),
    );
  }
  return all;
}
