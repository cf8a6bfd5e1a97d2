// Training in processes and threads that end in the middle, on disks that are full, and for long.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { stats } from '../../src/index.js';
import { loadAddon } from '../../src/runtime/addon.js';
import { loadCheckpointWeights, readForResume, resume } from '../../src/training/checkpoints/checkpoint-store.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { golden } from '../support/checkpoint-files.js';
import { eventually, importTraining, messageOf, runChild, startWorker } from '../support/library.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

const t = suite('training process');
const isFull = process.env['BERTHA_TEST_FULL'] === '1';
/** Sanitizers cost time and memory: what is measured is not judged then. */
const isMeasured = process.env['BERTHA_SANITIZER'] === undefined;
const root = mkdtempSync(join(tmpdir(), 'bertha-training-process-'));
t.after(() => rmSync(root, { recursive: true, force: true }));
const newFolder = (): string => mkdtempSync(join(root, 'x-'));

/** A trainer of steps that take a while, as JavaScript with `training`; every second step has a checkpoint. */
const trainerSource = (outputDir: string, more = '{}'): string => `
  const outputDir = ${JSON.stringify(outputDir)};
  const model = await training.LearningModel.load(${JSON.stringify(golden('tiny/bert-base-noprefix'))},
    { task: 'text-classification', labels: ['x', 'y'], seed: 7, threads: 2 });
  const trainer = new training.Trainer({
    model,
    args: training.trainingArguments({ outputDir, maxSteps: 100000, saveSteps: 2, saveTotalLimit: 2, loggingSteps: 1,
      perDeviceTrainBatchSize: 64, progress: false, ...${more} }),
    trainDataset: Array.from({ length: 256 }, (_, i) => ({ text: 'hello guitar '.repeat(1 + (i * 7) % 20), label: i % 2 ? 'x' : 'y' })),
    dataCollator: training.createCollator('text-classification', model.model, { labels: training.labelSet(['x', 'y']) }),
  });
`;

/** Reads a checkpoint as a trainer does that goes on from it. */
async function stateOf(folder: string): Promise<{ readonly step: number }> {
  const model = await LearningModel.load(golden('tiny/bert-base-noprefix'), { task: 'text-classification', labels: ['x', 'y'], seed: 7 });
  const { identity, state } = await readForResume(folder);
  await resume(folder, model, identity);
  await loadCheckpointWeights(folder, model);
  model.dispose();
  return { step: state.globalStep };
}

/** That a folder holds whole checkpoints and reports, and nothing unfinished. */
async function assertWhole(outputDir: string): Promise<void> {
  const names = readdirSync(outputDir);
  assert.equal(
    names.filter((name) => !/^(?:checkpoint-\d+|log\.jsonl|training\.html)$/.test(name)),
    [],
  );
  for (const name of names.filter((each) => each.startsWith('checkpoint'))) await stateOf(join(outputDir, name));
}

const isWriting = `(await import('node:fs')).readdirSync(outputDir).some((name) => name.includes('.writing-'))`;
const ends: readonly (readonly [string, string, string, number])[] = [
  ['process.exit in mid-step', 'stats().training.steps > 4 && stats().training.running > 0', 'process.exit(7)', 7],
  ['process.exit while a checkpoint is written', `stats().training.steps > 4 && ${isWriting}`, 'process.exit(0)', 0],
  ['an uncaught error in mid-step', 'stats().training.steps > 4 && stats().training.running > 0', `throw new RangeError('mine')`, 1],
];
for (const [name, isTime, end, expected] of ends) {
  t(`${name} ends at once with its code, and leaves whole checkpoints`, async () => {
    const imports = await importTraining();
    for (let round = 0; round < (isFull ? 50 : 1); round++) {
      const outputDir = newFolder();
      const body = `${imports}${trainerSource(outputDir)}
        trainer.train();
        const look = async () => { if (${isTime}) { console.log('now'); ${end}; } setImmediate(() => void look()); };
        void look();`;
      let ending = 0;
      const { code, signal, output } = await runChild(body, { isAbrupt: true, onLine: () => (ending ||= performance.now()) });
      assert.equal([code, signal], [expected, null], output);
      assert.ok(performance.now() - ending < 5000 || !isMeasured, 'it waited for the training');
      assert.match(output, expected === 1 ? /RangeError: mine/ : /^now\n$/);
      await assertWhole(outputDir);
    }
  });
}

t('a worker terminated in mid-step leaves nothing in memory, and the next trainer goes on in its directory', async () => {
  const addon = loadAddon();
  const before = addon.allocatedBytes();
  const imports = await importTraining();
  const outputDir = newFolder();
  for (let round = 0; round < (isFull ? 50 : 3); round++) {
    const resumes = round === 0 ? 'false' : 'true';
    const worker = startWorker(`${imports}${trainerSource(outputDir)}
      const first = trainer.state.globalStep;
      const wait = () => (stats().training.steps > 3 ? parentPort.postMessage('ready') : setImmediate(wait));
      setTimeout(wait);
      await trainer.train({ resumeFromCheckpoint: ${resumes} });`);
    await messageOf(worker);
    await eventually('a checkpoint', () => readdirSync(outputDir).some((name) => name.startsWith('checkpoint-')));
    await new Promise((resolve) => setTimeout(resolve, (round * 7) % 30));
    await worker.terminate();
    await eventually('the trainer to be gone', () => stats().training.trainers === 0 && addon.allocatedBytes() === before);
  }
  const { training, running, waiting } = { ...stats(), ...stats().training };
  assert.equal([training.trainers, running, waiting], [0, 0, 0]);
  const { code, output } = await runChild(`${imports}${trainerSource(outputDir)}
    setTimeout(() => trainer.requestStop());
    const { globalStep } = await trainer.train({ resumeFromCheckpoint: true });
    console.log(globalStep > 2 ? 'went on' : globalStep);
    trainer.dispose();`);
  assert.equal([code, output.trim()], [0, 'went on']);
  await assertWhole(outputDir);
});

const kills = isFull ? 200 : 3;
t(`kill -9 at ${kills} random moments leaves whole checkpoints of the run that nobody killed`, async () => {
  const imports = await importTraining();
  const outputDir = newFolder();
  const constant = `{ lrSchedulerType: 'constant', learningRate: 0.001, saveSteps: 1 }`;
  const checkpoints = (): number[] =>
    readdirSync(outputDir)
      .filter((name) => name.startsWith('checkpoint-'))
      .map((name) => Number(name.slice('checkpoint-'.length)));
  let last = 0;
  for (let kill = 0; kill < kills; kill++) {
    const body = `${imports}${trainerSource(outputDir, constant)}
      const { readdirSync } = await import('node:fs');
      const isSaved = () => readdirSync(outputDir).some((name) => name.startsWith('checkpoint-'));
      const look = () => (isSaved() && trainer.state.globalStep > ${last} ? console.log('saved') : setImmediate(look));
      look();
      await trainer.train({ resumeFromCheckpoint: ${kill > 0} });`;
    const onLine = (_: string, end: (signal: NodeJS.Signals) => void): void =>
      void setTimeout(() => end('SIGKILL'), ((kill * 7919) % 97) * 0.7);
    const { signal, output } = await runChild(body, { isAbrupt: true, onLine });
    assert.is(signal, 'SIGKILL', output);
    const steps = checkpoints();
    assert.ok(steps.length > 0 && Math.max(...steps) >= last, 'a later run goes on from the newest');
    last = Math.max(...steps);
    for (const step of steps) assert.is((await stateOf(join(outputDir, `checkpoint-${step}`))).step, step);
  }
  const { code, output } =
    await runChild(`${imports}${trainerSource(newFolder(), constant.replace('saveSteps: 1', `saveStrategy: 'no', maxSteps: ${last}`))}
    await trainer.train();
    await model.save(${JSON.stringify(join(root, 'unkilled'))});
    trainer.dispose();`);
  assert.is(code, 0, output);
  const [killed, unkilled] = [join(outputDir, `checkpoint-${last}`), join(root, 'unkilled')].map((each) =>
    readFileSync(join(each, 'model.safetensors')),
  );
  assert.ok(killed!.equals(unkilled!), `the weights of step ${last}`);
});

const steps = isFull ? 1000 : 60;
t(`memory is flat over ${steps} steps`, async () => {
  const { code, output } = await runChild(
    `${await importTraining()}${trainerSource(newFolder(), `{ maxSteps: ${steps}, saveStrategy: 'no', loggingSteps: 10, trainSamplingStrategy: 'sequential' }`)}
     const seen = [];
     const look = () => { gc(); seen.push([stats().training.bytes, process.memoryUsage().heapUsed, process.memoryUsage.rss()]); };
     const step = model.step.bind(model);
     let taken = 0;
     model.step = async (...call) => { const result = await step(...call); if (++taken === ${steps / 2} || taken === ${steps}) look(); return result; };
     await trainer.train();
     console.log(JSON.stringify(seen));
     trainer.dispose();`,
    { flags: ['--expose-gc'] },
  );
  assert.is(code, 0, output);
  const [half, whole] = JSON.parse(output) as [number[], number[]];
  assert.is(whole[0], half[0], 'native memory');
  if (!isMeasured) return;
  assert.ok(whole[1]! - half[1]! < 1e6, `the heap grew by ${whole[1]! - half[1]!} bytes`);
  assert.ok(whole[2]! - half[2]! < 16e6, `the process grew by ${whole[2]! - half[2]!} bytes`);
});

/** Six steps with checkpoints at every second one; `fills` makes the writing fail after the second step, `frees` makes room again. */
const fullDisk = (outputDir: string, fills: string, frees: string): string => `
  const { readdirSync, rmSync, writeFileSync } = await import('node:fs');
  const { execFileSync } = await import('node:child_process');
  ${trainerSource(outputDir, `{ maxSteps: 6, perDeviceTrainBatchSize: 4, reportTo: [] }`)}
  const state = async () => {
    const parts = [];
    for (const tensor of model.tensors) for (const kind of ['value', 'expAvg', 'expAvgSq']) parts.push(Buffer.from((await tensor.read(kind)).buffer));
    return Buffer.concat(parts).toString('base64');
  };
  const step = model.step.bind(model);
  const states = [];
  model.step = async (...call) => { const result = await step(...call); states.push(await state()); if (states.length === 3) { ${fills} } return result; };
  let failure;
  const failures = [];
  let end;
  for (let tries = 0; end === undefined && tries < 10; tries++) {
    try {
      await trainer.train();
      end = await state();
    } catch (error) {
      failures.push({ name: error.name, code: error.code, message: error.message, step: trainer.state.globalStep,
        isIntact: (await state()) === states.at(-1), files: readdirSync(outputDir).sort() });
      ${frees}
    }
  }
  console.log(JSON.stringify({ failures, end, steps: states.length, files: readdirSync(outputDir).sort() }));
  trainer.dispose();
`;

async function assertGoesOn(words: RegExp, through: readonly string[], outputDir: string, fills: string, frees: string): Promise<void> {
  const imports = await importTraining();
  const reference = await runChild(`${imports}${fullDisk(newFolder(), '', '')}`);
  const { code, output } = await runChild(`${imports}${fullDisk(outputDir, fills, frees)}`, { through });
  assert.is(code, 0, output);
  const [undisturbed, found] = [reference.output, output].map(
    (each) =>
      JSON.parse(each) as {
        failures: { name: string; code: string; message: string; step: number; isIntact: boolean; files: string[] }[];
        end: string;
        steps: number;
        files: string[];
      },
  );
  assert.equal(undisturbed!.failures, []);
  assert.ok(found!.failures.length > 0, 'nothing failed');
  for (const failure of found!.failures) {
    assert.equal([failure.name, failure.code], ['BerthaError', 'IO'], failure.message);
    assert.match(failure.message, words);
    assert.ok(failure.isIntact, 'weights and moments are those of the last whole step');
    const older = failure.files.filter((each) => !/^(?:filler|log\.jsonl|training\.html)$/.test(each));
    assert.equal(older, ['checkpoint-2'], failure.message);
  }
  assert.is(found!.steps, 6, 'no step was made twice');
  assert.is(found!.end, undisturbed!.end);
  assert.equal(found!.files, undisturbed!.files);
}

t('a full disk is a typed error, the training goes on when there is room', async () => {
  const mounts = ['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"'];
  if (spawnSync(mounts[0]!, [...mounts.slice(1), newFolder(), 'true']).status !== 0) return skip('no small disk can be mounted (unshare)');
  const disk = newFolder();
  const fills = `try { for (let size = 1 << 20; size >= 1; size >>= 1) try { for (;;) writeFileSync(outputDir + '/filler', new Uint8Array(size), { flag: 'a' }); } catch {} } catch {}`;
  await assertGoesOn(/ENOSPC/, [...mounts, disk], disk, fills, `rmSync(outputDir + '/filler', { force: true });`);
});

t('a limit to the size of files is a typed error, the training goes on when it is lifted', async () => {
  if (spawnSync('prlimit', ['--version']).status !== 0) return skip('no prlimit');
  const limit = (size: string): string => `execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=${size}:unlimited']);`;
  await assertGoesOn(/EFBIG/, [], newFolder(), limit('10000'), limit('unlimited'));
});

t.run();
