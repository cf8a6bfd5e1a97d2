import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import {
  learningRates,
  trainingArgumentNames,
  trainingArguments,
  type TrainingArgumentsOptions,
} from '../../src/training/arguments/training-arguments.js';
import { plateau, startPlateau } from '../../src/training/arguments/plateau.js';
import { refusedArguments } from '../../src/training/arguments/refused.js';
import { runLength } from '../../src/training/arguments/run-length.js';
import { epochOrder } from '../../src/training/trainer/sampling.js';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import { argumentsOf } from '../support/golden-arguments.js';

const t = suite('training-arguments');

interface ScheduleCase {
  readonly dataset_length: number;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly max_steps: number;
  readonly num_train_epochs: number;
  readonly warmup_steps: number;
  readonly lr: readonly number[];
  readonly epoch: readonly number[];
}

// golden-training/schedules.json of the reference set (seed 20261126): transformers 5.24's own Trainer on a model of one weight.
const golden = goldenTraining('schedules.json');
const { cases } = JSON.parse(readFileSync(golden, 'utf8')) as { cases: readonly ScheduleCase[] };

for (const [index, expected] of cases.entries()) {
  t(`learning rates and lengths equal transformers': case ${index}`, () => {
    const args = argumentsOf(expected.arguments);
    const length = runLength(args, expected.dataset_length);
    assert.is(length.maxSteps, expected.max_steps);
    assert.is(length.numTrainEpochs, expected.num_train_epochs);
    assert.is(length.warmupSteps, expected.warmup_steps);
    const rate = learningRates(args, length)!;
    assert.is(expected.lr.length, length.maxSteps);
    for (const [step, lr] of expected.lr.entries()) assert.ok(Math.abs(rate(step) - lr) <= 1e-15, `step ${step}: ${rate(step)}, ${lr}`);
  });
}

t('has the defaults of transformers', () => {
  const args = trainingArguments({ outputDir: 'out' });
  assert.is(args.learningRate, 5e-5);
  assert.is(args.numTrainEpochs, 3);
  assert.is(args.perDeviceTrainBatchSize, 8);
  assert.is(args.maxGradNorm, 1);
  assert.is(args.seed, 42);
  assert.is(args.dataSeed, 42);
  assert.is(args.saveStrategy, 'steps');
  assert.is(args.evalSteps, 500);
  assert.is(trainingArguments({ loggingSteps: 7 }).evalSteps, 7);
  assert.is(trainingArguments({ outputDir: 'out', metricForBestModel: 'f1' }).greaterIsBetter, true);
  const best = trainingArguments({ outputDir: 'out', evalStrategy: 'epoch', saveStrategy: 'epoch', loadBestModelAtEnd: true });
  assert.is(best.metricForBestModel, 'loss');
  assert.is(best.greaterIsBetter, false);
});

const refused = (options: object, words: RegExp) =>
  assert.throws(
    () => trainingArguments(options as TrainingArgumentsOptions),
    (error: { code?: string; message: string }) =>
      error.code === 'INVALID_OPTION' && (words.test(error.message) || assert.unreachable(error.message)),
  );

/** `arguments.json`: what transformers' TrainingArguments have, and names that older versions had (make_arguments.py). */
interface ForeignArguments {
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly removed: { readonly names: readonly string[] };
}

const foreign = JSON.parse(readFileSync(new URL('../golden-training/arguments.json', import.meta.url), 'utf8')) as ForeignArguments;
const inCamelCase = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

t('every argument of transformers is supported or refused with the reason', () => {
  const isKnown = (name: string) => trainingArgumentNames.includes(name as never) !== Object.hasOwn(refusedArguments, name);
  const names = [...Object.keys(foreign.defaults), ...foreign.removed.names];
  assert.ok(names.length > 120);
  assert.equal(
    names.map(inCamelCase).filter((name) => !isKnown(name)),
    [],
  );
  for (const name of trainingArgumentNames) assert.not.ok(Object.hasOwn(refusedArguments, name), `${name} is both`);
});

t('supported arguments have the defaults of transformers', () => {
  const args: Readonly<Record<string, unknown>> = { ...trainingArguments() };
  /** What transformers fills in for None, as this package does; `greater_is_better` then follows the metric. */
  const filledIn: Readonly<Record<string, unknown>> = {
    evalSteps: 500,
    dataSeed: 42,
    lrSchedulerKwargs: {},
    reportTo: [],
    greaterIsBetter: false,
    gradientCheckpointing: false,
  };
  let compared = 0;
  for (const [key, value] of Object.entries(foreign.defaults)) {
    const name = inCamelCase(key);
    if (!trainingArgumentNames.includes(name as never)) continue;
    const expected = Object.hasOwn(filledIn, name) ? filledIn[name] : (value ?? undefined);
    assert.equal(args[name], expected, name);
    compared++;
  }
  assert.ok(compared >= 35, `${compared} compared`);
});

t('refuses fields of transformers that mean nothing here with the reason, under either spelling', () => {
  for (const [name, reason] of Object.entries(refusedArguments)) {
    refused({ [name]: 1 }, new RegExp(`"${name}".*${reason.slice(0, 10).replace(/[.()?"]/g, '.')}`));
  }
  refused({ fsdp_config: {} }, /fsdpConfig means nothing here/);
  refused({ fp16: false }, /write bf16/);
  refused({ warmupRatio: 0.1 }, /write warmupSteps/);
});

t('suggests the argument that was meant', () => {
  refused({ learningrate: 1e-5 }, /Did you mean "learningRate"\?/);
  refused({ numEpochs: 3 }, /write numTrainEpochs/);
  refused({ per_device_train_batch_size: 3 }, /Did you mean "perDeviceTrainBatchSize"\?/);
});

t('refuses values that do not fit', () => {
  for (const bad of [-1, NaN, Infinity, '1e-5', null]) refused({ learningRate: bad }, /learningRate/);
  for (const bad of [0, -2, 1.5, '3']) refused({ maxSteps: bad }, /maxSteps/);
  for (const bad of [0, -1, 1.5, NaN]) refused({ loggingSteps: bad }, /loggingSteps/);
  for (const bad of [1, -0.1]) refused({ adamBeta1: bad }, /adamBeta1/);
  refused({ warmupSteps: 1.5 }, /warmupSteps/);
  refused({ numTrainEpochs: 0 }, /above 0/);
  refused({ lrSchedulerType: 'exponential' }, /lrSchedulerType/);
  refused({ lrSchedulerType: 'cosine', lrSchedulerKwargs: { cycles: 1 } }, /lrSchedulerKwargs.*Known: num_cycles|num_cycles/);
  refused({ lrSchedulerType: 'cosine_with_min_lr' }, /either min_lr or min_lr_rate/);
  refused({ lrSchedulerType: 'polynomial', learningRate: 1e-8 }, /above lr_end/);
  refused({ reportTo: 'wandb' }, /reportTo/);
  assert.is(trainingArguments({ learningRate: 0 }).learningRate, 0);
});

t('refuses arguments that contradict each other', () => {
  const best = { outputDir: 'out', loadBestModelAtEnd: true };
  refused(best, /evalStrategy/);
  refused({ ...best, evalStrategy: 'epoch' }, /equal evalStrategy and saveStrategy/);
  refused({ ...best, evalStrategy: 'steps', evalSteps: 3, saveSteps: 4 }, /multiple of evalSteps/);
  refused({ ...best, outputDir: undefined, evalStrategy: 'epoch', saveStrategy: 'epoch' }, /outputDir/);
  refused({ saveStrategy: 'best' }, /evalStrategy/);
  refused({ lrSchedulerType: 'reduce_lr_on_plateau' }, /evalStrategy/);
  refused({ bitfit: true, lora: {} }, /bitfit or lora/);
});

t('lowers the rate on a plateau as PyTorch does', () => {
  // torch 2.13: ReduceLROnPlateau(lr 1, patience=1, factor=.5, cooldown=1).
  const step = plateau({ patience: 1, factor: 0.5, cooldown: 1 });
  const rates: number[] = [];
  let state = startPlateau(1);
  for (const metric of [1, 0.9, 0.95, 0.95, 0.95, 0.95, 0.95, 0.5, 0.5, 0.5, 0.5]) {
    state = step(state, metric);
    rates.push(state.lr);
  }
  assert.equal(rates, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125]);
});

t('orders rows by (seed, epoch) alone', () => {
  const args = (trainSamplingStrategy: 'random' | 'sequential' | 'group_by_length', dataSeed = 1) =>
    trainingArguments({ trainSamplingStrategy, dataSeed, perDeviceTrainBatchSize: 4 });
  const rows = 103;
  const lengths = Array.from({ length: rows }, (_, row) => (row * 37) % 91);
  const sorted = (order: Uint32Array) => [...order].sort((a, b) => a - b);
  const all = [...Array(rows).keys()];
  assert.equal([...epochOrder(args('sequential'), 3, rows)], all);
  for (const strategy of ['random', 'group_by_length'] as const) {
    const order = epochOrder(args(strategy), 3, rows, lengths);
    assert.equal(sorted(order), all);
    assert.equal(order, epochOrder(args(strategy), 3, rows, lengths));
    assert.not.equal(order, epochOrder(args(strategy), 4, rows, lengths));
    assert.not.equal(order, epochOrder(args(strategy, 2), 3, rows, lengths));
  }
  const grouped = epochOrder(args('group_by_length'), 0, rows, lengths);
  assert.is(lengths[grouped[0]!], Math.max(...lengths));
  const spread = (order: Uint32Array) => {
    let sum = 0;
    for (let i = 0; i + 4 <= rows; i += 4) {
      const batch = [...order.subarray(i, i + 4)].map((row) => lengths[row]!);
      sum += Math.max(...batch) - Math.min(...batch);
    }
    return sum;
  };
  assert.ok(spread(grouped) < spread(epochOrder(args('random'), 0, rows)) / 3);
  assert.equal([...epochOrder(args('random'), 0, 1)], [0]);
});

t.run();
