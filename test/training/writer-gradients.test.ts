// Gradients of encoder-decoders and causal decoders against central differences of the same model in float64: odd sizes, one token, several
// tiles and blocks of rows, a text without a target.
import * as assert from 'uvu/assert';
import { instructionSet } from '../support/devices.js';
import { Random } from '../support/random.js';
import { packedIds, SmallDecoder, type DecoderSizes } from '../support/small-decoder.js';
import { gradientsOf } from '../support/small-program.js';
import { suite } from '../support/suite.js';

const test = suite(`gradients of models that write ${instructionSet}`);

const vocabSize = 13;

interface Lengths {
  readonly sources?: readonly number[];
  readonly targets: readonly number[];
}

/** Texts, their batch, and the gradient that comes to the logits. */
function drawn({ sources = [], targets }: Lengths) {
  const random = new Random(3);
  const ids = (lengths: readonly number[]) => lengths.map((length) => random.integers(length, 0, vocabSize - 1));
  const [from, to] = [ids(sources), ids(targets)];
  const [source, target] = [packedIds(from), packedIds(to)];
  const batch =
    from.length === 0
      ? { inputIds: target.ids, cuSeqlens: target.offsets }
      : { inputIds: source.ids, cuSeqlens: source.offsets, targetIds: target.ids, cuTarget: target.offsets };
  return { from, to, batch, given: random.floats(target.ids.length * vocabSize) };
}

/** Σ given ∘ logits in float64, with other numbers for some tensors. */
function sumOf(model: SmallDecoder, { from, to, given }: ReturnType<typeof drawn>, moved: ReadonlyMap<string, Float64Array>): number {
  let at = 0;
  let sum = 0;
  for (const [i, target] of to.entries())
    for (const row of model.reference(from[i] ?? [], target, moved).logits) for (const logit of row) sum += given[at++]! * logit;
  return sum;
}

/** The gradients of all that has one name: a table that is looked up twice and multiplied is one tensor. */
async function gradientsByName(model: SmallDecoder, { batch, given }: ReturnType<typeof drawn>, recompute = false) {
  const weights = model.program.weights.map(({ name }) => model.numbers.get(name)!);
  const small = { program: model.program, output: model.logits, weights };
  const all = await gradientsOf(small, batch, given, recompute);
  const sums = new Map<string, Float64Array>();
  model.program.weights.forEach(({ name }, id) => {
    const sum = sums.get(name) ?? new Float64Array(all[id]!.length);
    sums.set(
      name,
      sum.map((value, i) => value + all[id]![i]!),
    );
  });
  return { all, sums };
}

const dot = (a: ArrayLike<number>, b: Float64Array): number => b.reduce((sum, value, i) => sum + value * a[i]!, 0);

/** Compares the derivative in a random direction of each tensor alone, or of all together. */
async function check(sizes: Partial<DecoderSizes>, lengths: Lengths, together = false): Promise<void> {
  const maxSeqLen = Math.max(64, ...(lengths.sources ?? []), ...lengths.targets);
  const encoderLayers = lengths.sources === undefined ? 0 : 1;
  const model = new SmallDecoder({ vocabSize, width: 21, heads: 3, inner: 13, encoderLayers, decoderLayers: 2, maxSeqLen, ...sizes });
  const texts = drawn(lengths);
  const { all, sums } = await gradientsByName(model, texts);
  const normOf = (names: readonly string[]) => Math.hypot(...names.map((name) => Math.sqrt(dot(sums.get(name)!, sums.get(name)!))));
  const names = [...sums.keys()];
  const random = new Random(4);
  for (const group of together ? [names] : names.map((name) => [name])) {
    const directions = new Map(group.map((name) => [name, Float64Array.from(random.floats(model.numbers.get(name)!.length))]));
    const moved = (step: number) =>
      new Map([...directions].map(([name, by]) => [name, by.map((each, i) => model.numbers.get(name)![i]! + step * each)]));
    const step = 1e-5;
    const expected = (sumOf(model, texts, moved(step)) - sumOf(model, texts, moved(-step))) / (2 * step);
    const actual = group.reduce((sum, name) => sum + dot(sums.get(name)!, directions.get(name)!), 0);
    const difference = Math.abs(actual - expected) / (normOf(group) + 1e-3 * normOf(names));
    assert.ok(difference <= 2e-5, `${group.join()}: ${actual}, a central difference of ${expected}, ${difference} apart`);
  }
  const again = await gradientsByName(model, texts, true);
  assert.equal(again.all, all, 'computed again');
}

test('an encoder-decoder of odd sizes, with texts of one token and one without a target', async () => {
  await check({}, { sources: [5, 1, 17, 1, 3], targets: [3, 9, 1, 1, 0] });
  await check({ width: 15, heads: 5, decoderLayers: 1 }, { sources: [2, 7], targets: [4, 6] });
});

for (const [width, heads] of [
  [33, 1],
  [34, 2],
  [64, 1],
  [9, 9],
] as const) {
  test(`heads of ${width / heads}, rows of several tiles and blocks`, () =>
    check({ width, heads, decoderLayers: 1 }, { sources: [70, 3, 131], targets: [5, 66, 67] }, true));
}

test('a causal decoder alone, of one token to several blocks', async () => {
  await check({}, { targets: [1, 2, 9, 33] });
  await check({ width: 34, heads: 2, decoderLayers: 1 }, { targets: [67, 1, 131] }, true);
});

test.run();
