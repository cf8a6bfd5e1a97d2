import type { ActivationName } from '../../checkpoint/activation.js';
import type { PoolingMode } from '../../checkpoint/sentence/pooling.js';
import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import type { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import type { NativeDomain, NativeInput, NativeLoss, NativeOp, RowDomain, WeightKind } from '../../runtime/native.js';
import { attentionOp, type AttentionOptions, type QueryKeyValue } from './attention.js';
import type { DropoutSite, Value, WeightRef } from './values.js';

export type { RowDomain } from '../../runtime/native.js';
export type { AttentionOptions, QueryKeyValue } from './attention.js';
export type { DropoutSite, Value, WeightRef } from './values.js';

/** A linear layer's weights: `weight` [out, in], `bias` [out]. */
export interface LinearWeights {
  readonly weight: WeightRef;
  readonly bias?: WeightRef;
}

/** A LayerNorm's weights, [width] each; some models have no bias. */
export interface NormWeights {
  readonly weight: WeightRef;
  readonly bias?: WeightRef;
}

/** Words that `pickTargets` takes from each row. */
export const TARGETS_PER_ROW = 16;

/** Options of `linear`. */
export interface LinearOptions extends Partial<DropoutSite> {
  readonly activation?: ActivationName;
  readonly residual?: Value;
  readonly scale?: number;
  /** In fp32 whatever the model's precision. */
  readonly fullPrecision?: boolean;
  /** Half as many columns: activation(first half) ∘ second half of the product's. Not beside a residual, scale or dropout. */
  readonly gated?: boolean;
}

/** A weight of a program, and the tensors that it is made of. */
export interface WeightSpec {
  readonly name: string;
  readonly kind: WeightKind;
  readonly rows: number;
  readonly cols: number;
  readonly tensors: readonly TensorInfo[];
  /** Where the tensors lie, for blocks and for a vector with zeros between them; else they are whole rows on top of each other, or values end to end. */
  readonly places?: readonly BlockPlace[];
  /** What is added to the rows while they are read. */
  readonly added?: readonly AddedProduct[];
}

/** Where in a matrix a tensor lies, and what its numbers are multiplied by (1). */
export interface BlockPlace {
  readonly rowBegin: number;
  readonly colBegin: number;
  readonly scale?: number;
}

/** scale · up [rows, rank] · down [rank, cols], for the rows from `rowBegin` on. */
export interface AddedProduct {
  readonly rowBegin: number;
  readonly up: TensorInfo;
  readonly down: TensorInfo;
  readonly scale: number;
}

/** Sizes that bound what a batch may hold. */
export interface ProgramLimits {
  readonly vocabSize: number;
  /** Token types; 0 where the model has none (then every type id must be 0). */
  readonly typeVocabSize: number;
  readonly maxSeqLen: number;
  /** Token that positions do not count, wherever it stands; it takes the row before the first one of `embed`. */
  readonly paddingId?: number;
  /** A batch may say that only the first tokens of a sequence are seen. */
  readonly countsKeys?: boolean;
  /** A decoder's tokens beside those of its encoder; `maxSeqLen` and `paddingId` as above. */
  readonly target?: { readonly vocabSize: number; readonly maxSeqLen: number; readonly paddingId?: number | undefined };
}

/** Tables of `embed`, and what is done with their rows. */
export interface EmbedOptions {
  readonly word: WeightRef;
  readonly position?: WeightRef;
  readonly type?: WeightRef;
  readonly positionOffset?: number;
  /** What the word's row is multiplied by. */
  readonly scale?: number;
  /** Positions are sines and cosines, computed, in place of a table: sin(i · 10000^(-2c / width)) in the first half of the columns, cosines in the other. */
  readonly sinusoidal?: boolean;
  /** Whose ids are looked up; those of `target` have no types, and take the first row of `type`. */
  readonly rows?: 'tokens' | 'target';
}

/** Tokens that one sequence may select: as many as native code allows rows. */
const kMostSelected = 2 ** 20;

function domainsOf({ maxSeqLen, target }: ProgramLimits): NativeDomain[] {
  const ofTarget: readonly NativeDomain[] =
    target === undefined
      ? []
      : [
          { name: 'target', kind: 'packed', offsets: 'cuTarget', minRows: 0, maxRows: target.maxSeqLen },
          { name: 'targetScores', kind: 'pairs', pairsOf: 'target' },
          { name: 'crossScores', kind: 'pairs', pairsOf: 'target', pairsWith: 'tokens' },
        ];
  return [
    { name: 'tokens', kind: 'packed', offsets: 'cuSeqlens', minRows: 1, maxRows: maxSeqLen },
    { name: 'sequences', kind: 'sequences' },
    { name: 'selected', kind: 'packed', offsets: 'cuSelected', minRows: 0, maxRows: kMostSelected },
    { name: 'scores', kind: 'pairs', pairsOf: 'tokens' },
    ...ofTarget,
  ];
}

/** A finished program, as it crosses to native code once. */
export interface Program {
  readonly domains: readonly NativeDomain[];
  readonly inputs: readonly NativeInput[];
  readonly values: readonly Value[];
  readonly weights: readonly WeightSpec[];
  readonly ops: readonly NativeOp[];
}

/** Columns of the widest attention head; 0 without attention. */
export function widestHead({ ops, values }: Program): number {
  return Math.max(0, ...ops.map((op) => (op.op === 'attention' ? values[op.output]!.width / op.numHeads : 0)));
}

/**
 * Appends fused ops and checks shapes as it goes; every error names the weight. Ops and their shapes: native/engine/program/ops.h.
 */
export class ProgramBuilder {
  readonly #domains: NativeDomain[];
  readonly #inputs: NativeInput[] = [];
  readonly #limits: ProgramLimits;
  readonly #sharesWeights: boolean;
  readonly #ids: number;
  readonly #typeIds: number;
  readonly #skip: number;
  readonly #positions: number;
  readonly #targets: number;
  readonly #keyCounts: number | undefined;
  readonly #targetIds: number | undefined;
  readonly #values: Value[] = [];
  readonly #weights: WeightSpec[] = [];
  readonly #ops: NativeOp[] = [];

  /** `sharesWeights`: what is asked for twice, of the same kind and tensors, is one weight. */
  constructor(limits: ProgramLimits, { sharesWeights = false }: { readonly sharesWeights?: boolean | undefined } = {}) {
    this.#sharesWeights = sharesWeights;
    const { vocabSize, typeVocabSize, target } = limits;
    this.#domains = domainsOf(limits);
    this.#limits = limits;
    this.#ids = this.input({ name: 'inputIds', rows: 'tokens', limit: vocabSize, required: true });
    this.#typeIds = this.input({ name: 'tokenTypeIds', rows: 'tokens', limit: Math.max(1, typeVocabSize) });
    this.#skip = this.input({ name: 'poolSkip', rows: 'sequences' });
    this.#positions = this.input({ name: 'selected', rows: 'selected', pointsInto: 'tokens', required: true });
    this.#targets = this.input({ name: 'targets', rows: 'selected', width: TARGETS_PER_ROW, limit: vocabSize, required: true });
    if (limits.countsKeys === true) this.#keyCounts = this.input({ name: 'keyCounts', rows: 'sequences', limit: limits.maxSeqLen + 1 });
    if (target !== undefined) this.#targetIds = this.input({ name: 'targetIds', rows: 'target', limit: target.vocabSize, required: true });
  }

  /** Declares numbers that come with each batch; returns the index by which ops name them. */
  input(input: NativeInput): number {
    return this.#inputs.push(input) - 1;
  }

  /** The matrix of a linear layer, [sum of rows, cols]; several tensors stack: query, key and value become one product. */
  matrix(...tensors: TensorInfo[]): WeightRef {
    return this.#weight('matrix', tensors, (tensor) => [tensor.shape[0] ?? 0, tensor.shape[1] ?? 0]);
  }

  /** A matrix of blocks, 0 elsewhere. */
  protected blocks([rows, cols]: readonly [number, number], blocks: readonly (BlockPlace & { readonly tensor: TensorInfo })[]): WeightRef {
    const tensors = blocks.map(({ tensor }) => tensor);
    const whole = this.#weight('matrix', tensors, () => [0, cols]);
    const places = blocks.map(({ rowBegin, colBegin, scale = 1 }) => ({ rowBegin, colBegin, scale }));
    this.#weights[whole.id] = { ...this.#weights[whole.id]!, rows, cols, places };
    return { ...whole, rows, cols };
  }

  /** Adds products to a matrix. */
  protected addProducts({ id }: WeightRef, added: readonly AddedProduct[]): void {
    this.#weights[id] = { ...this.#weights[id]!, added };
  }

  /** What a weight is made of. */
  protected tensorsOf({ id }: WeightRef): readonly TensorInfo[] {
    return this.#weights[id]!.tensors;
  }

  /** A lookup table, [rows, cols]. */
  table(tensor: TensorInfo): WeightRef {
    return this.#weight('table', [tensor], () => [tensor.shape[0] ?? 0, tensor.shape[1] ?? 0]);
  }

  /** A bias or LayerNorm weight, [1, n]; several tensors join end to end, a number stands for as many zeros. */
  vector(...parts: (TensorInfo | number)[]): WeightRef {
    const places: BlockPlace[] = [];
    let cols = 0;
    for (const part of parts) {
      if (typeof part !== 'number') places.push({ rowBegin: 0, colBegin: cols });
      cols += typeof part === 'number' ? part : (part.shape[0] ?? 0);
    }
    const tensors = parts.filter((part): part is TensorInfo => typeof part !== 'number');
    const whole = this.#weight('vector', tensors, (tensor) => [tensor.shape[0] ?? 0, 1]);
    const joined = { ...this.#weights[whole.id]!, rows: 1, cols, ...(tensors.length < parts.length && { places }) };
    this.#weights[whole.id] = joined;
    return { ...whole, rows: 1, cols };
  }

  /** scale · word[id] + position[i + positionOffset] + type[typeId] → [rows, hidden]. */
  embed({ word, position, type, positionOffset = 0, scale, sinusoidal, rows = 'tokens' }: EmbedOptions): Value {
    const isTarget = rows === 'target';
    const ids = isTarget ? this.#targetIds : this.#ids;
    if (ids === undefined) throw unexpected('INVALID_ARG', 'limits with a target, whose ids are looked up', 'a program without');
    const output = this.#value(rows, word.cols);
    this.#ops.push({
      op: 'embed',
      ids,
      typeIds: type === undefined || isTarget ? undefined : this.#typeIds,
      output: output.id,
      word: word.id,
      position: position?.id,
      type: type?.id,
      positionOffset,
      paddingId: (isTarget ? this.#limits.target : this.#limits)?.paddingId,
      ...(scale !== undefined && { scale }),
      ...(sinusoidal !== undefined && { sinusoidal }),
    });
    return output;
  }

  /**
   * The rows of a table, [rows, columns], as values that no batch changes: what is made of them (`linear`, `layerNorm`, `columns`, …) stays so, is computed
   * once when a model is loaded, and in each step where it learns. All constants of a program have as many rows.
   */
  constant(table: WeightRef): Value {
    const known = this.#domains.find(({ kind }) => kind === 'constant');
    if (known === undefined) this.#domains.push({ name: 'constant', kind: 'constant', maxRows: table.rows });
    else if (known.maxRows !== table.rows) throw mismatch(table, `${known.maxRows} rows`);
    return this.#append('constant', table.cols, (output) => ({ op: 'constant', output, table: table.id }));
  }

  /** dropped(activation(scale · x · weightᵀ + bias)) + residual: [rows, in] → [rows, out]; gated: [rows, out / 2]. */
  linear(x: Value, weights: LinearWeights, options: LinearOptions = {}): Value {
    const { weight, bias } = weights;
    if (weight.cols !== x.width) throw mismatch(weight, `${x.width} columns`);
    if (bias !== undefined && bias.cols !== weight.rows) throw mismatch(bias, `${weight.rows} values`);
    const { activation, residual, ...rest } = options;
    if (rest.gated === true && weight.rows % 2 !== 0) throw mismatch(weight, 'an even number of rows');
    const output = this.#value(x.rows, rest.gated === true ? weight.rows / 2 : weight.rows);
    if (residual !== undefined && residual.width !== weight.rows) throw mismatch(weight, `${residual.width} rows`);
    this.#ops.push({
      op: 'linear',
      input: x.id,
      output: output.id,
      matrix: weight.id,
      bias: bias?.id,
      activation: activation ?? 'none',
      residual: residual?.id,
      ...rest,
    });
    return output;
  }

  /**
   * Attention within each sequence: qkv [rows, 3, numHeads, headDim], or its parts → context [rows, hidden], scores per head. Rows are tokens or the target's;
   * with a query of the target and key and value of the tokens it is cross-attention.
   */
  attention(qkv: Value | QueryKeyValue, options: AttentionOptions): { context: Value; scores: Value } {
    const { query, key } = 'query' in qkv ? qkv : { query: qkv, key: qkv };
    const context = this.#value(query.rows, 'query' in qkv ? query.width : query.width / 3);
    const ofTarget = key.rows === 'target' ? 'targetScores' : 'crossScores';
    const scores = this.#value(query.rows === 'target' ? ofTarget : 'scores', options.numHeads);
    const keyCounts = query.rows === 'tokens' && options.causal !== true ? this.#keyCounts : undefined;
    this.#ops.push({ ...attentionOp(qkv, options, context, scores), keyCounts });
    return { context, scores };
  }

  /** (x - mean) / sqrt(variance + eps) · weight (+ bias), row by row. */
  layerNorm(x: Value, weights: NormWeights, eps: number): Value {
    const { weight, bias } = weights;
    if (weight.cols !== x.width) throw mismatch(weight, `${x.width} values`);
    if (bias !== undefined && bias.cols !== x.width) throw mismatch(bias, `${x.width} values`);
    const output = this.#value(x.rows, x.width);
    this.#ops.push({ op: 'layer_norm', input: x.id, output: output.id, weight: weight.id, bias: bias?.id, eps });
    return output;
  }

  /** x with each number dropped with a probability, the rest scaled to make up for it; with probability 0, x itself. */
  dropout(x: Value, probability: number, site: number): Value {
    return probability === 0 ? x : this.#append(x.rows, x.width, (output) => ({ op: 'dropout', input: x.id, output, site, probability }));
  }

  /** activation(x) + residual, element by element. */
  activate(x: Value, activation: ActivationName, residual?: Value): Value {
    return this.#append(x.rows, x.width, (output) => ({ op: 'activation', input: x.id, output, activation, residual: residual?.id }));
  }

  /** activation(a) ∘ b of x = [a, b]: [rows, 2n] → [rows, n]. */
  gate(x: Value, activation: ActivationName): Value {
    return this.#append(x.rows, x.width / 2, (output) => ({ op: 'activation', input: x.id, output, activation, gated: true }));
  }

  /** Columns begin .. begin + width: [rows, ..] → [rows, width]. */
  columns(x: Value, begin: number, width: number): Value {
    return this.#append(x.rows, width, (output) => ({ op: 'slice', input: x.id, output, begin }));
  }

  /** A loss of a value (training-ops in native/engine/program): adds to the step's loss and begins the backward. */
  loss(x: Value, op: (output: number) => NativeLoss): void {
    this.#append(x.rows, x.width, op);
  }

  /** The first token of each sequence: [tokens, width] → [sequences, width]. */
  firstTokens(x: Value): Value {
    const output = this.#value('sequences', x.width);
    this.#ops.push({ op: 'gather_rows', input: x.id, output: output.id });
    return output;
  }

  /** The token positions that each call names: [tokens, width] → [selected, width]. */
  selectedTokens(x: Value): Value {
    const output = this.#value('selected', x.width);
    this.#ops.push({ op: 'gather_rows', input: x.id, output: output.id, positions: this.#positions });
    return output;
  }

  /** One vector a sequence, the modes side by side: [tokens, width] → [sequences, width * modes]. */
  pool(x: Value, modes: readonly PoolingMode[]): Value {
    const output = this.#value('sequences', x.width * modes.length);
    const names = modes.map((mode) => (mode === 'mean_sqrt_len_tokens' ? ('mean_sqrt_len' as const) : mode));
    this.#ops.push({ op: 'pool', input: x.id, output: output.id, skip: this.#skip, modes: names });
    return output;
  }

  /** A convolution over each sequence, padded with zeros: [tokens, in] → [tokens, out]; `kernel` [out, in, size] with an odd size, `bias` [out]. */
  convolution(x: Value, kernel: TensorInfo, bias: TensorInfo): Value {
    const [rows = 0, columns = 0, size = 1] = kernel.shape;
    const weight = this.matrix({ ...kernel, shape: [rows, columns * size], rowsOf: { tensor: kernel, begin: 0 } });
    const neighbours = this.#append('tokens', x.width * size, (output) => ({ op: 'unfold', input: x.id, output, size }));
    return this.linear(neighbours, { weight, bias: this.vector(bias) });
  }

  /**
   * One vector a sequence (SPLADE): max, or sum, over its tokens of log(1 + max(x · weightᵀ + bias, 0)), of log(1 + that) for two logs:
   * [tokens, in] → [sequences, out]. The products are not kept.
   */
  poolLinear(x: Value, { weight, bias }: LinearWeights, { sums, logs }: { readonly sums: boolean; readonly logs: 1 | 2 }): Value {
    if (weight.cols !== x.width) throw mismatch(weight, `${x.width} columns`);
    if (bias !== undefined && bias.cols !== weight.rows) throw mismatch(bias, `${weight.rows} values`);
    return this.#append('sequences', weight.rows, (output) => ({
      op: 'pool_linear',
      input: x.id,
      output,
      matrix: weight.id,
      bias: bias?.id,
      sums,
      logs,
    }));
  }

  /** x / max(|x|₂, 1e-12), row by row. */
  normalize(x: Value): Value {
    const output = this.#value(x.rows, x.width);
    this.#ops.push({ op: 'normalize', input: x.id, output: output.id });
    return output;
  }

  /** [rows, n] → [rows, 1 + 2k]: log-sum-exp, the k largest in falling order, their columns. */
  topK(x: Value, k: number): Value {
    const output = this.#value(x.rows, 1 + 2 * k);
    this.#ops.push({ op: 'top_k', input: x.id, output: output.id, k });
    return output;
  }

  /** [selected, vocab] → [selected, 1 + TARGETS_PER_ROW]: log-sum-exp, then the columns that each call names for the row. */
  pickTargets(x: Value): Value {
    const output = this.#value(x.rows, 1 + TARGETS_PER_ROW);
    this.#ops.push({ op: 'pick_targets', input: x.id, output: output.id, targets: this.#targets });
    return output;
  }

  /** Runs `append`; where it throws, nothing of what it has appended stays. */
  attempt<T>(append: () => T): T {
    const lists: readonly unknown[][] = [this.#domains, this.#values, this.#weights, this.#ops];
    const lengths = lists.map(({ length }) => length);
    try {
      return append();
    } catch (error) {
      lists.forEach((list, i) => (list.length = lengths[i]!));
      throw error;
    }
  }

  build(): Program {
    return { domains: this.#domains, inputs: this.#inputs, values: this.#values, weights: this.#weights, ops: this.#ops };
  }

  #append(rows: RowDomain, width: number, op: (output: number) => NativeOp): Value {
    const output = this.#value(rows, width);
    this.#ops.push(op(output.id));
    return output;
  }

  #value(rows: RowDomain, width: number): Value {
    const value = { id: this.#values.length, rows, width };
    this.#values.push(value);
    return value;
  }

  #weight(kind: WeightKind, tensors: readonly TensorInfo[], shapeOf: (tensor: TensorInfo) => [number, number]): WeightRef {
    const name = tensors.map((tensor) => tensor.name).join(' + ');
    const shapes = tensors.map(shapeOf);
    const cols = shapes[0]?.[1] ?? 0;
    const rows = shapes.reduce((sum, shape) => sum + shape[0], 0);
    const known = this.#sharesWeights ? this.#weights.findIndex((weight) => weight.kind === kind && weight.name === name) : -1;
    if (known >= 0) return { id: known, rows, cols, name };
    this.#weights.push({ name, kind, rows, cols, tensors });
    return { id: this.#weights.length - 1, rows, cols, name };
  }
}

function mismatch(weight: WeightRef, expected: string): BerthaError {
  return unexpected('MODEL_MISMATCH', `${expected} for ${weight.name}`, `[${weight.rows}, ${weight.cols}]`);
}
