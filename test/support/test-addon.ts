import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SearchSettings, Sequence } from '../../src/generation/settings.js';
import type { NativeAddon } from '../../src/runtime/native.js';
import type { termArguments } from './attention-terms.js';
import type { DropoutSite } from './philox.js';
import type { NativeTrainingRowOps } from './training-row-ops.js';

/** Other fields of an attention's op. */
export type AttentionFields = ReturnType<typeof termArguments>[0];
type AttentionTables = ReturnType<typeof termArguments>[1];

/** One op at a time on typed arrays, by the kernels of the instruction set in use. */
export interface NativeOps {
  linear(
    input: Float32Array,
    weight: Float32Array,
    bias: Float32Array | null,
    residual: Float32Array | null,
    activation: string,
    m: number,
    n: number,
    k: number,
    precision?: string,
    gated?: boolean,
  ): Float32Array;
  activation(name: string, x: Float32Array): Float32Array;
  layerNorm(x: Float32Array, weight: Float32Array, bias: Float32Array | null, rows: number, width: number, eps: number): Float32Array;
  attention(
    qkv: Float32Array,
    cuSeqlens: Int32Array,
    numHeads: number,
    headDim: number,
    scale: number,
    relativeBias: Float32Array | null,
    bf16?: boolean,
    terms?: AttentionFields,
    tables?: AttentionTables,
  ): { output: Float32Array; scores: Float32Array };
  embed(
    ids: Int32Array,
    typeIds: Int32Array,
    cuSeqlens: Int32Array,
    word: Float32Array,
    position: Float32Array | null,
    type: Float32Array | null,
    width: number,
    positionOffset: number,
  ): Float32Array;
  pool(x: Float32Array, cuSeqlens: Int32Array, width: number, modes: readonly string[], skip: Int32Array | null): Float32Array;
  normalize(x: Float32Array, rows: number, width: number): Float32Array;
  topK(x: Float32Array, rows: number, width: number, k: number): Float32Array;
  /** Multiplications and additions of one core in a second, in units of 1e9, by precision; empty for the scalar kernels. */
  peak(): Record<string, number>;
}

/** The backward of one op at a time, likewise. */
export interface NativeTrainingOps extends NativeTrainingRowOps {
  /** Gradients from input [m, k], weight [n, k] and that of the output [m, n]; `parts` of k are computed one by one, as threads would. With bf16 products also their `output`; by name: by vdpbf16ps or by FMAs. */
  linearGrad(
    input: Float32Array,
    weight: Float32Array,
    gradOutput: Float32Array,
    m: number,
    n: number,
    k: number,
    parts: number,
    bf16: boolean | 'instruction' | 'fma',
  ): { output: Float32Array; input: Float32Array; weight: Float32Array; bias: Float32Array };
  /** Forward and backward of qkv [tokens, 3, heads, headDim]; `lse` [tokens, heads] in powers of two, `qkv` and `relativeBias` gradients. */
  attentionGrad(
    qkv: Float32Array,
    cuSeqlens: Int32Array,
    numHeads: number,
    headDim: number,
    scale: number,
    relativeBias: Float32Array | null,
    gradOutput: Float32Array,
    dropout: DropoutSite | null,
    terms?: AttentionFields,
    tables?: AttentionTables,
  ): {
    output: Float32Array;
    lse: Float32Array;
    qkv: Float32Array;
    relativeBias: Float32Array;
    contentToPosition: Float32Array;
    positionToContent: Float32Array;
  };
}

/** Tables of word vectors after a step. */
export interface WordTables {
  readonly input: Float32Array;
  readonly output: Float32Array;
}

/** One step of word vectors at a time. Tables are [rows, dimensions]. */
export interface NativeWordOps {
  /**
   * Every source row of `input` with every target row of `output` as often as `times` [sources, targets] says, once by default, all products
   * from before the step. With `leavesGradients` the sources' rows are their gradients after it.
   */
  windowStep(
    input: Float32Array,
    output: Float32Array,
    dimensions: number,
    sources: Int32Array,
    targets: Int32Array,
    labels: Float32Array,
    rate: number,
    times?: Float32Array,
    leavesGradients?: boolean,
  ): WordTables;
  /** The mean of the sources with the targets, one after the other; it follows its gradient behind each of `groupEnds`. */
  hiddenStep(
    input: Float32Array,
    output: Float32Array,
    dimensions: number,
    sources: Int32Array,
    targets: Int32Array,
    labels: Float32Array,
    rate: number,
    groupEnds?: Int32Array,
  ): WordTables;
  /** The row of each n-gram, in order of appearance behind those of so many words. */
  ngramRows(words: number, hashes: Int32Array): number[];
  /** Rows are a vector and its bias. */
  gloveStep(
    word: Float32Array,
    wordSums: Float32Array,
    context: Float32Array,
    contextSums: Float32Array,
    logCount: number,
    weight: number,
    eta: number,
    clip: number,
  ): Record<'word' | 'wordSums' | 'context' | 'contextSums', Float32Array> & { readonly cost: number };
  huffman(counts: Int32Array): { readonly begin: number[]; readonly points: number[]; readonly codes: number[] };
  negativeProbabilities(counts: Int32Array, power: number): number[];
  keepProbabilities(counts: Int32Array, sample: number): number[];
}

/** The search for one text, without a model. */
export interface NativeSearch {
  /** What to run: of each row the row of the last step that it goes on from (-1: the prompt) and its token. */
  rows(): [number, number][];
  /** Takes the logits [rows, vocab] of these rows. */
  step(logits: Float32Array): void;
  end(sequence: number, reason: string): void;
  endAll(reason: string): void;
  sequences(): Sequence[];
}

/** Searches, and the numbers that they draw with. */
export interface NativeSearchOps {
  open(settings: SearchSettings, prompt: Int32Array, source: Int32Array, vocab: number): NativeSearch;
  uniform(seed: number, sequence: number, step: number, draw: number): number;
}

/** The addon with what only tests and benches need; native/addon/test/test_addon.cc. */
export interface TestAddon extends NativeAddon {
  /** The n-th native allocation from now fails, none for 0. Returns how many there were since the last call. */
  failAllocation(n: number): number;
  readonly ops: NativeOps;
  readonly searchOps: NativeSearchOps;
  readonly trainingOps: NativeTrainingOps;
  readonly wordOps: NativeWordOps;
}

/** Beside the addon that BERTHA_ADDON names, else, as packaged builds have none, in the checkout's own build. */
export const testAddonFile = [process.env['BERTHA_ADDON'], fileURLToPath(new URL('../../build/Release/bertha.node', import.meta.url))]
  .filter((file) => file !== undefined && file !== '')
  .map((file) => join(dirname(resolve(file!)), 'bertha_test.node'))
  .find((file, i, all) => i === all.length - 1 || existsSync(file))!;

/** Loads it. It shares no state with the addon that the library loads, unless BERTHA_ADDON is set to `testAddonFile` before. */
export function loadTestAddon(): TestAddon {
  return createRequire(import.meta.url)(testAddonFile) as TestAddon;
}
