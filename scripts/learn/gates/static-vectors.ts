import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEmbedder, loadModel, similarity } from '../../../src/index.js';
import { spearman } from '../../../src/metrics/index.js';
import { distillVectors } from '../../../src/word-vectors/index.js';
import { judge, readPairs, type Gate } from './gate.js';

/** One vector a token, distilled from the bundled model: their means rank STS-B's dev pairs. */
export const staticVectorsGate: Gate = {
  files: ['eval/sts/sts-dev.csv'],
  async run({ shared, threads }) {
    const options = threads === undefined ? {} : { threads };
    const folder = mkdtempSync(join(tmpdir(), 'bertha-static-'));
    try {
      const model = await loadModel(undefined, { heads: false, ...options });
      const vectors = await distillVectors(model);
      model.dispose();
      await vectors.save(folder);
      const embedder = await loadEmbedder(folder, options);
      const pairs = readPairs(join(shared, 'eval/sts/sts-dev.csv'));
      const [first, second] = [
        await embedder.embed(pairs.map(({ text }) => text)),
        await embedder.embed(pairs.map(({ textPair }) => textPair)),
      ];
      embedder.dispose();
      const cosines = first.map(({ vector }, i) => similarity(vector, second[i]!.vector));
      const labels = pairs.map(({ label }) => label);
      judge('STS-B dev, Spearman x 100 of distilled static vectors', 100 * spearman(cosines, labels), 75.5);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
