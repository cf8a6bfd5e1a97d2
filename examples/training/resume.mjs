// A run that is interrupted and goes on: evaluation and a checkpoint after each epoch, the best model kept, early stopping.
//   node examples/training/resume.mjs [--model path/to/bert]
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EarlyStoppingCallback, openDataset, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const outputDir = mkdtempSync(join(tmpdir(), 'resume-'));
const rows = await openDataset(new URL('data/reviews.jsonl', import.meta.url));
const [learned, heldOut] = [rows.slice(0, 16), rows.slice(16)];
const interruption = new AbortController();
const options = {
  task: 'text-classification',
  evalDataset: heldOut,
  numTrainEpochs: 8,
  learningRate: 2e-4,
  weightDecay: 0.01,
  warmupSteps: 0.1,
  freeze: ['embeddings', 'encoder.layer.0', 'encoder.layer.1', 'encoder.layer.2'],
  evalStrategy: 'epoch',
  saveStrategy: 'epoch',
  saveTotalLimit: 1,
  loadBestModelAtEnd: true,
  metricForBestModel: 'f1',
  outputDir,
};
const show = {
  onEvaluate: ({ state }, { eval_loss, eval_f1 }) =>
    console.log(`epoch ${state.epoch}: loss ${eval_loss.toFixed(3)}, f1 ${eval_f1.toFixed(2)}`),
};
const interrupt = { onSave: ({ state }) => void (state.epoch === 2 && interruption.abort(new Error('interrupted'))) };

try {
  await train(values.model, learned, { ...options, callbacks: [show, interrupt], signal: interruption.signal });
} catch (error) {
  console.log(
    `${error.message}, with ${readdirSync(outputDir)
      .filter((name) => name.startsWith('checkpoint-'))
      .join(', ')}`,
  );
}
const { model, metrics } = await train(values.model, learned, {
  ...options,
  callbacks: [show, new EarlyStoppingCallback(2)],
  resumeFromCheckpoint: true,
});
console.log(`f1 ${metrics.eval_f1.toFixed(2)} of the best model`);
model.dispose();
rmSync(outputDir, { recursive: true });
