import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEmbedder } from '../../src/embedding/embed.js';
import { loadModel } from '../../src/models/index.js';
import { packBatch } from '../../src/runtime/batch.js';
import { prune, type PruneOptions } from '../../src/training/index.js';
import { seenBy } from './seen-by.js';

const golden = fileURLToPath(new URL('../../test/golden', import.meta.url));
const texts = ['a cat', 'the dog runs', 'one of them', 'it was said', 'rain in May', 'who knows why'];
/** Models, and how many heads to silence: one of each layer stays. */
const classifiers = { 'bert-nli': 2, 'distilbert-sequence-classification': 0, 'electra-sequence-classification': 2 };
const sentenceModels = { normalize: 1, dense: 0 };

/** Golden models without a layer and with heads silenced, saved into `out` with what they say of some texts beside them. */
export async function savePrunedModels(out: string): Promise<void> {
  for (const [name, dropHeads] of Object.entries(classifiers)) {
    const source = join(golden, 'tiny', name);
    const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8')) as {
      readonly architectures: readonly [string];
      readonly id2label: Readonly<Record<string, string>>;
    };
    const labels = Object.values(config.id2label);
    const evalDataset = texts.map((text, i) => ({ text, label: labels[i % labels.length]! }));
    const target = await savePruned({ model: source, task: 'text-classification', evalDataset, dropHeads }, out);
    const model = await loadModel(target);
    const seen = await seenBy(model, 'text-classification', packBatch(model.tokenizer.encodeBatch(texts)));
    model.dispose();
    writeFileSync(join(target, 'expected.json'), JSON.stringify({ class: config.architectures[0], ...seen }));
  }
  for (const [name, dropHeads] of Object.entries(sentenceModels)) {
    const evalDataset = texts.map((text, i) => ({ text, textPair: texts[(i * 5 + 1) % texts.length]!, label: i }));
    const target = await savePruned({ model: join(golden, 'sentence', name), task: 'sentence-embedding', evalDataset, dropHeads }, out);
    const embedder = await loadEmbedder(target, { precision: 'fp32' });
    const outputs = (await embedder.embed(texts)).flatMap(({ vector }) => Array.from(vector));
    const { maxTokens: maxSeqLength } = embedder;
    embedder.dispose();
    writeFileSync(join(target, 'expected.json'), JSON.stringify({ class: 'SentenceTransformer', texts, outputs, maxSeqLength }));
  }
}

async function savePruned(options: PruneOptions & { readonly model: string }, out: string): Promise<string> {
  const outputDir = join(out, `pruned-${basename(options.model)}`);
  const { model } = await prune({ ...options, dropLayers: 1, outputDir });
  model.dispose();
  return outputDir;
}
