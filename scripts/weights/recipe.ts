import type { Model } from '../../src/models/index.js';
import type { TrainingArgumentsOptions } from '../../src/training/index.js';
import type { LoraOptions } from '../../src/training/lora/lora.js';

/** Data that a head was trained on: a file of the shared folder, and what it may be used for. */
export interface Source {
  readonly file: string;
  readonly what: string;
  readonly licence: Licence;
}

/** Licences under which data may train what is bundled. */
export type Licence = 'CC BY 4.0' | 'CC BY-SA 3.0' | 'CC BY-SA 4.0';

/** Arguments of one run. */
export type Arguments = Pick<TrainingArgumentsOptions, 'lora' | 'learningRate' | 'threads'> & {
  readonly outputDir: string;
  readonly resumeFromCheckpoint: boolean;
};

/** How a head came to be: its data, its training, its score. */
export interface Recipe {
  /** The tasks that use it, as transformers names them. */
  readonly tasks: readonly string[];
  /** Below the bundled model's folder. */
  readonly folder: string;
  /** Of the adapter. */
  readonly licence: 'Apache-2.0' | 'CC-BY-SA-4.0';
  readonly sources: readonly Source[];
  /** Which part of the data is not trained on. */
  readonly heldOut: string;
  readonly lora: LoraOptions;
  readonly learningRate: number;
  /** Of full fine-tuning, which the head is compared with. */
  readonly fullLearningRate: number;
  /** Trains on the data in the shared folder and saves into `outputDir`. Scores are of rows that arguments may be chosen by, not of those that are reported. */
  train(shared: string, args: Arguments): Promise<Readonly<Record<string, number>>>;
  /** Scores of a model on the held-out part, each from 0 to 1; text that has to be made for it lies beside `work`. */
  score(shared: string, model: Model, work: string): Promise<Readonly<Record<string, number>>>;
  /** The least that each score must be for the head to be shipped. */
  readonly floors: Readonly<Record<string, number>>;
  /** What the model card says: what it does, and what it is good for and not. */
  readonly title: string;
  readonly goodFor: string;
  readonly notFor: string;
  readonly example: string;
}
