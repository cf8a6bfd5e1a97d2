/** The addon's exports, as native/addon/exports.cc defines them. Nothing here is public. */
import type { BatchInputs, PackedBatch } from './batch.js';
import type { NativeGenerated, NativeText, TakeIds } from './generation/native-generation.js';
import type { NativeLearn } from './native-learn.js';
import type { NativeWords } from './words/native-words.js';
import type { NativeActivation, NativeEmbedOp, NativeFamilyOp, NativeScales } from './ops/native-ops.js';
import type { IsaReport, NativeMemory, SchedulerStats, ThreadsReport } from './native-stats.js';

/**
 * What one row of a value stands for: a packed token, a decoder's packed token, a sequence, a token position the caller names, (ragged) attention scores of
 * tokens, of a decoder's tokens, of these with the encoder's, or of weights alone.
 */
export type RowDomain = 'tokens' | 'target' | 'sequences' | 'selected' | 'scores' | 'targetScores' | 'crossScores' | 'constant';

/** Rows of values and inputs; native/engine/program/program.h says what the kinds mean. */
export interface NativeDomain {
  readonly name: RowDomain;
  readonly kind: 'packed' | 'sequences' | 'pairs' | 'constant';
  /** Of packed rows: the field of a batch, [batchSize + 1], that says where each sequence begins. */
  readonly offsets?: keyof PackedBatch;
  /** The packed rows that pairs are made of; keys of other rows than the queries. */
  readonly pairsOf?: RowDomain;
  readonly pairsWith?: RowDomain;
  /** Packed rows of one sequence; `maxRows` constant rows. */
  readonly minRows?: number;
  readonly maxRows?: number;
}

/** What only programs that learn read of a batch. */
export type TrainingInput = 'labels' | 'sentenceLabels' | 'spans' | 'numbers' | 'teacher' | 'gradient';

/** What a state of a student is compared with; a batch has as many as the program declares. */
export type TeacherState = `teacherState${number}`;

/** Numbers that come with each batch, [rows, width], from 0 to limit - 1; without a limit not bounded. All 0 where a batch has none. */
export interface NativeInput {
  /** The field of a batch. */
  readonly name: keyof PackedBatch | TrainingInput | TeacherState;
  readonly rows: RowDomain;
  readonly width?: number;
  readonly limit?: number;
  /** The least number; 0 where absent. */
  readonly minimum?: number;
  /** Floats travel as they are, without bounds. Default int32. */
  readonly dtype?: 'int32' | 'float32';
  /** The numbers are rows of it, counted within the row's own sequence. */
  readonly pointsInto?: RowDomain;
  /** A batch must have it where an op takes it. */
  readonly required?: boolean;
}

/** A value of a program, [rows, width]. */
export interface NativeValue {
  readonly rows: RowDomain;
  readonly width: number;
}

/** How `pool` makes one row of a sequence's rows. */
export type NativePoolMode = 'cls' | 'mean' | 'max' | 'mean_sqrt_len' | 'weightedmean' | 'lasttoken';

/**
 * An op of a program. Numbers are indices of inputs, values, weights, or options; native/engine/program/ops.h says what each op computes and which shapes
 * it takes, under the same names.
 */
export type NativeOp =
  | NativeEmbedOp
  | {
      readonly op: 'linear';
      readonly input: number;
      readonly output: number;
      readonly residual?: number | undefined;
      readonly matrix: number;
      readonly bias?: number | undefined;
      readonly inputScale?: number | undefined;
      readonly activation: NativeActivation;
      readonly scale?: number | undefined;
      readonly fullPrecision?: boolean | undefined;
      readonly gated?: boolean | undefined;
      readonly dropoutSite?: number | undefined;
      readonly dropout?: number | undefined;
    }
  | {
      readonly op: 'attention';
      readonly query: number;
      readonly key?: number | undefined;
      readonly value?: number | undefined;
      readonly output: number;
      readonly scores?: number | undefined;
      readonly keyCounts?: number | undefined;
      readonly relativeBias?: number | undefined;
      readonly slopes?: readonly number[] | undefined;
      readonly numHeads: number;
      readonly numKeyHeads?: number | undefined;
      readonly softmaxScale: number;
      readonly causal?: boolean | undefined;
      readonly window?: number | undefined;
      readonly inverseFrequencies?: readonly number[] | undefined;
      readonly contentToPosition?: number | undefined;
      readonly positionToContent?: number | undefined;
      readonly buckets?: readonly number[] | undefined;
      readonly dropoutSite?: number | undefined;
      readonly dropout?: number | undefined;
    }
  | {
      readonly op: 'layer_norm';
      readonly input: number;
      readonly output: number;
      readonly weight: number;
      readonly bias?: number | undefined;
      readonly eps: number;
    }
  | { readonly op: 'gather_rows'; readonly input: number; readonly output: number; readonly positions?: number | undefined }
  | {
      readonly op: 'pool';
      readonly input: number;
      readonly output: number;
      readonly skip?: number | undefined;
      readonly modes: readonly NativePoolMode[];
    }
  | { readonly op: 'normalize'; readonly input: number; readonly output: number }
  | { readonly op: 'top_k'; readonly input: number; readonly output: number; readonly k: number }
  | { readonly op: 'pick_targets'; readonly input: number; readonly output: number; readonly targets: number }
  | { readonly op: 'dropout'; readonly input: number; readonly output: number; readonly site: number; readonly probability: number }
  | NativeFamilyOp
  | { readonly op: 'slice'; readonly input: number; readonly output: number; readonly begin: number }
  | NativeLoss;

/** Where a loss counts: `weight` times its sum is divided by the step's `numItems[items]`. */
interface LossFields {
  readonly output: number;
  readonly weight?: number | undefined;
  readonly items?: number | undefined;
}

/** A loss of a program that learns; native/engine/program/training_ops.h says what each computes. */
export type NativeLoss = LossFields &
  (
    | {
        readonly op: 'cross_entropy';
        readonly logits: number;
        readonly labels: number;
        readonly labelSmoothing?: number | undefined;
        readonly classWeights?: readonly number[] | undefined;
      }
    | { readonly op: 'choice_cross_entropy'; readonly logits: number; readonly labels: number; readonly choices: number }
    | { readonly op: 'span_cross_entropy'; readonly logits: number; readonly spans: number }
    | { readonly op: 'binary_cross_entropy' | 'mean_squared_error'; readonly logits: number; readonly targets: number }
    | {
        readonly op: 'distill';
        readonly logits: number;
        readonly labels: number;
        readonly teacher: number;
        readonly alpha: number;
        readonly temperature: number;
      }
    | { readonly op: 'in_batch_softmax'; readonly embeddings: number; readonly columns: number; readonly scale: number }
    | { readonly op: 'cosine_similarity'; readonly embeddings: number; readonly scores: number }
    | { readonly op: 'cosent'; readonly embeddings: number; readonly scores: number; readonly scale: number }
    | { readonly op: 'triplet'; readonly embeddings: number; readonly margin: number }
    | { readonly op: 'given'; readonly value: number; readonly gradient: number }
  );

/** Rows of a weight as a file stores them. */
export interface NativeWeightPart extends NativeScales {
  readonly fd: number;
  /** Bytes into the file. */
  readonly offset: number;
  readonly dtype: 'F32' | 'F16' | 'BF16' | 'F64' | 'I8';
  /** The first row of the weight that the part holds; of a vector: the first value. */
  readonly rowBegin: number;
  readonly rows: number;
  /** The tensor's name, for errors. */
  readonly name: string;
  /** A block of columns: where it begins, and its width; the rest of the rows is 0. */
  readonly colBegin?: number;
  readonly cols?: number;
  /** What its numbers are multiplied by; 1. */
  readonly scale?: number;
}

/** What is added to the rows of a matrix from `up.rowBegin` on: scale · up [rows, rank] · down [rank, cols]; both say their `cols`. */
export interface NativeAddedProduct {
  readonly up: NativeWeightPart;
  readonly down: NativeWeightPart;
  readonly scale: number;
}

/** How a weight is used decides how it is stored. */
export type WeightKind = 'matrix' | 'table' | 'vector';

/** A weight of a program, [rows, cols], and the parts of files that it is read from. */
export interface NativeWeight {
  readonly name: string;
  readonly kind: WeightKind;
  readonly rows: number;
  readonly cols: number;
  readonly parts: readonly NativeWeightPart[];
  readonly added?: readonly NativeAddedProduct[];
}

/** A model as data, as it crosses to native code once; native/engine/program/program.h. */
export interface NativeProgram {
  /** The first are packed tokens, by which batches are measured. */
  readonly domains: readonly NativeDomain[];
  readonly inputs: readonly NativeInput[];
  readonly values: readonly NativeValue[];
  readonly weights: readonly NativeWeight[];
  readonly ops: readonly NativeOp[];
}

/** A rectangle of a weight. */
export interface NativeBlock {
  readonly rowBegin: number;
  readonly rows: number;
  readonly colBegin: number;
  readonly cols: number;
}

/** How a weight learns. */
export interface NativeTrainingWeight {
  readonly trainable: boolean;
  /** Weight decay applies to it. */
  readonly decay: boolean;
  /** A row that lookups give no gradient: of padding. */
  readonly frozenRow?: number | undefined;
  /** The same numbers as an earlier weight, a table: the matrix of a tied decoder. */
  readonly tiedTo?: number | undefined;
  /** What of it learns; absent: all of it. */
  readonly blocks?: readonly NativeBlock[] | undefined;
}

/** A program that learns. A weight without parts is all zeros until it is written. */
export interface NativeTrainingProgram extends NativeProgram {
  readonly training: {
    readonly weights: readonly NativeTrainingWeight[];
    /** Chunks of a micro-batch are cut at multiples of it; 0: a micro-batch is one chunk. */
    readonly sequencesPerGroup: number;
    /** Programs that learn with the same weights, by index: one for each further head. */
    readonly others?: readonly (NativeProgram & { readonly sequencesPerGroup: number })[] | undefined;
  };
}

/** A program, and where and how it is to compute. */
export interface NativeLoadOptions extends NativeProgram {
  readonly device: string;
  readonly precision: string;
  readonly threads?: number | undefined;
  /** Keeps packed weights in files there, those of `cacheModel`, a path. */
  readonly cacheDirectory?: string | undefined;
  readonly cacheModel?: string | undefined;
}

/** A batch as it crosses to native code. */
export interface NativeBatch extends BatchInputs {
  readonly outputs: Int32Array;
  readonly bulk?: boolean | undefined;
  readonly group?: number | undefined;
  readonly deadlineMs?: number | undefined;
}

export interface NativeResult {
  outputs: Float32Array[];
  readonly queuedMs: number;
  readonly computeMs: number;
}

/** What became of the cache that `load` was asked to use. */
export interface NativeWeightCache {
  readonly path: string;
  readonly outcome: 'hit' | 'stored' | 'failed' | 'unused';
  /** '' when all went well. */
  readonly problem: string;
}

export interface NativeModel {
  /** Absent where no cache could be used. */
  readonly weightCache?: NativeWeightCache;
  run(batch: NativeBatch, id: number): Promise<NativeResult>;
  runSync(batch: NativeBatch): NativeResult;
  generate(text: NativeText, id: number, takeIds: TakeIds | undefined): Promise<NativeGenerated>;
  cancel(id: number): void;
  dispose(): void;
  memoryUsage(): NativeMemory;
}

/** What a weight that learns has: its value, its gradient, AdamW's two moments. */
export type NativeTensorKind = 'value' | 'gradient' | 'expAvg' | 'expAvgSq';

/** Where and how a program learns. */
export interface NativeTrainerOptions {
  readonly threads?: number | undefined;
  readonly precision: 'fp32' | 'bf16';
  /** Of dropout: low and high 32 bits. */
  readonly seed: readonly [number, number];
  /** Compute a layer's forward again for its backward instead of keeping it. */
  readonly recompute?: boolean | undefined;
  /** Sum products and norms in float64, with 'fp32'; for small models, as it takes several times as long. */
  readonly exactSums?: boolean | undefined;
}

/** A packed batch with what the losses read of it. */
export type NativeMicroBatch = PackedBatch & Readonly<Partial<Record<TrainingInput, Int32Array | Float32Array>>>;

/** The gradients of micro-batches. */
export interface NativeAccumulation {
  /** The program that they are for: 0 (default), then `others`. */
  readonly program?: number | undefined;
  /** What counts in each loss, in all micro-batches of the step together. */
  readonly numItems: readonly number[];
  /** Number of the first micro-batch, for dropout; the next one's is one more. */
  readonly microStep: number;
  /** Values wanted of each micro-batch. */
  readonly outputs?: Int32Array | undefined;
  /** Losses and outputs alone, with dropout; no gradients. */
  readonly forwardOnly?: boolean | undefined;
}

/** One update of AdamW. */
export interface NativeUpdate {
  readonly learningRate: number;
  /** From 1. */
  readonly step: number;
  /** By weight, in place of `step`: its own updates, this one included; 0: it stays as it is. */
  readonly steps?: readonly number[] | undefined;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 0: no clipping. */
  readonly maxGradNorm: number;
  /** What is clipped by it, instead of the norm of these gradients: that of several models together. */
  readonly jointNorm?: number;
}

/** What became of micro-batches. */
export interface NativeAccumulated {
  readonly loss: number;
  readonly losses: readonly number[];
  readonly tokens: number;
  readonly computeMs: number;
  /** Of each micro-batch. */
  readonly outputs: readonly (readonly Float32Array[])[];
}

/** Rows of a weight, of a vector its values, taken from one that learns; a branch of LoRA may be added to those of a matrix. */
export interface NativeLivePart {
  readonly weight: number;
  readonly begin: number;
  readonly count: number;
  /** scale · B A: A is rows of weight `a`, B columns of weight `b`, from its row `rowBegin` on. */
  readonly branch?:
    | {
        readonly a: number;
        readonly b: number;
        readonly rankBegin: number;
        readonly rank: number;
        readonly rowBegin: number;
        readonly scale: number;
      }
    | undefined;
}

/** A program to be loaded with the weights that learn as they are. */
export interface NativeSnapshot extends Omit<NativeProgram, 'weights'> {
  readonly weights: readonly (Omit<NativeWeight, 'parts'> & { readonly parts: readonly NativeLivePart[] })[];
  readonly device: string;
  readonly precision: string;
}

/** A program that learns, with its weights, gradients and moments. One call at a time. */
export interface NativeTrainer {
  step(
    batches: readonly NativeMicroBatch[],
    options: NativeAccumulation & NativeUpdate,
    id: number,
  ): Promise<NativeAccumulated & { readonly gradNorm: number }>;
  accumulate(batches: readonly NativeMicroBatch[], options: NativeAccumulation, id: number): Promise<NativeAccumulated>;
  update(options: NativeUpdate, id: number): Promise<{ readonly gradNorm: number }>;
  gradientNorm(): Promise<number>;
  zeroGradients(): void;
  /** Rows of a weight, row-major. */
  read(weight: number, kind: NativeTensorKind, rowBegin: number, rowEnd: number): Promise<Float32Array>;
  write(weight: number, kind: NativeTensorKind, rowBegin: number, values: Float32Array): Promise<void>;
  /** A model that computes with the live weights, which a program of the same weights by index reads. */
  liveModel(program: NativeProgram): NativeModel;
  /** A model of its own, with a copy of the weights. */
  snapshot(snapshot: NativeSnapshot): Promise<NativeModel>;
  cancel(id: number): void;
  memoryUsage(): NativeMemory;
  dispose(): void;
}

/** Queries in native memory, and what has been found for them so far. */
export interface NativeSearch {
  readonly brand: 'NativeSearch';
}

/** Exact search and products of vectors on the pool; native/cpu/vector_search.h says what is computed. Arrays are copied before a call returns. */
export interface NativeVectors {
  /** queries [count, width] */
  search(queries: Float32Array | Float64Array, width: number, topK: number, threshold: number, cosine: boolean): NativeSearch;
  /** Searches rows [count, width], of which the first has the index `first`. Rejects with NON_FINITE, the message being the row's index. */
  add(search: NativeSearch, rows: Float32Array | Float64Array, first: number): Promise<void>;
  /** All scores [queries, count] with rows [count, width]. */
  score(search: NativeSearch, rows: Float32Array | Float64Array): Promise<Float32Array>;
  /** Puts what was found in order. */
  finish(search: NativeSearch): Promise<void>;
  /** Matches `begin` to at most `end` of one query, best first. */
  matches(
    search: NativeSearch,
    query: number,
    begin: number,
    end: number,
  ): { readonly indices: Float64Array; readonly scores: Float64Array };
  cancel(search: NativeSearch): void;
  /** For each document the sum, over the query's rows [rows, width], of the largest product with one of its own; offsets [documents + 1]. */
  maxSim(query: Float32Array, width: number, documents: Float32Array, offsets: Int32Array): Promise<Float64Array>;
  /** The first `dims` numbers (0: all) of each vector as JSON; `isList` puts brackets around them. */
  format(vectors: readonly Float32Array[], dims: number, isList: boolean): Uint8Array;
}

export interface NativeAddon {
  readonly builder: string;
  /** Of the package it was built from. */
  readonly version: string;
  readonly compiler: string;
  load(spec: NativeLoadOptions): Promise<NativeModel>;
  loadTrainer(program: NativeTrainingProgram, options: NativeTrainerOptions): Promise<NativeTrainer>;
  isa(): IsaReport;
  threads(): ThreadsReport;
  stats(): SchedulerStats;
  /** Sets up the driver on a thread of its own, up to a second; afterwards the questions below are answered at once. Errors: THREADS. */
  findDevices(): Promise<void>;
  /** '' when the device can be used, for a program of such attention heads where they are given; else what is missing. */
  deviceProblem(device: string): string;
  deviceProblem(device: string, precision: string, headDim: number): string;
  /** CUDA devices, usable or not. */
  deviceCount(): number;
  /** Name, compute capability and memory of a device that can be used. */
  deviceDescription(device: string): string;
  allocatedBytes(): number;
  setQueueLimit(tokens: number): void;
  stopSequence(id: number, sequence: number): void;
  setMaxStateBytes(bytes: number): void;
  readonly vectors: NativeVectors;
  readonly learn: NativeLearn;
  readonly words: NativeWords;
}
