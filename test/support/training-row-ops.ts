/** A loss and d(logits) or d(embeddings). */
export interface LossAndGrad {
  readonly loss: number;
  readonly grad: Float32Array;
}

/** Where the factors of dropout come from. */
export interface NativeDropout {
  /** [low, high] 32 bits of the seed. */
  readonly key: readonly [number, number];
  readonly microStep: number;
  readonly site: number;
  readonly threshold: number;
}

/** One step of AdamW; step counts from 1. */
export interface AdamwStep {
  readonly gradScale: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly step: number;
}

/** The backward of row-wise ops, losses and updates, one at a time; native/addon/test/training_row_ops.cc and training_loss_ops.cc. */
export interface NativeTrainingRowOps {
  activationGrad(name: string, u: Float32Array, grad: Float32Array): { input: Float32Array; recomputed: Float32Array };
  /** The sums over rows for the columns before `cut` and from it on are made one after the other; without `withInput` no gradient of x. */
  layerNormGrad(
    x: Float32Array,
    weight: Float32Array,
    gradOutput: Float32Array,
    residual: Float32Array | null,
    rows: number,
    width: number,
    eps: number,
    cut: number,
    withInput: boolean,
  ): { input: Float32Array; weight: Float32Array; bias: Float32Array };
  dropout(x: Float32Array, residual: Float32Array | null, rows: number, width: number, firstRow: number, site: NativeDropout): Float32Array;
  addRows(x: Float32Array, order: Int32Array, width: number, start: Float32Array, scale: number): Float32Array;
  lookupGrad(
    gradOutput: Float32Array,
    keys: Int32Array,
    tableRows: number,
    width: number,
    keyOffset: number,
    frozenRow: number,
    scale: number,
  ): Float32Array;
  scatterRows(gradOutput: Float32Array, places: Int32Array, rows: number, width: number): Float32Array;
  add(a: Float32Array, b: Float32Array): Float32Array;
  poolGrad(
    x: Float32Array,
    cuSeqlens: Int32Array,
    width: number,
    modes: readonly string[],
    skip: Int32Array | null,
    gradOutput: Float32Array,
  ): Float32Array;
  normalizeGrad(x: Float32Array, gradOutput: Float32Array, rows: number, width: number): Float32Array;
  sumOfSquares(x: Float32Array): number;
  /** `part` numbers are updated at a time. */
  adamw(
    value: Float32Array,
    grad: Float32Array | null,
    m: Float32Array,
    v: Float32Array,
    step: AdamwStep,
    part: number,
  ): { value: Float32Array; m: Float32Array; v: Float32Array };
  crossEntropy(
    logits: Float32Array,
    labels: Int32Array,
    classWeights: Float32Array | null,
    labelSmoothing: number,
    scale: number,
  ): LossAndGrad;
  distill(
    logits: Float32Array,
    labels: Int32Array,
    classWeights: Float32Array | null,
    labelSmoothing: number,
    scale: number,
    teacher: Float32Array,
    alpha: number,
    temperature: number,
  ): LossAndGrad;
  elementLoss(kind: 'binary_cross_entropy' | 'mean_squared_error', logits: Float32Array, targets: Float32Array, scale: number): LossAndGrad;
  choiceCrossEntropy(logits: Float32Array, labels: Int32Array, choices: number, scale: number): LossAndGrad;
  spanCrossEntropy(logits: Float32Array, spans: Int32Array, cuSeqlens: Int32Array, scale: number): LossAndGrad;
  /** Columns of embeddings one after the other; the parameter is the factor of a similarity or the margin. */
  sentenceLoss(
    kind: 'in_batch_softmax' | 'cosine_similarity' | 'cosent' | 'triplet',
    embeddings: Float32Array,
    columns: number,
    width: number,
    scale: number,
    parameter: number,
    scores: Float32Array | null,
  ): LossAndGrad;
}
