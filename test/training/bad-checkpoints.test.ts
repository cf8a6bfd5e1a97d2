// Checkpoints, adapters and folders that do not do for a training: each a typed error that says what to do; nothing lost.
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadModel } from '../../src/models/model.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { labelledBatch, learnedState, learningUpdate } from '../support/learning-batch.js';
import { skip } from '../support/skip.js';
import { base, classifies, folder, learns, refuses, rows, scratch, trainerOf } from '../support/small-training.js';
import { suite } from '../support/suite.js';

const t = suite('bad checkpoints');

t('resuming with another dataset, model, seed or argument says which', async () => {
  const outputDir = folder();
  await learns(rows, { ...classifies, outputDir });
  const resumed = { ...classifies, outputDir, resumeFromCheckpoint: true, maxSteps: 2 };
  await refuses('CHECKPOINT_MISMATCH', /train dataset/, [...rows, rows[0]!], resumed);
  await refuses('CHECKPOINT_MISMATCH', /train dataset/, [{ text: 'a c', label: 'x' }, ...rows.slice(1)], resumed);
  await refuses(
    'CHECKPOINT_MISMATCH',
    /model class "BertForSequenceClassification".*"ElectraFor/,
    rows,
    resumed,
    golden('tiny/electra-discriminator'),
  );
  await refuses('CHECKPOINT_MISMATCH', /seed 42.*seed 43/, rows, { ...resumed, seed: 43 });
  await refuses('CHECKPOINT_MISMATCH', /weightDecay 0\b.*weightDecay 0\.1/, rows, { ...resumed, weightDecay: 0.1 });
  await refuses(
    'CHECKPOINT_MISMATCH',
    /labels "x, y"/,
    rows.map(({ text, label }) => ({ text, label: label === 'y' ? 'w' : label })),
    resumed,
  );
  await learns(rows, resumed);
});

t('a checkpoint of transformers cannot be resumed, but its weights can be trained', async () => {
  const checkpoint = folder();
  cpSync(golden('tiny/bert-nli'), checkpoint, { recursive: true });
  writeFileSync(join(checkpoint, 'trainer_state.json'), '{"global_step": 3}');
  for (const name of ['optimizer.pt', 'rng_state.pth', 'scheduler.pt', 'training_args.bin'])
    writeFileSync(join(checkpoint, name), 'pickle');
  const resumes = { ...classifies, resumeFromCheckpoint: checkpoint };
  await refuses('UNSAFE_FORMAT', /optimizer\.pt, a pickle.*load this folder as the model/, rows, resumes);
  rmSync(join(checkpoint, 'optimizer.pt'));
  await refuses('UNSAFE_FORMAT', /rng_state\.pth, a pickle/, rows, resumes);
  await learns(rows, classifies, checkpoint);
});

t('adapters of an unknown kind, and an adapter_model.bin of other things, are refused by name, to train as to load', async () => {
  const learning = await LearningModel.load(base, { ...classifies, seed: 7, lora: { r: 2, targetModules: 'all-linear' } });
  const adapter = folder();
  await learning.save(adapter);
  learning.dispose();
  (await loadModel(base, { adapter })).dispose();
  const config = readFileSync(join(adapter, 'adapter_config.json'), 'utf8');
  const changed = (fields: object): string => {
    const copy = folder();
    cpSync(adapter, copy, { recursive: true });
    writeFileSync(join(copy, 'adapter_config.json'), JSON.stringify({ ...(JSON.parse(config) as object), ...fields }));
    return copy;
  };
  for (const [fields, words] of [
    [{ use_dora: true }, /use_dora/],
    [{ peft_type: 'IA3' }, /IA3/],
  ] as const) {
    const error = await rejection(() => loadModel(base, { adapter: changed(fields) }));
    assert.is(error.code, 'CONFIG_UNSUPPORTED');
    assert.match(error.message, words);
  }
  const pickle = changed({});
  renameSync(join(pickle, 'adapter_model.safetensors'), join(pickle, 'adapter_model.bin'));
  const error = await rejection(() => loadModel(base, { adapter: pickle }));
  assert.is(error.code, 'UNSAFE_FORMAT');
  assert.match(error.message, /adapter_model\.bin/);
});

t('a checkpoint with a damaged, cut or missing file names it, and the older one can be resumed', async () => {
  const outputDir = folder();
  const options = { ...classifies, outputDir, saveSteps: 1 };
  const whole = await learns(rows, options);
  const newest = join(outputDir, 'checkpoint-2');
  const expected = readFileSync(join(newest, 'model.safetensors'));
  const damages: Record<string, (path: string) => void> = {
    changed: (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(path, bytes);
    },
    cut: (path) => truncateSync(path, 100),
    longer: (path) => appendFileSync(path, ' '),
    missing: (path) => rmSync(path),
  };
  for (const name of ['model.safetensors', 'optimizer.safetensors', 'config.json'])
    for (const damage of Object.values(damages)) {
      const copy = folder();
      cpSync(newest, copy, { recursive: true });
      damage(join(copy, name));
      const words = name.startsWith('optimizer') ? /optimizer\.safetensors/ : new RegExp(name);
      await refuses('CHECKPOINT', words, rows, { ...classifies, resumeFromCheckpoint: copy });
    }
  rmSync(newest, { recursive: true });
  const again = await learns(rows, { ...options, resumeFromCheckpoint: true });
  assert.is(again.metrics['train_loss'], whole.metrics['train_loss']);
  assert.ok(expected.equals(readFileSync(join(newest, 'model.safetensors'))));
});

t('a read-only output is an IO error before anything is computed; one that becomes so in mid-run loses nothing', async () => {
  const isRoot = process.geteuid?.() === 0;
  if (process.geteuid === undefined) return skip('no users on this system');
  const outputDir = folder();
  const reference = await trainerOf({});
  await reference.trainer.train();
  const expected = await learnedState(reference.model);
  reference.trainer.dispose();
  const { model, trainer } = await trainerOf({ outputDir, saveSteps: 2, reportTo: [] });
  const start = await learnedState(model);
  // Permissions do not hold for root, who becomes nobody for a while.
  if (isRoot) for (const each of [scratch, outputDir]) chownSync(each, 65534, 65534);
  if (isRoot) process.seteuid!(65534);
  try {
    chmodSync(outputDir, 0o500);
    const first = await rejection(() => trainer.train());
    assert.is(first.code, 'IO');
    assert.match(first.message, /EACCES|EROFS/);
    assert.ok(start.equals(await learnedState(model)));
    chmodSync(outputDir, 0o700);
    const step = model.step.bind(model);
    model.step = async (...call) => {
      chmodSync(outputDir, 0o500);
      return step(...call);
    };
    assert.is((await rejection(() => trainer.train())).code, 'IO');
    assert.equal(
      readdirSync(outputDir).filter((name) => name.includes('checkpoint')),
      [],
    );
    chmodSync(outputDir, 0o700);
    model.step = step;
    await trainer.train();
    assert.ok(expected.equals(await learnedState(model)));
    assert.ok(existsSync(join(outputDir, 'checkpoint-4')));
  } finally {
    if (isRoot) process.seteuid!(0);
    trainer.dispose();
  }
});

t('of two trainers on one directory the second is told who trains there', async () => {
  const outputDir = folder();
  const [first, second] = [await trainerOf({ outputDir }), await trainerOf({ outputDir })];
  const runs = await Promise.allSettled([first.trainer.train(), second.trainer.train()]);
  const refused = runs.flatMap((run) => (run.status === 'rejected' ? [run.reason as Error & { code: string }] : []));
  assert.is(refused.length, 1);
  assert.is(refused[0]!.code, 'LOCKED');
  assert.match(refused[0]!.message, new RegExp(`process ${process.pid}.*another outputDir`));
  for (const { trainer } of [first, second]) {
    if (trainer.state.globalStep === 0) await trainer.train();
    trainer.dispose();
  }
  assert.not.ok(readdirSync(outputDir).some((name) => name.includes('lock')));
});

t('what a process that was killed while it locked left beside the lock goes with the next trainer', async () => {
  const outputDir = folder();
  const gone = { host: hostname(), pid: 2 ** 22 + 1, started: '1' };
  writeFileSync(join(outputDir, '.training.lock-0123456789ab'), JSON.stringify(gone));
  const { trainer } = await trainerOf({ outputDir });
  await trainer.train();
  trainer.dispose();
  assert.not.ok(readdirSync(outputDir).some((name) => name.includes('lock')));
});

t('a model or trainer that was disposed of says so', async () => {
  const { model, trainer } = await trainerOf({});
  const live = trainer.model;
  const running = trainer.train();
  trainer.dispose();
  assert.is((await rejection(() => running)).code, 'DISPOSED');
  const calls: (() => Promise<unknown>)[] = [
    () => trainer.train(),
    () => trainer.evaluate(rows),
    () => trainer.predict(rows),
    () => trainer.saveModel(join(scratch, 'disposed')),
    () => trainer.snapshot(),
    () => model.session.step([labelledBatch(2)], { ...learningUpdate(1), numItems: [2], microStep: 0 }),
    async () => live.forward(live.tokenizer.encode('a')),
    async () => model.memoryUsage(),
  ];
  for (const call of calls) assert.is((await rejection(call)).code, 'DISPOSED', call.toString());
  assert.not.ok(existsSync(join(scratch, 'disposed')));
  trainer.dispose();
});

t.run();
