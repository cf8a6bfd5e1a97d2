import { tmpdir } from 'node:os';
import { loadTestAddon, type NativeWordOps, type TestAddon } from '../../test/support/test-addon.js';
import { check, difference, type Golden, type Outcome, type Tensor } from './read.js';

interface Step {
  readonly input: number;
  readonly center: number;
  readonly target: number;
  readonly window: readonly number[];
  readonly sources: readonly number[];
  readonly negatives: readonly number[] | null;
  readonly rate: number;
  readonly word: number;
  readonly context: number;
  readonly count: number;
}

interface TraceCase {
  readonly kind: string;
  readonly steps: readonly Step[];
  readonly eta: number;
  readonly alpha: number;
  readonly xMax: number;
  readonly clip: number;
  readonly meanCost: number;
  readonly counts: readonly number[] & readonly (readonly [number, number, number])[];
  readonly power: number;
  readonly sample: number;
  readonly probabilities: readonly number[];
  readonly word2vec: readonly number[];
  readonly codes: readonly (readonly number[])[];
  readonly points: readonly (readonly number[])[];
  readonly lines: readonly string[];
  readonly window: number;
  readonly symmetric: boolean;
  readonly distanceWeighting: boolean;
  readonly minCount: number;
  readonly vocabulary: readonly string[];
}

interface TraceFile {
  readonly codes: readonly (readonly number[])[];
  readonly points: readonly (readonly number[])[];
  readonly dimensions: number;
  readonly cases: readonly TraceCase[];
}

type Tensors = ReadonlyMap<string, Tensor>;

/** traces/: single steps of the kernels, samplers, trees and counts. */
export async function traces(golden: Golden, outcome: Outcome): Promise<void> {
  const addon = loadTestAddon();
  const file = golden.json<TraceFile>('traces/cases.json');
  const tensors = await golden.tensors('traces/expected.safetensors');
  for (const item of file.cases) {
    if (item.kind.startsWith('glove')) replayGlove(addon.wordOps, item, tensors, outcome);
    else if (item.kind === 'cooccurrence') await compareCounts(addon, item, outcome);
    else if (item.kind === 'negativeDistribution') {
      const got = addon.wordOps.negativeProbabilities(Int32Array.from(item.counts as readonly number[]), item.power);
      check(outcome, `negatives to the power ${item.power}`, difference(got, item.probabilities) <= 1e-8);
    } else if (item.kind === 'keepProbability') {
      const got = addon.wordOps.keepProbabilities(Int32Array.from(item.counts as readonly number[]), item.sample);
      check(outcome, `kept with sample ${item.sample}`, difference(got, item.word2vec) <= 1e-12);
    } else if (item.kind === 'huffman') compareTree(addon.wordOps, item, outcome);
    else replay(addon.wordOps, file, item, tensors, outcome);
  }
}

/** float32 kernels against float64 steps. */
function isNear(got: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  return Array.from(expected).every((value, i) => Math.abs(got[i]! - value) <= 2e-6 * Math.max(1, Math.abs(value)));
}

/** Steps of skip-gram, CBOW and fastText, each from the weights that the float64 trace had before it. */
function replay(ops: NativeWordOps, { codes, points, dimensions }: TraceFile, item: TraceCase, tensors: Tensors, outcome: Outcome): void {
  const { kind, steps } = item;
  const isPair = kind.startsWith('skipgram') && !kind.startsWith('skipgram-shared');
  const step = kind.startsWith('skipgram-shared') ? ops.windowStep : ops.hiddenStep;
  let input = Float32Array.from(tensors.get(`${kind}.input`)!.data);
  let output = Float32Array.from(tensors.get(`${kind}.output`)!.data);
  steps.forEach((own, i) => {
    const word = kind.startsWith('fasttext') || isPair ? own.target : own.center;
    const sources = isPair ? [own.input] : (own.sources ?? own.window);
    const isTree = kind.includes('hierarchical');
    const negatives = (own.negatives ?? []).filter((negative) => negative !== word);
    const targets = isTree ? points[word]! : [word, ...negatives];
    const labels = isTree ? codes[word]!.map((code) => 1 - code) : targets.map((_, j) => (j === 0 ? 1 : 0));
    const after = step(input, output, dimensions, Int32Array.from(sources), Int32Array.from(targets), Float32Array.from(labels), own.rate);
    const [wantedInput, wantedOutput] = ['input', 'output'].map((name) => tensors.get(`${kind}.${i}.${name}`)!);
    const row = wantedInput!.data.length === dimensions ? own.input * dimensions : 0;
    const got = after.input.subarray(row, row + wantedInput!.data.length);
    check(outcome, `${kind} step ${i} input`, isNear(got, wantedInput!.data), String(difference(got, wantedInput!.data)));
    check(
      outcome,
      `${kind} step ${i} output`,
      isNear(after.output, wantedOutput!.data),
      String(difference(after.output, wantedOutput!.data)),
    );
    [input, output] = [after.input as Float32Array<ArrayBuffer>, after.output as Float32Array<ArrayBuffer>];
    input.set(wantedInput!.data, row);
    output.set(wantedOutput!.data);
  });
}

/** A row of a table and its bias behind it. */
class BiasedRows {
  readonly rows: number[][];
  constructor(
    { data }: Tensor,
    biases: Tensor,
    readonly dimensions: number,
  ) {
    this.rows = biases.data.map((bias, i) => [...data.slice(i * dimensions, (i + 1) * dimensions), bias]);
  }
  vectors(): number[] {
    return this.rows.flatMap((row) => row.slice(0, -1));
  }
  biases(): number[] {
    return this.rows.map((row) => row.at(-1)!);
  }
}

function replayGlove(ops: NativeWordOps, item: TraceCase, tensors: Tensors, outcome: Outcome): void {
  const { kind, steps, eta, alpha, xMax, clip } = item;
  const tensor = (name: string): Tensor => tensors.get(`${kind}.${name}`)!;
  const dimensions = tensor('word').shape[1]!;
  const words = new BiasedRows(tensor('word'), tensor('word_bias'), dimensions);
  const contexts = new BiasedRows(tensor('context'), tensor('context_bias'), dimensions);
  const sums = [words, contexts].map(({ rows }) => rows.map((row) => row.map(() => 1)));
  let cost = 0;
  steps.forEach(({ word, context, count }, i) => {
    const weight = Math.min(1, (count / xMax) ** alpha);
    const [a, b, c, d] = [words.rows[word]!, sums[0]![word]!, contexts.rows[context]!, sums[1]![context]!].map((row) =>
      Float32Array.from(row),
    );
    const after = ops.gloveStep(a!, b!, c!, d!, Math.log(count), weight, eta, clip);
    [words.rows[word], contexts.rows[context]] = [Array.from(after.word), Array.from(after.context)];
    [sums[0]![word], sums[1]![context]] = [Array.from(after.wordSums), Array.from(after.contextSums)];
    cost += 0.5 * after.cost;
    const got = [...after.word.subarray(0, -1), ...after.context.subarray(0, -1), after.word.at(-1)!, after.context.at(-1)!];
    const wanted = ['word', 'context', 'biases'].flatMap((name) => tensor(`${i}.${name}`).data);
    check(outcome, `${kind} step ${i}`, isNear(got, wanted), String(difference(got, wanted)));
  });
  check(outcome, `${kind} cost`, isNear([cost / steps.length], [item.meanCost]), `${cost / steps.length}, expected ${item.meanCost}`);
  const finals: readonly (readonly [string, number[]])[] = [
    ['word', words.vectors()],
    ['context', contexts.vectors()],
    ['word_bias', words.biases()],
    ['context_bias', contexts.biases()],
    ['sums.word', sums[0]!.flatMap((row) => row.slice(0, -1))],
    ['sums.context', sums[1]!.flatMap((row) => row.slice(0, -1))],
    ['sums.word_bias', sums[0]!.map((row) => row.at(-1)!)],
    ['sums.context_bias', sums[1]!.map((row) => row.at(-1)!)],
  ];
  for (const [name, got] of finals) {
    const wanted = tensor(`final.${name}`).data;
    check(outcome, `${kind} final ${name}`, isNear(got, wanted), String(difference(got, wanted)));
  }
}

function compareTree(ops: NativeWordOps, { counts, codes, points }: TraceCase, outcome: Outcome): void {
  const tree = ops.huffman(Int32Array.from(counts as readonly number[]));
  const rowsOf = (values: readonly number[]): number[][] =>
    tree.begin.slice(0, -1).map((begin, i) => values.slice(begin, tree.begin[i + 1]));
  const name = `tree of ${counts.join(' ')}`;
  check(outcome, `${name} codes`, JSON.stringify(rowsOf(tree.codes)) === JSON.stringify(codes));
  check(outcome, `${name} points`, JSON.stringify(rowsOf(tree.points)) === JSON.stringify(points));
}

/** Counts by words: equal ones have another order here, that of their first appearance. */
async function compareCounts({ words: native }: TestAddon, item: TraceCase, outcome: Outcome): Promise<void> {
  const corpus = native.newCorpus(tmpdir(), 1000);
  await native.addText(corpus, new TextEncoder().encode(item.lines.join('\n')), true);
  await native.finishCorpus(corpus);
  const { window, symmetric, distanceWeighting, minCount, vocabulary } = item;
  const options = { window, symmetric, distanceWeighting, memoryBytes: 1 << 20, directory: tmpdir() };
  const { triples, words } = native.countCooccurrences(corpus, minCount, options);
  const name = `co-occurrences in a window of ${window}`;
  check(outcome, `${name} words`, [...words].sort().join(' ') === [...vocabulary].sort().join(' '), words.join(' '));
  const found = new Map<string, number>();
  for (let i = 0; i < triples.length; i += 3) found.set(`${words[triples[i]!]} ${words[triples[i + 1]!]}`, triples[i + 2]!);
  check(outcome, `${name} pairs`, found.size === item.counts.length && triples.length === 3 * item.counts.length);
  for (const [word, context, count] of item.counts as readonly (readonly [number, number, number])[]) {
    const pair = `${vocabulary[word]} ${vocabulary[context]}`;
    check(outcome, `${name}: ${pair}`, isNear([found.get(pair) ?? NaN], [count]), `${found.get(pair)}, expected ${count}`);
  }
}
