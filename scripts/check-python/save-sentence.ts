import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEmbedder } from '../../src/embedding/embed.js';
import { packBatch } from '../../src/runtime/batch.js';
import { LearningModel } from '../../src/training/program/learning-model.js';

const update = { learningRate: 1e-3, step: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradNorm: 1 };
const texts = ['hello', 'The doctor told her.', 'Two dogs run through the wet grass, and a third one sleeps.', ''];

/** One update of each golden sentence model, and of an encoder without modules, saved into `out` with the vectors of some texts beside it. */
export async function saveSentenceModels(out: string): Promise<void> {
  const golden = fileURLToPath(new URL('../../test/golden', import.meta.url));
  const sources = [
    ...readdirSync(join(golden, 'sentence')).map((name) => join(golden, 'sentence', name)),
    join(golden, 'tiny/bert-base-noprefix'),
  ];
  for (const source of sources) {
    const target = join(out, `sentence-${basename(source)}`);
    mkdirSync(target);
    const model = await LearningModel.load(source, {
      task: 'sentence-embedding',
      sentenceLoss: { loss: 'multiple-negatives-ranking' },
      seed: 1,
    });
    const encoded = model.model.tokenizer.encodeBatch(texts);
    const batch = packBatch(encoded);
    await model.session.step([batch], { ...update, numItems: [texts.length / 2], microStep: 0 });
    await model.save(target);
    model.dispose();
    const embedder = await loadEmbedder(target, { precision: 'fp32' });
    const outputs = (await embedder.embed(texts)).flatMap(({ vector }) => Array.from(vector));
    const { maxTokens: maxSeqLength } = embedder;
    embedder.dispose();
    writeFileSync(join(target, 'expected.json'), JSON.stringify({ class: 'SentenceTransformer', texts, outputs, maxSeqLength }));
  }
}
