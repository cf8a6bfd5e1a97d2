import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { CheckpointStore, readForResume, resume } from '../../src/training/checkpoints/checkpoint-store.js';
import { Trainer, trainingArguments, type TrainingArgumentsOptions } from '../../src/training/index.js';
import { killedArguments, killedRows } from '../support/checkpoint-writer.js';
import { fakeCollator, fakeRows, FakeTrainable, rejectionCode } from '../support/fake-trainable.js';
import { suite } from '../support/suite.js';

const t = suite('training-checkpoints');
const root = mkdtempSync(join(tmpdir(), 'bertha-checkpoints-'));
t.after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
};

function trainerOf(options: TrainingArgumentsOptions, model = new FakeTrainable()) {
  const args = trainingArguments({ learningRate: 0.05, maxSteps: 6, saveSteps: 2, progress: false, ...options });
  return new Trainer({ model, args, trainDataset: fakeRows(24), evalDataset: fakeRows(5), dataCollator: fakeCollator });
}

const checkpoints = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.startsWith('checkpoint-'))
    .sort();

t('writes what design and transformers call by name', async () => {
  const outputDir = newFolder();
  const model = new FakeTrainable();
  await trainerOf({ outputDir, loggingSteps: 2 }, model).train();
  assert.equal(checkpoints(outputDir), ['checkpoint-2', 'checkpoint-4', 'checkpoint-6']);
  const folder = join(outputDir, 'checkpoint-6');
  assert.equal(readdirSync(folder).sort(), [
    'config.json',
    'model.safetensors',
    'optimizer.safetensors',
    'trainer_state.json',
    'training_args.json',
  ]);
  const file = await SafetensorsFile.open(join(folder, 'optimizer.safetensors'));
  assert.equal([...file.tensors.keys()].sort(), ['exp_avg.offset', 'exp_avg.slope', 'exp_avg_sq.offset', 'exp_avg_sq.slope']);
  assert.is((await file.readFloat32('exp_avg_sq.offset'))[0], model.expAvgSq[1]);
  await file.close();
  const state = JSON.parse(readFileSync(join(folder, 'trainer_state.json'), 'utf8')) as Record<string, unknown>;
  assert.is(state['global_step'], 6);
  assert.is(state['epoch'], 2);
  assert.is((state['log_history'] as unknown[]).length, 3);
  const lines = readFileSync(join(outputDir, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  assert.equal(
    lines.map(({ step }) => step),
    [2, 4, 6, 6],
  );
  assert.equal(Object.keys(lines[0]!), ['loss', 'grad_norm', 'learning_rate', 'epoch', 'step']);
  assert.ok(lines[3]!['train_loss']! > 0);
});

t('saveTotalLimit keeps the last and the best', async () => {
  const outputDir = newFolder();
  const scores = [0.1, 0.9, 0.3, 0.2, 0.1, 0.05];
  const model = new FakeTrainable();
  const values: number[][] = [];
  const trainer = new Trainer({
    model,
    args: trainingArguments({
      outputDir,
      learningRate: 0.05,
      maxSteps: 6,
      evalStrategy: 'steps',
      saveStrategy: 'steps',
      evalSteps: 1,
      saveSteps: 1,
      saveTotalLimit: 1,
      loadBestModelAtEnd: true,
      metricForBestModel: 'score',
      progress: false,
    }),
    trainDataset: fakeRows(24),
    evalDataset: fakeRows(5),
    dataCollator: fakeCollator,
    computeMetrics: () => ({ score: scores.shift()! }),
    callbacks: [{ onStepEnd: () => void values.push([...model.value]) }],
  });
  await trainer.train();
  assert.equal(checkpoints(outputDir), ['checkpoint-2', 'checkpoint-6']);
  assert.equal([...model.value], values[1], 'the best weights are loaded at the end');
});

t('a damaged, cut or missing file is an error that names it, and nothing of the model changes', async () => {
  const outputDir = newFolder();
  await trainerOf({ outputDir }).train();
  const good = join(outputDir, 'checkpoint-6');
  const damages: Readonly<Record<string, (file: string) => void>> = {
    changed: (file) => {
      const bytes = readFileSync(file);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(file, bytes);
    },
    longer: (file) => appendFileSync(file, ' '),
    cut: (file) => truncateSync(file, 10),
    missing: (file) => rmSync(file),
  };
  for (const name of ['model.safetensors', 'optimizer.safetensors', 'config.json', 'trainer_state.json']) {
    for (const [how, damage] of Object.entries(damages)) {
      if (name === 'trainer_state.json' && (how === 'longer' || how === 'changed')) continue;
      const folder = join(newFolder(), 'checkpoint-6');
      cpSync(good, folder, { recursive: true });
      damage(join(folder, name));
      const model = new FakeTrainable();
      await trainerOf({}, model)
        .train({ resumeFromCheckpoint: folder })
        .then(
          () => assert.unreachable(),
          (error: { code: string; message: string }) => {
            assert.is(error.code, 'CHECKPOINT', `${name} ${how}`);
            assert.match(error.message, name);
          },
        );
      assert.equal([...model.value, ...model.expAvg], [1, 0, 0, 0]);
    }
  }
});

t('does not read the pickles of transformers, and says what to do', async () => {
  for (const name of ['optimizer.pt', 'rng_state.pth']) {
    const folder = newFolder();
    writeFileSync(join(folder, name), 'pickle');
    writeFileSync(join(folder, 'trainer_state.json'), '{"global_step": 3}');
    await trainerOf({})
      .train({ resumeFromCheckpoint: folder })
      .then(
        () => assert.unreachable(),
        (error: { code: string; message: string }) => {
          assert.is(error.code, 'UNSAFE_FORMAT');
          assert.match(error.message, /load this folder as the model/);
        },
      );
  }
  const outputDir = newFolder();
  await trainerOf({ outputDir, saveOnlyModel: true }).train();
  assert.is(await rejectionCode(trainerOf({ outputDir }).train({ resumeFromCheckpoint: true })), 'CHECKPOINT');
});

t('a full disk is a typed error, the older checkpoint and the state stay, and training goes on', async () => {
  const outputDir = newFolder();
  const whole = new FakeTrainable();
  await trainerOf({ saveStrategy: 'no' }, whole).train();
  const model = new FakeTrainable();
  const save = model.save.bind(model);
  let isFull = false;
  model.save = async (directory) => {
    if (!isFull) return save(directory);
    writeFileSync(join(directory, 'model.safetensors'), 'half');
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  };
  const trainer = trainerOf({ outputDir }, model);
  model.onStep = () => void (isFull = model.steps.length === 4);
  await trainer.train().then(
    () => assert.unreachable(),
    (error: { code: string; message: string }) => {
      assert.is(error.code, 'IO');
      assert.match(error.message, /ENOSPC/);
    },
  );
  assert.equal(
    readdirSync(outputDir).filter((name) => /checkpoint/.test(name)),
    ['checkpoint-2'],
  );
  isFull = false;
  model.onStep = undefined;
  await trainer.train();
  assert.equal(checkpoints(outputDir), ['checkpoint-2', 'checkpoint-4', 'checkpoint-6']);
  assert.equal([...model.value], [...whole.value]);
});

t('one trainer at a time in a directory; the lock of a dead process is taken over', async () => {
  const outputDir = newFolder();
  const store = await CheckpointStore.open(outputDir);
  assert.is(await rejectionCode(trainerOf({ outputDir }).train()), 'LOCKED');
  await store.close();
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const lock = join(outputDir, '.training.lock');
  writeFileSync(lock, JSON.stringify({ host: hostname(), pid: child.pid, started: '1' }));
  await trainerOf({ outputDir }).train();
  assert.not.ok(existsSync(lock));
});

t('a directory that cannot be written is an IO error before anything is computed', async () => {
  const folder = newFolder();
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const model = new FakeTrainable();
  assert.is(await rejectionCode(trainerOf({ outputDir: join(file, 'out') }, model).train()), 'IO');
  if (process.getuid?.() !== 0) {
    chmodSync(folder, 0o500);
    assert.is(await rejectionCode(trainerOf({ outputDir: join(folder, 'out') }, model).train()), 'IO');
    chmodSync(folder, 0o700);
  }
  assert.is(model.steps.length, 0);
});

const kills = process.env['BERTHA_TEST_FULL'] === '1' ? 200 : 8;

t(`kill -9 at ${kills} random moments leaves whole checkpoints of the same run`, async () => {
  const outputDir = newFolder();
  const writer = fileURLToPath(new URL('../support/checkpoint-writer.ts', import.meta.url));
  const values = new Map<number, number[]>();
  let last = 0;
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, ['--import', 'tsx', writer, outputDir], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    await Promise.race([once(child.stdout, 'data'), ended.then(() => assert.unreachable('ended by itself'))]);
    await sleep(((kill * 7919) % 97) * 0.7);
    child.kill('SIGKILL');
    await ended;
    const steps = checkpoints(outputDir).map((name) => Number(name.slice('checkpoint-'.length)));
    assert.ok(steps.length >= 1);
    for (const step of steps) {
      const folder = join(outputDir, `checkpoint-${step}`);
      const found = await readForResume(folder);
      const model = new FakeTrainable();
      await resume(folder, model, found.identity);
      assert.is(found.state.globalStep, step);
      values.set(step, [...model.value, ...model.expAvg, ...model.expAvgSq]);
    }
    assert.ok(Math.max(...steps) >= last, 'a later run goes on from the newest');
    last = Math.max(...steps);
  }
  const model = new FakeTrainable();
  const controller = new AbortController();
  const trainer = new Trainer({
    model,
    args: trainingArguments({ ...killedArguments, saveStrategy: 'no' }),
    trainDataset: killedRows,
    dataCollator: fakeCollator,
    callbacks: [
      {
        onStepEnd({ state: { globalStep } }) {
          const found = values.get(globalStep);
          if (found !== undefined) assert.equal([...model.value, ...model.expAvg, ...model.expAvgSq], found, `step ${globalStep}`);
          if (globalStep === last) controller.abort();
        },
      },
    ],
  });
  assert.is(
    await trainer.train({ signal: controller.signal }).then(
      () => assert.unreachable(),
      (error: Error) => error.name,
    ),
    'AbortError',
  );
});

t.run();
