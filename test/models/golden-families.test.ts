// A small model or two of each family after BERT's first four, its tokenizer, heads and answers, against float64 reference values; and how far its vectors move in
// other precisions.
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { compareFolder, kTolerance } from '../../scripts/golden/compare.js';
import { findGoldenFolders, readCases, type TinyCases } from '../../scripts/golden/files.js';
import { loadEmbedder } from '../../src/embedding/embed.js';
import { loadAddon } from '../../src/runtime/addon.js';
import { instructionSet } from '../support/devices.js';
import { suite } from '../support/suite.js';

const t = suite(`golden families ${instructionSet}`);
const folders = findGoldenFolders(fileURLToPath(new URL('../golden-families/', import.meta.url)));

for (const folder of folders) {
  t(`${folder.name} matches its float64 reference values`, async () => {
    const report = await compareFolder(folder, { tolerance: kTolerance });
    assert.is(report.verdict, 'ok', report.toString());
  });
}

/** Mean and smallest cosine that docs/precision.md promises. */
const promises = {
  bf16: [0.9999, 0.9998],
  int8: /scalar|vnni|bf16|neon/.test(instructionSet) ? [0.998, 0.99] : [0.996, 0.98],
} as const;

async function vectorsOf(folder: string, precision: 'fp32' | keyof typeof promises): Promise<Float32Array[]> {
  const texts = readCases<TinyCases>(folder).cases.map(({ text }) => text);
  const embedder = await loadEmbedder(folder, { precision });
  try {
    return (await embedder.embed(texts.flatMap((text) => [text, `${text} ${text}`]))).map(({ vector }) => vector);
  } finally {
    embedder.dispose();
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

t('vectors of every family keep what precision.md promises in bf16 and int8', async () => {
  const precisions = (['bf16', 'int8'] as const).filter((each) => loadAddon().isa().precisions.includes(each));
  for (const { name, path } of folders) {
    const exact = await vectorsOf(path, 'fp32');
    for (const precision of precisions) {
      const cosines = (await vectorsOf(path, precision)).map((vector, i) => cosine(vector, exact[i]!));
      const mean = cosines.reduce((sum, each) => sum + each, 0) / cosines.length;
      const [most, least] = [mean, Math.min(...cosines)];
      assert.ok(most >= promises[precision][0] && least >= promises[precision][1], `${name} ${precision}: ${most} ${least}`);
    }
  }
});

t.run();
