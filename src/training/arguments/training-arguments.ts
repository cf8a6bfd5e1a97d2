import type { SaveDtype } from '../../checkpoint/weights/narrow.js';
import { unexpected } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { flag, integer, oneOf, readOptions, text, type Check, type Options } from '../../options.js';
import { listOf, numberWithin, record, stepsOrShare, texts } from './checks.js';
import { refusedArguments } from './refused.js';
import { plateau } from './plateau.js';
import { schedule, schedulerTypes, type ScheduleShape, type SchedulerType } from './schedules.js';

/** When something happens: never, every so many steps, or after every epoch. */
export type IntervalStrategy = 'no' | 'steps' | 'epoch';

/** When checkpoints are written; 'best' after every evaluation with a better metric. */
export type SaveStrategy = IntervalStrategy | 'best';

const kMostSteps = 2 ** 31 - 1;
const intervals = ['no', 'steps', 'epoch'] as const;
const count = integer(1, kMostSteps);
const beta = numberWithin({ min: 0, max: 1, below: true });
const from0 = numberWithin({ min: 0 });

const maxSteps: Check<number> = (value, name) => (value === -1 ? -1 : count(value, name));
const warmup: Check<number> = (value, name) =>
  typeof value === 'number' && value < 1 ? from0(value, name) : integer(0, kMostSteps)(value, name);
const seed = integer(0, Number.MAX_SAFE_INTEGER);

const schema = {
  outputDir: filePath,
  numTrainEpochs: numberWithin({ min: 0, above: true }),
  maxSteps,
  perDeviceTrainBatchSize: count,
  perDeviceEvalBatchSize: count,
  gradientAccumulationSteps: count,
  learningRate: from0,
  weightDecay: from0,
  adamBeta1: beta,
  adamBeta2: beta,
  adamEpsilon: from0,
  maxGradNorm: from0,
  lrSchedulerType: oneOf(schedulerTypes),
  lrSchedulerKwargs: record,
  warmupSteps: warmup,
  labelSmoothingFactor: numberWithin({ min: 0, max: 1, below: true }),
  loggingStrategy: oneOf(intervals),
  loggingSteps: stepsOrShare,
  loggingFirstStep: flag,
  evalStrategy: oneOf(intervals),
  evalSteps: stepsOrShare,
  evalDelay: from0,
  evalOnStart: flag,
  saveStrategy: oneOf([...intervals, 'best']),
  saveSteps: stepsOrShare,
  saveTotalLimit: count,
  saveOnlyModel: flag,
  saveDtype: oneOf(['fp32', 'fp16', 'bf16']),
  loadBestModelAtEnd: flag,
  metricForBestModel: text,
  greaterIsBetter: flag,
  seed,
  dataSeed: seed,
  dataloaderDropLast: flag,
  trainSamplingStrategy: oneOf(['random', 'sequential', 'group_by_length']),
  gradientCheckpointing: flag,
  bf16: flag,
  reportTo: listOf(['none', 'tensorboard']),
  freeze: texts,
  bitfit: flag,
  lora: record,
  skipNonFinite: flag,
  progress: flag,
  threads: integer(1, 1024),
  predictWithGenerate: flag,
  generationMaxLength: count,
  generationNumBeams: integer(1, 32),
} as const;

type Given = Options<typeof schema>;

/**
 * Training arguments as they are given: all optional. Names, meanings and defaults are those of Hugging Face's TrainingArguments in
 * camelCase; docs/training.md has the table.
 */
export type TrainingArgumentsOptions = Omit<Given, 'outputDir' | 'reportTo'> & {
  /** Where checkpoints, log.jsonl and training.html go. Default: nowhere, and then nothing is written. */
  readonly outputDir?: FilePath;
  readonly reportTo?: 'none' | 'tensorboard' | readonly ('none' | 'tensorboard')[];
};

const defaults = {
  numTrainEpochs: 3,
  maxSteps: -1,
  perDeviceTrainBatchSize: 8,
  perDeviceEvalBatchSize: 8,
  gradientAccumulationSteps: 1,
  learningRate: 5e-5,
  weightDecay: 0,
  adamBeta1: 0.9,
  adamBeta2: 0.999,
  adamEpsilon: 1e-8,
  maxGradNorm: 1,
  lrSchedulerType: 'linear' as SchedulerType,
  lrSchedulerKwargs: {} as Readonly<Record<string, unknown>>,
  warmupSteps: 0,
  labelSmoothingFactor: 0,
  loggingStrategy: 'steps' as IntervalStrategy,
  loggingSteps: 500,
  loggingFirstStep: false,
  evalStrategy: 'no' as IntervalStrategy,
  evalDelay: 0,
  evalOnStart: false,
  saveStrategy: 'steps' as SaveStrategy,
  saveSteps: 500,
  saveOnlyModel: false,
  saveDtype: 'fp32' as SaveDtype,
  loadBestModelAtEnd: false,
  seed: 42,
  dataloaderDropLast: false,
  trainSamplingStrategy: 'random' as 'random' | 'sequential' | 'group_by_length',
  gradientCheckpointing: false,
  bf16: false,
  reportTo: [] as readonly ('none' | 'tensorboard')[],
  freeze: [] as readonly string[],
  bitfit: false,
  skipNonFinite: false,
  progress: true,
  predictWithGenerate: false,
};

/** All arguments of a training, checked, with their defaults. */
export type TrainingArguments = Readonly<typeof defaults> &
  Omit<Given, keyof typeof defaults | 'greaterIsBetter' | 'dataSeed' | 'evalSteps'> & {
    readonly evalSteps: number;
    readonly dataSeed: number;
    readonly greaterIsBetter: boolean;
  };

/** The arguments' names, in the order of docs/training.md. */
export const trainingArgumentNames = Object.keys(schema) as readonly (keyof TrainingArgumentsOptions)[];

/**
 * Checks training arguments and fills in Hugging Face's defaults.
 *
 * Errors: INVALID_OPTION for a name that is unknown (with the one probably meant) or that means nothing here (with the reason), for a value
 * that does not fit, and for arguments that contradict each other.
 */
export function trainingArguments(options: TrainingArgumentsOptions = {}): TrainingArguments {
  if (options !== null && typeof options === 'object') refuseForeign(options);
  const given = readOptions('trainingArguments', options, schema);
  const followsMetric =
    given.loadBestModelAtEnd === true || given.lrSchedulerType === 'reduce_lr_on_plateau' || given.saveStrategy === 'best';
  const metricForBestModel = given.metricForBestModel ?? (followsMetric ? 'loss' : undefined);
  const args: TrainingArguments = {
    ...defaults,
    ...given,
    reportTo: (given.reportTo ?? []).filter((each) => each !== 'none'),
    evalSteps: given.evalSteps ?? given.loggingSteps ?? defaults.loggingSteps,
    dataSeed: given.dataSeed ?? given.seed ?? defaults.seed,
    ...(metricForBestModel === undefined ? {} : { metricForBestModel }),
    greaterIsBetter: given.greaterIsBetter ?? !(metricForBestModel ?? 'loss').endsWith('loss'),
  };
  checkTogether(args);
  return Object.freeze(args);
}

/** The learning rate of each update of a run by the number of updates made; undefined where it follows metrics. */
export function learningRates(args: TrainingArguments, shape: Omit<ScheduleShape, 'learningRate'>): ((step: number) => number) | undefined {
  if (args.lrSchedulerType === 'reduce_lr_on_plateau') return undefined;
  return schedule(args.lrSchedulerType, { ...shape, learningRate: args.learningRate }, args.lrSchedulerKwargs);
}

function refuseForeign(options: object): void {
  for (const key of Object.keys(options)) {
    const name = key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (Object.hasOwn(refusedArguments, name)) {
      const hint = `${name} means nothing here: ${refusedArguments[name]}.`;
      throw unexpected('INVALID_OPTION', 'a known option of trainingArguments', JSON.stringify(key), { hint });
    }
  }
}

/** What no single argument shows. */
function checkTogether(args: TrainingArguments): void {
  const { evalStrategy, saveStrategy, lrSchedulerType } = args;
  if (args.loadBestModelAtEnd) {
    requireThat(evalStrategy !== 'no', 'an evalStrategy of "steps" or "epoch" for loadBestModelAtEnd', '"no"');
    const fits = saveStrategy === 'best' || saveStrategy === evalStrategy;
    requireThat(
      fits,
      'equal evalStrategy and saveStrategy (or saveStrategy "best") for loadBestModelAtEnd',
      `"${evalStrategy}" and "${saveStrategy}"`,
    );
    if (saveStrategy === 'steps') {
      const { saveSteps, evalSteps } = args;
      const multiple = evalSteps < 1 || saveSteps < 1 ? isMultiple(saveSteps * 1e6, evalSteps * 1e6) : isMultiple(saveSteps, evalSteps);
      requireThat(multiple, 'saveSteps that is a multiple of evalSteps for loadBestModelAtEnd', `${saveSteps} and ${evalSteps}`);
      requireThat(
        saveSteps < 1 === evalSteps < 1,
        'saveSteps and evalSteps both whole or both shares for loadBestModelAtEnd',
        `${saveSteps} and ${evalSteps}`,
      );
    }
    requireThat(args.outputDir !== undefined, 'an outputDir for loadBestModelAtEnd', 'none');
  }
  if (saveStrategy === 'best') requireThat(evalStrategy !== 'no', 'an evalStrategy of "steps" or "epoch" for saveStrategy "best"', '"no"');
  if (lrSchedulerType === 'reduce_lr_on_plateau') {
    requireThat(evalStrategy !== 'no', 'an evalStrategy of "steps" or "epoch" for lrSchedulerType "reduce_lr_on_plateau"', '"no"');
    plateau(args.lrSchedulerKwargs);
  } else learningRates(args, { warmupSteps: 0, maxSteps: 1 });
  const generation = (['generationMaxLength', 'generationNumBeams'] as const).find((name) => args[name] !== undefined);
  if (generation !== undefined) requireThat(args.predictWithGenerate, `predictWithGenerate for ${generation}`, 'false');
  if (args.bitfit && args.lora !== undefined) requireThat(false, 'bitfit or lora', 'both');
}

const isMultiple = (value: number, of: number): boolean => Math.abs(value / of - Math.round(value / of)) < 1e-9;

function requireThat(fits: boolean, wanted: string, got: string): void {
  if (!fits) throw unexpected('INVALID_OPTION', wanted, got);
}
