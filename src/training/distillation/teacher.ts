import { requireHead } from '../../tasks/require-head.js';
import type { Model, Value } from '../../models/index.js';
import type { PackedBatch } from '../../runtime/batch.js';
import type { TeacherState } from '../../runtime/native.js';
import type { MicroBatch } from '../collators/collator.js';
import { headsOfTask, type TrainingTask } from '../program/tasks.js';
import type { StatePair } from './state-pairs.js';

/** Tasks whose predictions a student learns. */
export const distillTasks = [
  'text-classification',
  'cross-encoder',
  'token-classification',
  'next-sentence-prediction',
  'fill-mask',
  'sentence-embedding',
] as const satisfies readonly TrainingTask[];

/** One of them. */
export type DistillTask = (typeof distillTasks)[number];

/** The value of a model that a task's predictions are made of: logits, or sentence vectors as `embed` gives them. Errors: NO_HEAD, those of `Model.values`. */
export function predictionOf(model: Model, task: DistillTask): Value {
  const [head] = headsOfTask[task];
  const { values } = model;
  if (head === undefined) return values.normalizes ? values.normalizedEmbedding : values.sentenceEmbedding;
  const found = requireHead(model, head, 'distill');
  return 'logits' in found ? found.logits : found;
}

/** A batch with what a teacher says of it: its predictions, and its states of tokens, [tokens, hidden] each. */
export type TaughtBatch = MicroBatch & { readonly teacher: Float32Array } & Readonly<Record<TeacherState, Float32Array>>;

/** What a teacher says of batches, without dropout, as inputs of a student's losses. */
export class Teacher {
  readonly #model: Model;
  readonly #values: readonly Value[];
  readonly #states: readonly StatePair[];
  readonly #asTargets: (predictions: Float32Array) => Float32Array;

  /** Errors: NO_HEAD. */
  constructor(model: Model, task: DistillTask, states: readonly StatePair[]) {
    this.#model = model;
    this.#states = states;
    this.#values = [predictionOf(model, task), ...states.map(({ teacher }) => model.values.hiddenStates[teacher]!)];
    // Several labels are learned by binary cross entropy, whose targets are probabilities.
    const isMultiLabel = task !== 'sentence-embedding' && model.config.problemType === 'multi_label_classification';
    this.#asTargets = isMultiLabel ? (logits) => logits.map((logit) => 1 / (1 + Math.exp(-logit))) : (predictions) => predictions;
  }

  /** A batch with what the teacher says of it. Errors: those of `Session.run`. */
  async teach(batch: MicroBatch, signal: AbortSignal | undefined): Promise<TaughtBatch> {
    const [predictions, ...states] = await this.#model.session.run(plainBatch(batch), this.#values, { signal, priority: 'bulk' });
    const targets = this.#states.map(({ student }, i) => [`teacherState${student}`, states[i]!] as const);
    return { ...batch, teacher: this.#asTargets(predictions!), ...Object.fromEntries(targets) };
  }
}

/** The sequences of a batch alone. */
export function plainBatch({ inputIds, tokenTypeIds, cuSeqlens, poolSkip, selected, cuSelected }: MicroBatch): PackedBatch {
  return {
    inputIds,
    tokenTypeIds,
    cuSeqlens,
    ...(poolSkip === undefined ? {} : { poolSkip }),
    ...(selected === undefined ? {} : { selected }),
    ...(cuSelected === undefined ? {} : { cuSelected }),
  };
}
