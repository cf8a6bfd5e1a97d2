import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { EarlyStoppingCallback, Trainer, trainingArguments, type TrainingArgumentsOptions } from '../../src/training/index.js';
import type { Dataset } from '../../src/training/datasets/dataset.js';
import { fakeCollator, fakeRows, FakeTrainable, rejectionCode, type FakeRow } from '../support/fake-trainable.js';
import { suite } from '../support/suite.js';

const t = suite('training-resume');
const root = mkdtempSync(join(tmpdir(), 'bertha-resume-'));
t.after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, String(folders++));

const rows = fakeRows(23);
/** Rows that come one after the other. */
const streamOf = (all: readonly FakeRow[], length?: number): Dataset<FakeRow> => ({
  async *[Symbol.asyncIterator]() {
    yield* all;
  },
  ...(length === undefined ? {} : { length }),
});

function trainerOf(options: TrainingArgumentsOptions, dataset: Dataset<FakeRow> = rows, model = new FakeTrainable()) {
  const args = trainingArguments({
    learningRate: 0.05,
    numTrainEpochs: 2,
    perDeviceTrainBatchSize: 3,
    gradientAccumulationSteps: 2,
    loggingSteps: 3,
    weightDecay: 0.01,
    progress: false,
    ...options,
  });
  const callbacks = args.metricForBestModel === undefined ? [] : [new EarlyStoppingCallback(2)];
  const trainer = new Trainer<FakeRow>({
    model,
    args,
    trainDataset: dataset,
    evalDataset: fakeRows(7),
    dataCollator: fakeCollator,
    callbacks,
  });
  return { trainer, model };
}

const weightsOf = ({ value, expAvg, expAvgSq }: FakeTrainable) => [...value, ...expAvg, ...expAvgSq];
const historyOf = (trainer: Trainer<FakeRow>) =>
  trainer.state.logHistory.map((log) => Object.fromEntries(Object.entries(log).filter(([name]) => !/runtime|per_second/.test(name))));

const variants: Readonly<Record<string, { readonly options: TrainingArgumentsOptions; readonly dataset?: Dataset<FakeRow> }>> = {
  'random order': { options: {} },
  group_by_length: { options: { trainSamplingStrategy: 'group_by_length' } },
  'a stream with a length': { options: {}, dataset: streamOf(rows, rows.length) },
  'a stream without one': { options: { maxSteps: 9 }, dataset: streamOf(rows) },
  dataloaderDropLast: { options: { dataloaderDropLast: true } },
  'a falling rate on a plateau': {
    options: {
      evalStrategy: 'steps',
      evalSteps: 1,
      lrSchedulerType: 'reduce_lr_on_plateau',
      lrSchedulerKwargs: { patience: 0 },
      metricForBestModel: 'loss',
    },
  },
  'early stopping': {
    options: { evalStrategy: 'epoch', numTrainEpochs: 5, learningRate: 0.9, metricForBestModel: 'loss', loggingStrategy: 'epoch' },
  },
  'evaluation on an epoch': { options: { evalStrategy: 'epoch', lrSchedulerType: 'cosine', warmupSteps: 2 } },
};

for (const [name, { options, dataset }] of Object.entries(variants)) {
  t(`goes on at any step with the bits of a run that was never interrupted: ${name}`, async () => {
    const outputDir = newFolder();
    const whole = trainerOf({ ...options, outputDir, saveSteps: 1 }, dataset);
    await whole.trainer.train();
    const steps = whole.trainer.state.globalStep;
    assert.ok(steps >= 2);
    for (let step = 1; step <= steps; step++) {
      const { trainer, model } = trainerOf({ ...options, saveStrategy: 'no' }, dataset);
      await trainer.train({ resumeFromCheckpoint: join(outputDir, `checkpoint-${step}`) });
      assert.equal(weightsOf(model), weightsOf(whole.model), `from step ${step}`);
      assert.equal(historyOf(trainer), historyOf(whole.trainer));
      assert.equal(
        model.steps.map(({ signal: _, ...rest }) => rest),
        whole.model.steps.slice(step).map(({ signal: _, ...rest }) => rest),
      );
    }
  });
}

t('goes on in the same process after an abort, as if nothing had been', async () => {
  const whole = trainerOf({});
  await whole.trainer.train();
  const { trainer, model } = trainerOf({});
  for (const at of [2, 4]) {
    const controller = new AbortController();
    const reason = new Error('enough');
    model.onStep = () => {
      if (model.steps.at(-1)!.step === at) controller.abort(reason);
    };
    await trainer.train({ signal: controller.signal }).then(
      () => assert.unreachable(),
      (error) => assert.is(error, reason),
    );
    assert.is(trainer.state.globalStep, at - 1);
    model.onStep = undefined;
  }
  await trainer.train();
  assert.equal(weightsOf(model), weightsOf(whole.model));
  assert.is(await rejectionCode(trainer.train()), 'INVALID_ARG');
});

t('ends after a step with a checkpoint when asked to, and goes on from it', async () => {
  const outputDir = newFolder();
  const whole = trainerOf({});
  await whole.trainer.train();
  const first = trainerOf({ outputDir });
  first.model.onStep = () => {
    if (first.model.steps.length === 3) first.trainer.requestStop();
  };
  const { globalStep } = await first.trainer.train();
  assert.is(globalStep, 3);
  const second = trainerOf({ outputDir });
  await second.trainer.train({ resumeFromCheckpoint: true });
  assert.equal(weightsOf(second.model), weightsOf(whole.model));
});

t('says which of model, dataset, seed and arguments differs', async () => {
  const outputDir = newFolder();
  await trainerOf({ outputDir }).trainer.train();
  const refuses = async (words: RegExp, options: TrainingArgumentsOptions, dataset?: Dataset<FakeRow>, model?: FakeTrainable) => {
    const { trainer } = trainerOf({ outputDir, ...options }, dataset, model);
    await trainer.train({ resumeFromCheckpoint: true }).then(
      () => assert.unreachable(),
      (error: { code: string; message: string }) => {
        assert.is(error.code, 'CHECKPOINT_MISMATCH');
        assert.match(error.message, words);
      },
    );
  };
  await refuses(/\(learningRate 0.05\) but received learningRate 0.04/, { learningRate: 0.04 });
  await refuses(/seed 42, dataSeed 42.*seed 43, dataSeed 43/, { seed: 43 });
  await refuses(/\(train dataset \{"rows":23/, {}, fakeRows(22));
  await refuses(/train dataset/, {}, fakeRows(23, 3));
  await refuses(/\(model name "fake"\) but received model name "other"/, {}, undefined, new FakeTrainable('other'));
});

t('names version and instruction set, and says when another set goes on', async () => {
  const outputDir = newFolder();
  const whole = trainerOf({ outputDir, saveSteps: 2 });
  await whole.trainer.train();
  const folder = join(outputDir, 'checkpoint-2');
  const file = join(folder, 'trainer_state.json');
  const fields = JSON.parse(readFileSync(file, 'utf8')) as { bertha: { writtenBy: { version: string; instructionSet: string } } };
  assert.match(fields.bertha.writtenBy.version, /^\d+\.\d+\.\d+/);
  fields.bertha.writtenBy.instructionSet = 'another';
  writeFileSync(file, JSON.stringify(fields));
  const warning = once(process, 'warning') as Promise<[Error]>;
  const { trainer, model } = trainerOf({ saveStrategy: 'no' });
  await trainer.train({ resumeFromCheckpoint: folder });
  assert.match((await warning)[0].message, /was written on another and goes on on .*last bits/);
  assert.equal(weightsOf(model), weightsOf(whole.model));
});

t('leaves out a step that is not finite when told to, and ends with it otherwise', async () => {
  const ends = trainerOf({});
  ends.model.failAt = 3;
  assert.is(await rejectionCode(ends.trainer.train()), 'NON_FINITE');
  assert.is(ends.trainer.state.globalStep, 2);
  const goesOn = trainerOf({ skipNonFinite: true });
  goesOn.model.failAt = 3;
  await goesOn.trainer.train();
  assert.is(goesOn.trainer.state.skipped, 1);
  assert.is(goesOn.trainer.state.updates, goesOn.trainer.state.globalStep - 1);
});

t('leaves out steps without a label', async () => {
  const { trainer, model } = trainerOf({ trainSamplingStrategy: 'sequential', numTrainEpochs: 1 }, [
    ...fakeRows(6),
    ...fakeRows(6).map(({ x }) => ({ x, y: NaN })),
    ...fakeRows(2),
  ]);
  await trainer.train();
  assert.is(trainer.state.globalStep, 3);
  assert.equal(
    model.steps.map(({ numItems }) => numItems),
    [[6], [2]],
  );
  assert.equal(
    model.steps.map(({ step }) => step),
    [1, 2],
  );
});

t('trains one row, batches larger than the dataset, and at rate 0', async () => {
  for (const count of [1, 2]) {
    const { trainer, model } = trainerOf({ perDeviceTrainBatchSize: 100, numTrainEpochs: 3 }, fakeRows(count));
    await trainer.train();
    assert.is(model.steps.length, 3);
    assert.equal(model.steps[0]!.numItems, [count]);
  }
  const still = trainerOf({ learningRate: 0 });
  await still.trainer.train();
  assert.equal([...still.model.value], [1, 0]);
});

t('refuses what cannot be trained', async () => {
  assert.is(await rejectionCode(trainerOf({}, []).trainer.train()), 'INVALID_ARG');
  assert.is(await rejectionCode(trainerOf({}, [{ x: 101, y: 0 }]).trainer.train()), 'INVALID_ARG');
  assert.is(await rejectionCode(trainerOf({}, streamOf(rows)).trainer.train()), 'INVALID_ARG');
  assert.is(await rejectionCode(trainerOf({ dataloaderDropLast: true }, fakeRows(2)).trainer.train()), 'INVALID_ARG');
  assert.is(await rejectionCode(trainerOf({}).trainer.train({ resumeFromCheckpoint: true })), 'INVALID_ARG');
  assert.is(await rejectionCode(trainerOf({ outputDir: newFolder() }).trainer.train({ resumeFromCheckpoint: true })), 'CHECKPOINT');
  const disposed = trainerOf({}).trainer;
  disposed.dispose();
  assert.is(await rejectionCode(disposed.train()), 'DISPOSED');
  const busy = trainerOf({}).trainer;
  const running = busy.train();
  assert.is(await rejectionCode(busy.evaluate()), 'INVALID_ARG');
  await running;
});

t('evaluates and predicts: the loss is the mean over items, metrics get the prefix', async () => {
  const { trainer } = trainerOf({ perDeviceEvalBatchSize: 4 });
  const data = fakeRows(7);
  const metrics = await trainer.evaluate(data);
  const expected = data.reduce((sum, { x, y }) => sum + (Math.fround(x) - y) ** 2, 0) / 7;
  assert.ok(Math.abs(metrics['eval_loss']! - expected) < 1e-6);
  const predicted = await trainer.predict(data.map(({ x }) => ({ x, y: NaN })));
  assert.is(predicted.predictions.length, 7);
  assert.is(predicted.metrics['test_loss'], undefined);
});

t.run();
