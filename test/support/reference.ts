// What every op of the engine must compute, written for clarity in float64. Shapes are those of native/engine/program/ops.h.
import type { ActivationName } from '../../src/checkpoint/activation.js';
import { disentangledProducts, isSeen, slopeTerm, turned, type AttentionTerms } from './attention-terms.js';
import { unitRoundoff } from './compare.js';

/** erf and erfc to about 1e-15: the Taylor series near 0, the continued fraction (Lentz) in the tails. */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2.5) return 1 - erfSeries(x);
  if (x > 27) return 0;
  let fraction = 0;
  for (let n = 120; n >= 1; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The activations by the engine's names. */
export const activations: Readonly<Record<ActivationName, (x: number) => number>> = {
  none: (x) => x,
  gelu: (x) => 0.5 * x * erfc(-x / Math.SQRT2),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(0, x),
  silu: (x) => x * sigmoid(x),
  tanh: Math.tanh,
  sigmoid,
  quick_gelu: (x) => x * sigmoid(1.702 * x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  relu_squared: (x) => Math.max(0, x) ** 2,
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  mish: (x) => x * Math.tanh(x > 30 ? x : Math.log1p(Math.exp(x))),
};

/** Inputs of `linear`: input [m, k], weight [n, k], bias [n], residual [m, n]. */
export interface LinearInputs {
  readonly input: Float32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  readonly residual: Float32Array | null;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** activation(input · weightᵀ + bias) + residual, [m, n]; `magnitude` is the sum of what was added up, with all signs positive. */
export function linear(inputs: LinearInputs, activation: ActivationName): { output: Float64Array; magnitude: Float64Array } {
  const { input, weight, bias, residual, m, n, k } = inputs;
  const apply = activations[activation];
  const output = new Float64Array(m * n);
  const magnitude = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = bias?.[column] ?? 0;
      let size = Math.abs(sum);
      for (let i = 0; i < k; i++) {
        const product = input[row * k + i]! * weight[column * k + i]!;
        sum += product;
        size += Math.abs(product);
      }
      const at = row * n + column;
      output[at] = apply(sum) + (residual?.[at] ?? 0);
      magnitude[at] = size;
    }
  }
  return { output, magnitude };
}

/** activation(a) ∘ b of x [m, 2n] = [a, b]; `tolerance` is what an error of x of `error` becomes, with the activation's own and a slope of 1.2. */
export function gate(
  x: Float64Array,
  error: (i: number) => number,
  n: number,
  activation: ActivationName,
): { output: Float64Array; tolerance: (i: number) => number } {
  const apply = activations[activation];
  const places = (i: number) => ({ first: Math.floor(i / n) * 2 * n + (i % n), second: Math.floor(i / n) * 2 * n + n + (i % n) });
  const output = Float64Array.from({ length: x.length / 2 }, (_, i) => apply(x[places(i).first]!) * x[places(i).second]!);
  const tolerance = (i: number) => {
    const { first, second } = places(i);
    const slope = activation === 'relu_squared' ? 2 * Math.abs(x[first]!) + 1 : 1.2;
    const own = slope * error(first) + 1e-6 * Math.max(1, Math.abs(apply(x[first]!)));
    return (
      own * (Math.abs(x[second]!) + error(second)) + Math.abs(apply(x[first]!)) * error(second) + 2 * unitRoundoff * Math.abs(output[i]!)
    );
  };
  return { output, tolerance };
}

/** (x - mean) / sqrt(variance + eps) * weight + bias over each row of x [rows, width]. */
export function layerNorm(x: Float32Array, weight: Float32Array, bias: Float32Array, width: number, eps: number): Float64Array {
  const output = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    const row = x.subarray(start, start + width);
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    row.forEach((value, i) => (output[start + i] = ((value - mean) / Math.sqrt(variance + eps)) * weight[i]! + bias[i]!));
  }
  return output;
}

/** The bucket of key position - query position in MPNet's relative attention bias (bidirectional, distances to 128). */
export function relativeBucket(distance: number, buckets: number): number {
  const half = buckets / 2;
  const n = Math.abs(distance);
  const near = half / 2;
  const far = near + Math.floor((Math.log(n / near) / Math.log(128 / near)) * (half - near));
  return (distance > 0 ? half : 0) + (n < near ? n : Math.min(half - 1, far));
}

/** Inputs of `attention`: qkv [tokens, 3, heads, headDim], relativeBias [buckets, heads]. */
export interface AttentionInputs {
  readonly qkv: Float32Array;
  readonly cuSeqlens: Int32Array;
  readonly heads: number;
  readonly headDim: number;
  readonly scale: number;
  readonly relativeBias: Float32Array | null;
  readonly terms?: AttentionTerms;
}

/** What errors are relative to: a number that turns has an error of its pair's length, which it may be far below. */
function sizesOf(qkv: Float64Array, { headDim, terms = {} }: AttentionInputs): Float64Array {
  const pairs = terms.inverseFrequencies?.length ?? 0;
  const pairLength = (start: number, i: number) => 2 * Math.hypot(qkv[start + (i % pairs)]!, qkv[start + (i % pairs) + pairs]!);
  return qkv.map((value, at) => (at % headDim < 2 * pairs ? pairLength(at - (at % headDim), at % headDim) : Math.abs(value)));
}

/**
 * softmax(q · kᵀ * scale + bias) · v in each sequence and head: `output` [tokens, heads * headDim], `scores` ragged [heads, s, s] per
 * sequence. The tolerances are what float32 costs: `dotError(k)` is the relative error of a sum of k products.
 */
export function attention(inputs: AttentionInputs, dotError: (k: number) => number) {
  const { cuSeqlens, heads, headDim, scale, relativeBias, terms = {} } = inputs;
  const qkv = turned(inputs, terms);
  const hidden = heads * headDim;
  const output = new Float64Array(qkv.length / 3);
  const outputTolerance = new Float64Array(output.length);
  const scores: number[] = [];
  const scoreTolerance: number[] = [];
  const at = (token: number, part: number, head: number) => token * 3 * hidden + part * hidden + head * headDim;
  const sizes = sizesOf(qkv, inputs);
  for (let sequence = 1; sequence < cuSeqlens.length; sequence++) {
    const begin = cuSeqlens[sequence - 1]!;
    const end = cuSeqlens[sequence]!;
    for (let head = 0; head < heads; head++) {
      for (let query = begin; query < end; query++) {
        const logits = new Float64Array(end - begin).fill(-Infinity);
        let error = 0;
        for (let key = begin; key < end; key++) {
          if (!isSeen(terms, key - query)) continue;
          let size = 0;
          let sum = 0;
          for (let i = 0; i < headDim; i++) {
            sum += qkv[at(query, 0, head) + i]! * qkv[at(key, 1, head) + i]! * scale;
            size += sizes[at(query, 0, head) + i]! * sizes[at(key, 1, head) + i]! * scale;
          }
          const place = { query: at(query, 0, head), key: at(key, 1, head), distance: query - key, head, headDim };
          for (const { table, x, row } of disentangledProducts(terms, place)) {
            for (let i = 0; i < headDim; i++) {
              sum += qkv[x + i]! * table[row + i]! * scale;
              size += Math.abs(qkv[x + i]! * table[row + i]! * scale);
            }
          }
          const bucket = relativeBias === null ? 0 : relativeBias[relativeBucket(key - query, relativeBias.length / heads) * heads + head]!;
          const bias = bucket + slopeTerm(terms, head, key - query);
          logits[key - begin] = sum + bias;
          error = Math.max(error, (size + Math.abs(bias)) * dotError(headDim + 2));
        }
        const peak = logits.reduce((a, b) => Math.max(a, b));
        const weights = logits.map((logit) => Math.exp(logit - peak));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        // Each logit, and the peak it is measured from, is off by `error`; log2(e) * distance is rounded; exp2 has an error of its own.
        const relative = weights.map((weight, j) => (weight === 0 ? 0 : 4 * error + 4 * (peak - logits[j]!) * unitRoundoff + 5e-7));
        weights.forEach((weight, j) => {
          scores.push(weight / total);
          scoreTolerance.push((weight / total) * relative[j]! + 1e-30);
        });
        for (let i = 0; i < headDim; i++) {
          let sum = 0;
          let tolerance = 1e-30;
          for (let key = begin; key < end; key++) {
            const value = (weights[key - begin]! / total) * qkv[at(key, 2, head) + i]!;
            sum += value;
            tolerance += Math.abs(value) * (relative[key - begin]! + dotError(end - begin));
          }
          output[query * hidden + head * headDim + i] = sum;
          outputTolerance[query * hidden + head * headDim + i] = tolerance;
        }
      }
    }
  }
  return { output, outputTolerance, scores, scoreTolerance };
}

/** Inputs of `embed`: tables [rows, width]; positions count from positionOffset in each sequence. */
export interface EmbedInputs {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
  readonly cuSeqlens: Int32Array;
  readonly word: Float32Array;
  readonly position: Float32Array | null;
  readonly type: Float32Array | null;
  readonly width: number;
  readonly positionOffset: number;
}

/** The sum of a token's rows in the tables, [tokens, width]. */
export function embed({ ids, typeIds, cuSeqlens, word, position, type, width, positionOffset }: EmbedInputs): Float64Array {
  const output = new Float64Array(ids.length * width);
  for (let sequence = 1; sequence < cuSeqlens.length; sequence++) {
    const begin = cuSeqlens[sequence - 1]!;
    for (let token = begin; token < cuSeqlens[sequence]!; token++) {
      for (let i = 0; i < width; i++) {
        output[token * width + i] =
          word[ids[token]! * width + i]! +
          (position?.[(token - begin + positionOffset) * width + i] ?? 0) +
          (type?.[typeIds[token]! * width + i] ?? 0);
      }
    }
  }
  return output;
}

/** One way of pooling: rows are the tokens of one sequence that count, `first` is the position of the first of them. */
const poolings: Readonly<Record<string, (column: readonly number[], first: number) => number>> = {
  mean: (column) => total(column) / column.length,
  max: (column) => Math.max(...column),
  mean_sqrt_len: (column) => total(column) / Math.sqrt(column.length),
  weightedmean: (column, first) => total(column.map((value, i) => value * (first + i + 1))) / total(column.map((_, i) => first + i + 1)),
  lasttoken: (column) => column.at(-1)!,
};

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Sentences from tokens x [tokens, width]: [sequences, modes * width]. `skip` tokens of each sequence do not count; cls is the first of the rest, or of all. */
export function pool(
  x: Float32Array,
  cuSeqlens: Int32Array,
  width: number,
  modes: readonly string[],
  skip: Int32Array | null,
): Float64Array {
  const values: number[] = [];
  for (let sequence = 1; sequence < cuSeqlens.length; sequence++) {
    const begin = cuSeqlens[sequence - 1]!;
    const end = cuSeqlens[sequence]!;
    for (const mode of modes) {
      for (let i = 0; i < width; i++) {
        const column = Array.from({ length: end - begin }, (_, token) => x[(begin + token) * width + i]!);
        const first = Math.min(skip?.[sequence - 1] ?? 0, column.length);
        if (mode === 'cls') values.push(column[first] ?? column[0]!);
        else values.push(first === column.length ? 0 : poolings[mode]!(column.slice(first), first));
      }
    }
  }
  return Float64Array.from(values);
}

/** Each row of x [rows, width] divided by its length, or by 1e-12 if that is more. */
export function normalize(x: Float32Array, width: number): Float64Array {
  const output = Float64Array.from(x);
  for (let start = 0; start < x.length; start += width) {
    const row = output.subarray(start, start + width);
    const length = Math.max(1e-12, Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)));
    row.forEach((value, i) => (row[i] = value / length));
  }
  return output;
}

/** log(Σ exp(x)) of one row. */
export function logSumExp(row: ArrayLike<number>): number {
  const values = Array.from(row);
  const peak = values.reduce((a, b) => Math.max(a, b));
  return peak + Math.log(total(values.map((value) => Math.exp(value - peak))));
}

/** The columns of the k largest values of a row, largest first; of equal values the lower column first. */
export function topColumns(row: ArrayLike<number>, k: number): number[] {
  const columns = Array.from(row, (_, column) => column);
  return columns.sort((a, b) => row[b]! - row[a]! || a - b).slice(0, k);
}
