import type { NativeTraining } from '../../runtime/words/native-words.js';
import { nativeWords } from '../native-words.js';

/** How far a training is. */
export interface TrainingProgress {
  /** `read`: the corpus; `count`: GloVe counts and sorts co-occurrences; `train`. */
  readonly phase: 'read' | 'count' | 'train';
  /** Words read; of GloVe's training: records. */
  readonly done: number;
  /** Of how many; 0 while that is not known. */
  readonly of: number;
  /** From 1. */
  readonly epoch: number;
  /** The learning rate now. */
  readonly alpha: number;
  /** Mean over a sample since the last report. */
  readonly loss: number | undefined;
  readonly wordsPerSecond: number;
  readonly secondsLeft: number | undefined;
}

/** Time between two reports. */
export const kReportEveryMs = 100;

/** Tells a listener how far the training is, at most ten times a second. */
export class Reporter {
  readonly #listener: ((progress: TrainingProgress) => void) | undefined;
  #next = 0;
  #begin = performance.now();
  #phase: TrainingProgress['phase'] = 'read';
  #lossSum = 0;
  #lossCount = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(listener: ((progress: TrainingProgress) => void) | undefined) {
    this.#listener = listener;
  }

  tell(phase: TrainingProgress['phase'], done: number, of = 0, more: Partial<TrainingProgress> = {}): void {
    const now = performance.now();
    if (this.#listener === undefined || now < this.#next) return;
    if (phase !== this.#phase) [this.#phase, this.#begin] = [phase, now];
    this.#next = now + kReportEveryMs;
    const seconds = Math.max(1e-3, (now - this.#begin) / 1000);
    const wordsPerSecond = done / seconds;
    const secondsLeft = of > 0 && done > 0 ? ((of - done) / done) * seconds : undefined;
    this.#listener({ phase, done, of, epoch: 1, alpha: 0, loss: undefined, wordsPerSecond, secondsLeft, ...more });
  }

  /** What the listener threw, after which it hears no more. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Tells from a timer: `stop` is called where the listener throws. */
  tellTraining(training: NativeTraining, stop: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      this.#tellNative(training);
    } catch (error) {
      this.#failure = { error };
      stop();
    }
  }

  #tellNative(training: NativeTraining): void {
    const { done, of, epoch, rate, lossSum, lossCount } = nativeWords().trainingProgress(training);
    const loss = lossCount > this.#lossCount ? (lossSum - this.#lossSum) / (lossCount - this.#lossCount) : undefined;
    this.tell(of === 0 ? 'count' : 'train', done, of, { epoch: epoch + 1, alpha: rate, loss });
    [this.#lossSum, this.#lossCount] = [lossSum, lossCount];
  }
}
