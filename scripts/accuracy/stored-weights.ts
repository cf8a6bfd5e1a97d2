// How large the bundled model's weights are in fewer bytes, in the file and in memory, and how far its vectors move: a table for docs/precision.md.
//   npx tsx scripts/accuracy/stored-weights.ts [fp16] [bf16] [int8]
// The texts and STS-B are those of `npm run accuracy`; the weights are those of `npm run weights:small`.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEmbedder, loadModel, quantizeModel, systemInfo, type LoadEmbedderOptions, type QuantizedDtype } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import { AccuracySet, type Embed } from './measure.js';

const dtypes = process.argv.length > 2 ? (process.argv.slice(2) as QuantizedDtype[]) : (['fp16', 'int8'] as const);

async function vectorsOf(model: string, options: LoadEmbedderOptions = {}): Promise<Embed> {
  const embedder = await loadEmbedder(model, options);
  return async (texts) => (await embedder.embed(texts)).map(({ vector }) => vector);
}

/** Megabytes of the weights' file, and of a model in memory. */
async function sizesOf(model: string, options: LoadEmbedderOptions = {}): Promise<string> {
  const loaded = await loadModel(model, options);
  const { weights } = loaded.memoryUsage();
  loaded.dispose();
  return [statSync(join(model, 'model.safetensors')).size, weights].map((bytes) => (bytes / 1e6).toFixed(1)).join(' | ');
}

const whole = defaultModelDirectory();
const set = await AccuracySet.make(await vectorsOf(whole));
const folder = mkdtempSync(join(tmpdir(), 'bertha-stored-'));
process.stdout.write(`${systemInfo().isa.chosen}\n\n`);
process.stdout.write(
  '| weights | computed in | file, MB | in memory, MB | mean | 1 % | min | max abs | STS-B x100 |\n|---|---|---|---|---|---|---|---|---|\n',
);
try {
  for (const dtype of dtypes) {
    const model = join(folder, dtype);
    await quantizeModel(whole, model, { dtype });
    const precision = dtype === 'int8' ? 'int8' : 'fp32';
    const { mean, onePercent, min, maxAbs, sts } = await set.measure(await vectorsOf(model, { precision }));
    const cosines = [mean, onePercent, min].map((value) => value.toFixed(6)).join(' | ');
    process.stdout.write(
      `| ${dtype} | ${precision} | ${await sizesOf(model, { precision })} | ${cosines} | ${maxAbs.toPrecision(2)} | ${sts?.toFixed(3) ?? ''} |\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(0);
