import type { Model } from '../../models/model.js';
import type { SaveDtype } from '../../checkpoint/weights/narrow.js';
import type { CollatedBatch } from '../collators/collator.js';
import type { SnapshotOptions } from '../program/snapshot.js';

// What the trainer asks of a model: the one thing between the loop (this folder) and the programs of the heads (../program).

/** The numbers of one update. */
export interface StepSettings {
  readonly learningRate: number;
  /** From 1: AdamW's bias correction. */
  readonly step: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 0: no clipping. */
  readonly maxGradNorm: number;
  /** Sums over the step's micro-batches. */
  readonly numItems: readonly number[];
  /** The number of the first micro-batch in the whole run: the masks of dropout depend on it. The next one's is one more. */
  readonly microStep: number;
  readonly signal?: AbortSignal;
}

/** What an update did. */
export interface StepResult {
  /** Mean over what counts, all losses together. */
  readonly loss: number;
  /** Before clipping. */
  readonly gradNorm: number;
}

/** What an evaluation of one batch gives. */
export interface EvaluatedBatch {
  /** Each loss summed over its items, times its weight, without dropout; empty for a batch without labels. */
  readonly losses: readonly number[];
  /** What counts in each loss. */
  readonly numItems: readonly number[];
  /** What `CollatedBatch.read` makes of the head's logits: one entry a row. */
  readonly predictions: readonly unknown[];
  /** The labels of each row, in the form of the predictions; empty without labels. */
  readonly labels: readonly unknown[];
}

/** What a trained tensor has beside its value. */
export type TensorKind = 'value' | 'expAvg' | 'expAvgSq';

/** A tensor that is trained, under the name that a saved checkpoint has for it. */
export interface TrainedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Where a saved directory has it, if not under its name in `weightsFile`. */
  readonly stored?: { readonly file: string; readonly name: string };
  /** Row-major. */
  read(kind: TensorKind): Promise<Float32Array>;
  /** Takes all values of the tensor, row-major; errors: INVALID_ARG for another number of them. */
  write(kind: TensorKind, values: Float32Array): Promise<void>;
}

/** A model that learns. One call at a time. */
export interface TrainableModel<Batch extends CollatedBatch = CollatedBatch> {
  /**
   * One update over micro-batches; all weights change or none.
   *
   * Errors: NON_FINITE (weights untouched), ABORTED, OUT_OF_MEMORY, DISPOSED.
   */
  step(batches: readonly Batch[], settings: StepSettings): Promise<StepResult>;
  /** A forward of the live weights without dropout. Errors: ABORTED, DISPOSED. */
  evaluate(batch: Batch, options: { readonly signal?: AbortSignal }): Promise<EvaluatedBatch>;
  /** All that is trained. A tied decoder's table is there once. */
  readonly tensors: readonly TrainedTensor[];
  /** The file of a saved directory that holds `tensors`: "model.safetensors", or "adapter_model.safetensors" with LoRA. */
  readonly weightsFile: string;
  /** What must be equal to go on with a checkpoint: task, sizes, names … */
  readonly identity: Readonly<Record<string, string | number | boolean>>;
  /** Writes all files of a model (config.json, weights, tokenizer, sentence modules) into a directory that exists; float32 unless `dtype` says otherwise. Errors: IO. */
  save(directory: string, options?: { readonly dtype?: SaveDtype }): Promise<void>;
  /** An ordinary model whose session computes with the live weights between steps. */
  readonly model: Model;
  /** An independent model with a copy of the weights as they are now, in memory. */
  snapshot(options?: SnapshotOptions): Promise<Model>;
  /** Bytes of weights, gradients and moments, and of activations. */
  memoryUsage(): { readonly weightBytes: number; readonly workspaceBytes: number };
  /** Gives back its memory; later calls give DISPOSED. */
  dispose(): void;
}

/** What is made for a model that has just been loaded. Where that throws, nobody else will give the model's memory back. */
export function madeFor<T>(model: { dispose(): void }, make: () => T): T {
  try {
    return make();
  } catch (error) {
    model.dispose();
    throw error;
  }
}
