// A LoRA adapter: a small file beside the model it was trained on, in peft's form.
//   node examples/training/lora.mjs [--model path/to/bert]
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { classifyText, loadModel } from 'bertha-encoder';
import { train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const outputDir = mkdtempSync(join(tmpdir(), 'adapter-'));
const { model } = await train(values.model, new URL('data/reviews.jsonl', import.meta.url), {
  task: 'text-classification',
  lora: { r: 8, loraAlpha: 16 },
  numTrainEpochs: 8,
  learningRate: 3e-3,
  saveStrategy: 'no',
  outputDir,
});
const text = 'A dull story, badly told.';
const { labels } = await classifyText(model, text);
model.dispose();
const kilobytes = statSync(join(outputDir, 'adapter_model.safetensors')).size / 1024;
console.log(`${labels[0].label} ${labels[0].score.toFixed(4)} while it is in memory; the adapter has ${kilobytes.toFixed(0)} kB`);

const loaded = await loadModel(values.model, { adapter: outputDir });
const again = await classifyText(loaded, text);
console.log(`${again.labels[0].label} ${again.labels[0].score.toFixed(4)} from the base and the adapter's file`);
loaded.dispose();
rmSync(outputDir, { recursive: true });
