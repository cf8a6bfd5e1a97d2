// Results of the bundled model, to show.
import {
  attention,
  attentionRollout,
  explain,
  explainSimilarity,
  mapTexts,
  type Attention,
  type ExplainResult,
  type Rollout,
} from '../../src/explain/index.js';
import { loadEmbedder, loadModel } from '../../src/index.js';
import { topics } from './topics.js';

const film = 'A warm, funny and beautifully acted film, let down by a terrible script.';

/** What the sentiment of a film review hangs on. */
export async function attribution(): Promise<ExplainResult> {
  const model = await loadModel(undefined, { task: 'text-classification' });
  return explain(model, film).finally(() => model.dispose());
}

/** Why two questions are alike. */
export async function similarity(): Promise<ExplainResult> {
  const embedder = await loadEmbedder();
  const texts = ['How do I reset my device?', 'Restarting the phone after it has frozen'] as const;
  return explainSimilarity(embedder, ...texts).finally(() => embedder.dispose());
}

/** Where the heads read in the sentence of the tired cat. */
export async function heads(): Promise<Attention & { readonly rollout: Rollout }> {
  const model = await loadModel();
  const seen = await attention(model, 'The cat sat on the mat because it was tired.').finally(() => model.dispose());
  return { ...seen, rollout: attentionRollout(seen) };
}

/** Texts on four subjects. */
export async function map(): Promise<ExplainResult> {
  const embedder = await loadEmbedder();
  const texts = Object.values(topics).flat();
  return mapTexts(embedder, texts, { clusters: Object.keys(topics).length, analyzer: { stopWords: 'english' } }).finally(() =>
    embedder.dispose(),
  );
}
