import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { LogEntry, TrainerState } from '../trainer/trainer-state.js';

/** What a callback may ask for. The trainer clears a wish when it has fulfilled it. */
export interface TrainerControl {
  /** End after what is due now. */
  shouldTrainingStop: boolean;
  shouldLog: boolean;
  shouldEvaluate: boolean;
  shouldSave: boolean;
}

/** What callbacks see. */
export interface CallbackContext {
  readonly args: TrainingArguments;
  readonly state: Readonly<TrainerState>;
  readonly control: TrainerControl;
}

/** What a callback keeps in checkpoints; JSON. */
export type CallbackState = Readonly<Record<string, unknown>>;

/**
 * Called by the trainer as transformers calls its TrainerCallback; a promise is waited for. What a callback throws ends training with it, the
 * weights as the last update left them.
 */
export interface TrainerCallback {
  /** Before the first step, after a checkpoint was read. */
  onTrainBegin?(context: CallbackContext): void | Promise<void>;
  /** After each update. */
  onStepEnd?(context: CallbackContext): void | Promise<void>;
  /** After the last step of an epoch. */
  onEpochEnd?(context: CallbackContext): void | Promise<void>;
  /** With each entry that goes to the log: loss, learning rate, metrics. */
  onLog?(context: CallbackContext, log: LogEntry): void | Promise<void>;
  /** After an evaluation, before the best metric is updated. */
  onEvaluate?(context: CallbackContext, metrics: Readonly<Record<string, number>>): void | Promise<void>;
  /** After a checkpoint was written. */
  onSave?(context: CallbackContext, directory: string): void | Promise<void>;
  /** After the last step, before the best model is loaded. */
  onTrainEnd?(context: CallbackContext): void | Promise<void>;
  /** Called however a call of `train` ends, also with an error. */
  onClose?(): void | Promise<void>;
  /** The name under which `save()` is kept in a checkpoint. */
  readonly name?: string;
  /** What a checkpoint keeps of it. */
  save?(): CallbackState;
  /** Takes what `save` gave when a training is resumed. */
  restore?(state: CallbackState): void;
}
