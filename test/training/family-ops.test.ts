// Gated products, convolutions and norms without a bias inside a program: what they compute, and their gradients, against float64.
import { tensorOf, gradientsOf, smallBatch, smallProgram, smallSession, snapshotOf, type SmallProgram } from '../support/small-program.js';
import { assertSameBits, assertWithin } from '../support/compare.js';
import { centralDifference } from '../support/central-difference.js';
import { Random } from '../support/random.js';
import { activations } from '../support/reference.js';
import { suite } from '../support/suite.js';
import type { Session } from '../../src/runtime/session.js';

const test = suite('ops of families');

const vocabSize = 11;
const lengths = [3, 1, 6, 2];
const batch = smallBatch(vocabSize, lengths);
type Rows = readonly (readonly number[])[];

/** A convolution of three tokens with GELU beside the tokens, a gated product with SiLU, a LayerNorm without bias: [tokens, 7] → [tokens, 5]. */
const layer = (width = 7, n = 5, size = 3): SmallProgram =>
  smallProgram({ vocabSize, width }, (b, x) => {
    const neighbours = b.convolution(x, tensorOf('conv.weight', width, width, size), tensorOf('conv.bias', width));
    const convolved = b.activate(neighbours, 'gelu', x);
    const weights = { weight: b.matrix(tensorOf('gated.weight', 2 * n, width)), bias: b.vector(tensorOf('gated.bias', 2 * n)) };
    return b.layerNorm(b.linear(convolved, weights, { gated: true, activation: 'silu' }), { weight: b.vector(tensorOf('norm', n)) }, 1e-5);
  });

/** The same in float64. */
function reference(weights: readonly ArrayLike<number>[], width: number, n: number, size: number): number[][] {
  const [words, kernel, convBias, gated, gatedBias, norm] = weights as [ArrayLike<number>, ...ArrayLike<number>[]] & ArrayLike<number>[];
  const sum = (count: number, term: (i: number) => number): number =>
    Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0);
  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  return lengths.flatMap((length, sequence) => {
    const begin = batch.cuSeqlens[sequence]!;
    const x = (row: number, column: number): number =>
      row < 0 || row >= length ? 0 : words![batch.inputIds[begin + row]! * width + column]!;
    return range(length).map((row) => {
      const neighbours = (out: number): number =>
        sum(width, (c) => sum(size, (j) => kernel![(out * width + c) * size + j]! * x(row + j - (size - 1) / 2, c)));
      const convolved = range(width).map((out) => x(row, out) + activations.gelu(convBias![out]! + neighbours(out)));
      const product = range(2 * n).map((out) => gatedBias![out]! + sum(width, (c) => gated![out * width + c]! * convolved[c]!));
      const gate = range(n).map((i) => activations.silu(product[i]!) * product[n + i]!);
      const mean = sum(n, (i) => gate[i]!) / n;
      const deviation = Math.sqrt(sum(n, (i) => (gate[i]! - mean) ** 2) / n + 1e-5);
      return gate.map((value, i) => ((value - mean) / deviation) * norm![i]!);
    });
  });
}

const flat = (rows: Rows): Float64Array => Float64Array.from(rows.flat());

/** What a session computes of the batch's sequences `begin` .. `end`. */
async function run(session: Session, { output }: SmallProgram, begin = 0, end = lengths.length): Promise<Float32Array> {
  const first = batch.cuSeqlens[begin]!;
  const part = {
    inputIds: batch.inputIds.slice(first, batch.cuSeqlens[end]),
    cuSeqlens: batch.cuSeqlens.slice(begin, end + 1).map((offset) => offset - first),
  };
  return (await session.run(part, [output]))[0]!;
}

test('a layer with a convolution, a gate and a norm without bias is that of float64, live and packed', async () => {
  const small = layer();
  const expected = flat(reference(small.weights, 7, 5, 3));
  const trainer = await smallSession(small, true);
  try {
    const live = trainer.live({ ...small.program, weights: snapshotOf(small, 'fp32').weights.map((weight) => ({ ...weight, parts: [] })) });
    assertWithin(await run(live, small), expected, 2e-5, 'live');
    const packed = await trainer.snapshot(snapshotOf(small, 'fp32'));
    assertWithin(await run(packed, small), expected, 2e-5, 'packed');
    for (const precision of ['fp32', 'int8'] as const) {
      const session = await trainer.snapshot(snapshotOf(small, precision));
      const whole = await run(session, small);
      for (const [i, length] of lengths.entries()) {
        const begin = batch.cuSeqlens[i]! * 5;
        assertSameBits(await run(session, small, i, i + 1), whole.slice(begin, begin + length * 5), `${precision}, sequence ${i} alone`);
      }
      session.dispose();
    }
    packed.dispose();
  } finally {
    trainer.dispose();
  }
});

test('its gradients are those of float64, with and without recomputing', async () => {
  const small = layer();
  const given = new Random(5).floats(batch.inputIds.length * 5);
  const gradients = await gradientsOf(small, batch, given);
  small.weights.forEach((numbers, id) => {
    const loss = (moved: Float64Array): number => {
      const rows = flat(
        reference(
          small.weights.map((each, i) => (i === id ? moved : each)),
          7,
          5,
          3,
        ),
      );
      return rows.reduce((sum, value, i) => sum + value * given[i]!, 0);
    };
    const expected = centralDifference(loss, numbers);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    assertWithin(gradients[id]!, expected, 2e-5 * largest, small.program.weights[id]!.name);
  });
  const again = await gradientsOf(small, batch, given, true);
  again.forEach((each, id) => assertSameBits(each, gradients[id]!, small.program.weights[id]!.name));
});

for (const { sums, logs } of [
  { sums: false, logs: 1 },
  { sums: false, logs: 2 },
  { sums: true, logs: 1 },
  { sums: true, logs: 2 },
] as const) {
  test(`pooled products: ${sums ? 'sum' : 'max'} of ${logs} logarithm(s), whatever else is in the batch`, async () => {
    const [width, n] = [13, 421];
    const small = smallProgram({ vocabSize, width }, (b, x) => {
      const weights = { weight: b.matrix(tensorOf('decoder', n, width)), bias: b.vector(tensorOf('bias', n)) };
      return b.poolLinear(x, weights, { sums, logs });
    });
    // Its one loss is of another value: the trainer only holds the weights here.
    const holder = { ...small, output: { ...small.output, id: 0, rows: 'tokens', width } as const };
    const trainer = await smallSession({ ...holder, program: { ...small.program, ops: small.program.ops.slice(0, 1) } }, true);
    const session = await trainer.snapshot(snapshotOf(small, 'fp32'));
    const [words, decoder, bias] = small.weights;
    const f = (x: number): number => (logs === 1 ? Math.log1p(Math.max(0, x)) : Math.log1p(Math.log1p(Math.max(0, x))));
    const expected = lengths.flatMap((length, sequence) =>
      Array.from({ length: n }, (_, out) => {
        const of = Array.from({ length }, (_, row) => {
          const id = batch.inputIds[batch.cuSeqlens[sequence]! + row]!;
          let sum = bias![out]!;
          for (let c = 0; c < width; c++) sum += decoder![out * width + c]! * words![id * width + c]!;
          return f(sum);
        });
        return sums ? of.reduce((a, b) => a + b, 0) : Math.max(...of);
      }),
    );
    const whole = await run(session, small);
    assertWithin(whole, expected, 2e-5, 'all');
    for (const i of lengths.keys())
      assertSameBits(await run(session, small, i, i + 1), whole.slice(i * n, (i + 1) * n), `sequence ${i} alone`);
    session.dispose();
    trainer.dispose();
  });
}

test.run();
