// Gradients of the engine's ops, written for clarity in float64; test/training/training-reference.test.ts holds them against central differences.
import { disentangledProducts, isSeen, slopeTerm, turned, type AttentionTerms } from './attention-terms.js';
import { dropoutFactor, type DropoutSite } from './philox.js';
import { relativeBucket } from './reference.js';

/** A linear layer and the gradient of its output: input [m, k], weight [n, k], gradOutput [m, n]. */
export interface LinearGradInputs {
  readonly input: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
  readonly gradOutput: ArrayLike<number>;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A sum of products, and the sum of their magnitudes: what rounding errors are relative to. */
export interface Sums {
  readonly values: Float64Array;
  readonly magnitudes: Float64Array;
}

/** Σ over i of a(row, i) · b(i, column), [rows, columns]. */
function sums(rows: number, columns: number, depth: number, product: (row: number, column: number, i: number) => number): Sums {
  const values = new Float64Array(rows * columns);
  const magnitudes = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      for (let i = 0; i < depth; i++) {
        const term = product(row, column, i);
        values[at] = values[at]! + term;
        magnitudes[at] = magnitudes[at]! + Math.abs(term);
      }
    }
  }
  return { values, magnitudes };
}

/** dX [m, k] = dY · W, dW [n, k] = dYᵀ · X, db [n] = Σ dY. */
export function linearGrad({ input, weight, gradOutput, m, n, k }: LinearGradInputs): { input: Sums; weight: Sums; bias: Sums } {
  return {
    input: sums(m, k, n, (row, column, i) => gradOutput[row * n + i]! * weight[i * k + column]!),
    weight: sums(n, k, m, (row, column, i) => gradOutput[i * n + row]! * input[i * k + column]!),
    bias: sums(n, 1, m, (row, _, i) => gradOutput[i * n + row]!),
  };
}

/** Attention and the gradient of its output: qkv [tokens, 3, heads, headDim], relativeBias [buckets, heads], gradOutput [tokens, heads * headDim]. */
export interface AttentionGradInputs {
  readonly qkv: ArrayLike<number>;
  readonly cuSeqlens: ArrayLike<number>;
  readonly heads: number;
  readonly headDim: number;
  readonly scale: number;
  readonly relativeBias: ArrayLike<number> | null;
  readonly gradOutput: ArrayLike<number>;
  readonly dropout: DropoutSite | null;
  readonly terms?: AttentionTerms;
}

export interface AttentionGrad {
  readonly output: Float64Array;
  /** log2 Σ 2^(score · log2 e), [tokens, heads]. */
  readonly lse: Float64Array;
  readonly qkv: Float64Array;
  readonly relativeBias: Float64Array;
  /** [heads, rows, headDim] */
  readonly contentToPosition: Float64Array;
  readonly positionToContent: Float64Array;
}

/** softmax(q · kᵀ · scale + bias) with dropout, times v, for each sequence and head, and the gradients of qkv and of the table. */
export function attentionGrad(given: AttentionGradInputs): AttentionGrad {
  const { cuSeqlens, heads, headDim, relativeBias, terms = {} } = given;
  const inputs = { ...given, qkv: turned(given, terms) };
  const { qkv } = inputs;
  const tokens = qkv.length / (3 * heads * headDim);
  const rows = terms.buckets === undefined ? 0 : terms.buckets.at(-1)! + 1;
  const result = {
    output: new Float64Array(tokens * heads * headDim),
    lse: new Float64Array(tokens * heads),
    qkv: new Float64Array(qkv.length),
    relativeBias: new Float64Array(relativeBias?.length ?? 0),
    contentToPosition: new Float64Array(rows * heads * headDim),
    positionToContent: new Float64Array(rows * heads * headDim),
  };
  for (let i = 1; i < cuSeqlens.length; i++)
    for (let head = 0; head < heads; head++)
      for (let query = cuSeqlens[i - 1]!; query < cuSeqlens[i]!; query++)
        attentionRow(inputs, head, query, cuSeqlens[i - 1]!, cuSeqlens[i]!, result);
  return { ...result, qkv: turned({ ...given, qkv: result.qkv }, terms, -1) };
}

/** One query of one head: its output, and what it adds to the gradients. */
function attentionRow(inputs: AttentionGradInputs, head: number, query: number, begin: number, end: number, result: AttentionGrad): void {
  const { qkv, heads, headDim, scale, relativeBias, gradOutput, dropout, terms = {} } = inputs;
  const at = (token: number, part: number) => ((token * 3 + part) * heads + head) * headDim;
  const outputAt = (query * heads + head) * headDim;
  const entry = (key: number) => relativeBucket(key - query, relativeBias!.length / heads) * heads + head;
  const keys = Array.from({ length: end - begin }, (_, i) => begin + i).filter((key) => isSeen(terms, key - query));
  const dot = (a: ArrayLike<number>, aAt: number, b: ArrayLike<number>, bAt: number) => {
    let sum = 0;
    for (let i = 0; i < headDim; i++) sum += a[aAt + i]! * b[bAt + i]!;
    return sum;
  };
  const products = (key: number) =>
    disentangledProducts(terms, { query: at(query, 0), key: at(key, 1), distance: query - key, head, headDim });
  const rows = terms.buckets === undefined ? 0 : terms.buckets.at(-1)! + 1;
  const bucket = (distance: number) => terms.buckets![(terms.buckets!.length >> 1) + distance]!;
  const scores = keys.map(
    (key) =>
      dot(qkv, at(query, 0), qkv, at(key, 1)) * scale +
      (relativeBias === null ? 0 : relativeBias[entry(key)]!) +
      slopeTerm(terms, head, key - query) +
      products(key).reduce((sum, { table, x, row }) => sum + dot(qkv, x, table, row) * scale, 0),
  );
  const peak = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - peak), 0);
  result.lse[query * heads + head] = peak * Math.LOG2E + Math.log2(total);
  const probabilities = scores.map((score) => Math.exp(score - peak) / total);
  const factors = keys.map((key) => (dropout === null ? 1 : dropoutFactor(dropout, query, key - begin, head)));
  const grads = keys.map((key, j) => dot(gradOutput, outputAt, qkv, at(key, 2)) * factors[j]!);
  const mean = grads.reduce((sum, grad, j) => sum + grad * probabilities[j]!, 0);
  const addTo = (target: Float64Array, place: number, source: ArrayLike<number>, sourceAt: number, factor: number) => {
    for (let i = 0; i < headDim; i++) target[place + i] = target[place + i]! + factor * source[sourceAt + i]!;
  };
  for (const [j, key] of keys.entries()) {
    const kept = probabilities[j]! * factors[j]!;
    const scoreGrad = probabilities[j]! * (grads[j]! - mean);
    addTo(result.output, outputAt, qkv, at(key, 2), kept);
    addTo(result.qkv, at(key, 2), gradOutput, outputAt, kept);
    addTo(result.qkv, at(query, 0), qkv, at(key, 1), scoreGrad * scale);
    addTo(result.qkv, at(key, 1), qkv, at(query, 0), scoreGrad * scale);
    for (const { name, table, x, row } of products(key)) {
      addTo(result.qkv, x, table, row, scoreGrad * scale);
      addTo(result[name], (head * rows + bucket(query - key)) * headDim, qkv, x, scoreGrad * scale);
    }
    if (relativeBias !== null) result.relativeBias[entry(key)] = result.relativeBias[entry(key)]! + scoreGrad;
  }
}
