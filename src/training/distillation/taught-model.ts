import type { SaveDtype } from '../../checkpoint/weights/narrow.js';
import type { CollatedBatch } from '../collators/collator.js';
import type { LearningModel } from '../program/learning-model.js';
import type { SnapshotOptions } from '../program/snapshot.js';
import type { EvaluatedBatch, StepResult, StepSettings, TrainableModel, TrainedTensor } from '../trainer/trainable-model.js';
import type { Model } from '../../models/model.js';
import { predictionOf, type Teacher } from './teacher.js';

/** What a model that is taught also is, for `identity`. */
type Identity = TrainableModel['identity'];

/** A model that learns from a teacher too: before each step the teacher computes the step's batches. It does not own the teacher. */
export class TaughtModel implements TrainableModel {
  readonly identity: Identity;
  readonly #student: LearningModel;
  readonly #teacher: Teacher;
  readonly #isSentence: boolean;

  /** `lesson` is what of the teacher is learned, for checkpoints: another lesson is another run. */
  constructor(
    student: LearningModel,
    teacher: Teacher,
    { isSentence, lesson }: { readonly isSentence: boolean; readonly lesson: Identity },
  ) {
    this.#student = student;
    this.#teacher = teacher;
    this.#isSentence = isSentence;
    this.identity = { ...student.identity, ...lesson };
  }

  get model(): Model {
    return this.#student.model;
  }

  get tensors(): readonly TrainedTensor[] {
    return this.#student.tensors;
  }

  get weightsFile(): string {
    return this.#student.weightsFile;
  }

  async step(batches: readonly CollatedBatch[], settings: StepSettings): Promise<StepResult> {
    const taught: CollatedBatch[] = [];
    for (const batch of batches) taught.push({ ...batch, batch: await this.#teacher.teach(batch.batch, settings.signal) });
    return this.#student.step(taught, settings);
  }

  /** Of sentence vectors the loss is the mean squared error to the teacher's, of heads that of the labels. */
  async evaluate(batch: CollatedBatch, options: { readonly signal?: AbortSignal } = {}): Promise<EvaluatedBatch> {
    if (!this.#isSentence) return this.#student.evaluate(batch, options);
    const { signal } = options;
    const vector = predictionOf(this.model, 'sentence-embedding');
    const [vectors] = await this.model.session.run(batch.batch, [vector], { signal, priority: 'bulk' });
    const { teacher } = await this.#teacher.teach(batch.batch, signal);
    const sum = vectors!.reduce((total, value, i) => total + (value - teacher[i]!) ** 2, 0);
    return { losses: [sum / vector.width], numItems: batch.numItems, ...batch.read(vectors!) };
  }

  save(directory: string, options?: { readonly dtype?: SaveDtype }): Promise<void> {
    return this.#student.save(directory, options);
  }

  snapshot(options?: SnapshotOptions): Promise<Model> {
    return this.#student.snapshot(options);
  }

  memoryUsage(): ReturnType<TrainableModel['memoryUsage']> {
    return this.#student.memoryUsage();
  }

  dispose(): void {
    this.#student.dispose();
  }
}
