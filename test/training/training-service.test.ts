// Training beside other work of the process: counters, and calls that come while weights are made or changed.
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { stats } from '../../src/index.js';
import { packBatch } from '../../src/runtime/batch.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { goldenTraining } from '../support/golden-training.js';
import { eventually } from '../support/library.js';
import { labelledBatch, learningUpdate } from '../support/learning-batch.js';
import { suite } from '../support/suite.js';

const t = suite('training service');

const folder = fileURLToPath(goldenTraining('gradients/bert-dropout'));
const load = (threads: number) => LearningModel.load(folder, { task: 'text-classification', seed: 7, threads });

t('stats().training is zero before anything is trained, counts what is, and forgets what is disposed', async () => {
  const none = { trainers: 0, running: 0, waiting: 0, steps: 0, tokens: 0, tokensPerSecond: 0, bytes: 0, longestSliceMs: 0 };
  assert.equal(stats().training, none);
  const models = [await load(2), await load(1)];
  const [first] = models;
  assert.is(stats().training.trainers, 2);
  const batch = labelledBatch(200);
  const steps = [1, 2, 3].map((step) => first!.session.step([batch], { ...learningUpdate(step), numItems: [200], microStep: step }));
  const { running, waiting } = stats().training;
  assert.ok(running + waiting === 3 && waiting >= 2, 'calls run one after the other');
  await Promise.all(steps);
  const tokens = 3 * batch.inputIds.length;
  const done = stats().training;
  assert.equal([done.running, done.waiting, done.steps, done.tokens], [0, 0, 3, tokens]);
  assert.ok(done.tokensPerSecond > 0 && done.longestSliceMs > 0);
  const usages = models.map((model) => model.memoryUsage());
  assert.is(
    done.bytes,
    usages.reduce((sum, { weightBytes, workspaceBytes }) => sum + weightBytes + workspaceBytes, 0),
  );
  assert.is(stats().training.tokensPerSecond, 0, 'nothing was learned since the last look');
  for (const model of models) model.dispose();
  await eventually('the trainers are gone', () => {
    globalThis.gc?.();
    return stats().training.trainers === 0;
  });
  const { bytes, steps: made } = stats().training;
  assert.equal([bytes, made], [0, 3]);
});

t('an aborted call is not counted as a step, nor as one that runs', async () => {
  const model = await load(1);
  const batch = labelledBatch(200);
  const before = stats().training.steps;
  const controller = new AbortController();
  // Far more work than a thread that is held up here for a moment leaves time for.
  const calls = Array.from({ length: 64 }, (_, index) =>
    model.session.step([batch], { ...learningUpdate(index + 1), numItems: [200], microStep: index + 1 }, controller),
  );
  controller.abort(new Error('enough'));
  const made = (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled').length;
  assert.ok(made < calls.length, 'none of 64 steps was aborted');
  const { running, waiting, steps } = stats().training;
  assert.equal([running, waiting, steps], [0, 0, before + made]);
  model.dispose();
});

t('calls of the live model come between steps, and never wait for the thread that changes its weights', async () => {
  const models = await Promise.all([1, 2, 2].map(load));
  let isOver = false;
  let unchanged = 2 * models.length;
  const batch = packBatch([{ ids: Int32Array.of(5, 6, 7, 8) }]);
  const calls = models.flatMap((each) =>
    (['interactive', 'bulk'] as const).map(async (priority) => {
      const seen = new Set<number>();
      while (!isOver) {
        for (const model of [each, models[0]!]) {
          const [logits] = await model.model.session.run(batch, [model.training.live.heads.sequenceClassification!], { priority });
          assert.ok(Number.isFinite(logits![0]!));
          if (model === each && seen.size < 2 && seen.add(logits![0]!).size === 2) unchanged--;
        }
      }
    }),
  );
  await Promise.all(
    models.map(async (model) => {
      for (let step = 1; step <= 30 || (unchanged > 0 && step < 3000); step++)
        await model.session.step([labelledBatch(9)], { ...learningUpdate(step), numItems: [9], microStep: step });
    }),
  );
  isOver = true;
  await Promise.all(calls);
  assert.is(unchanged, 0, 'all calls saw the weights change');
  for (const model of models) model.dispose();
});

t.run();
