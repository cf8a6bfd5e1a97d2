// Saves models that have learned one update, pruned ones and those with several heads, and lets transformers, sentence-transformers and peft load them: predictions must agree within 1e-5, and encoder-decoders must write the same texts.
// Compares how rows are read with transformers' examples, too: equal token ids, windows, labels and spans; and the losses of 20 updates of sentence
// models with those of sentence-transformers; and every estimator of learn with scikit-learn's, saved here and there.
//   npm run check:python -- PYTHON [DIR]
// PYTHON has torch, transformers, sentence-transformers and peft; DIR is a folder in the layout of test/golden-training (the default).
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../src/models/index.js';
import { LearningModel } from '../src/training/program/learning-model.js';
import { compareCollators } from './check-python/collators.js';
import { compareEstimators } from './check-python/estimators.js';
import { saveMultiTaskModels } from './check-python/save-multi-task.js';
import { savePrunedModels } from './check-python/save-pruned.js';
import { saveSentenceModels } from './check-python/save-sentence.js';
import { saveWriters } from './check-python/save-writers.js';
import { seenBy } from './check-python/seen-by.js';
import { compareSentenceLosses } from './check-python/sentence-losses.js';
import { optionsOf, packGolden, taskOfClass, type GoldenBatch } from './golden-training/batches.js';

const [python, directory] = process.argv.slice(2);
if (python === undefined) throw new Error('Expected the Python to compare with: npm run check:python -- PYTHON [DIR].');
const root = resolve(directory ?? fileURLToPath(new URL('../test/golden-training', import.meta.url)));
const update = { learningRate: 1e-3, step: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradNorm: 1 };
const out = mkdtempSync(join(tmpdir(), 'bertha-python-'));
try {
  for (const name of readdirSync(join(root, 'gradients'))) await save(join(root, 'gradients', name), name, false);
  for (const name of readdirSync(join(root, 'lora'))) {
    await save(join(root, 'lora', name), `lora-${name}`, true);
    await save(join(root, 'lora', name), `lora-${name}-merged`, true, true);
  }
  await saveSentenceModels(out);
  await savePrunedModels(out);
  await saveMultiTaskModels(out);
  await saveWriters(out);
  const script = fileURLToPath(new URL('check-python/compare_saved.py', import.meta.url));
  process.exitCode = spawnSync(python, [script, out], { stdio: 'inherit', env: { ...process.env, HF_HUB_OFFLINE: '1' } }).status ?? 1;
  if ((await compareCollators(python)) > 0) process.exitCode = 1;
  if ((await compareSentenceLosses(python)) > 0) process.exitCode = 1;
  if ((await compareEstimators(python)) > 0) process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}

/** One update of a golden model, saved, loaded again, and its outputs beside it. */
async function save(folder: string, name: string, isLora: boolean, merges = false): Promise<void> {
  const json = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as {
    readonly class: string;
    readonly batch: GoldenBatch;
    readonly variants?: readonly { readonly loss: string }[];
  };
  // BERT's class for pretraining has two outputs; its words are compared.
  const loss = json.variants?.[0]?.loss ?? 'cross-entropy';
  const task = taskOfClass(json.class);
  if (task === 'pretraining') return;
  const options = { ...optionsOf(json.class, loss, json.batch), ...(isLora ? { lora: { r: 4, bias: 'lora_only' } as const } : {}) };
  const model = await LearningModel.load(folder, options);
  const { batch, numItems } = packGolden(task, loss, json.batch);
  await model.session.step([batch], { ...update, numItems, microStep: 0 });
  const target = join(out, name);
  mkdirSync(target);
  await (merges ? model.saveMerged(target) : model.save(target));
  model.dispose();

  const isAdapter = isLora && !merges;
  const loaded = await loadModel(isAdapter ? folder : target, isAdapter ? { adapter: target } : {});
  const seen = await seenBy(loaded, task, batch);
  loaded.dispose();
  const expected = { class: json.class, ...seen, ...(isAdapter ? { base: folder } : {}) };
  writeFileSync(join(target, 'expected.json'), JSON.stringify(expected));
}
