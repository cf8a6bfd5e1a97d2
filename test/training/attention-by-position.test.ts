// Attention by position inside a program: tables that are constant rows, and their gradients, against float64.
import * as assert from 'uvu/assert';
import { gradientsOf, smallBatch, smallProgram, smallSession, snapshotOf, tensorOf } from '../support/small-program.js';
import type { AttentionTerms } from '../support/attention-terms.js';
import { assertSameBits, largestRelativeDifference } from '../support/compare.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { attentionGrad } from '../support/training-reference.js';

const test = suite('attention by position in programs');

const vocabSize = 13;
const lengths = [5, 1, 23, 9];
const batch = smallBatch(vocabSize, lengths);
const [heads, headDim] = [2, 6];
const hidden = heads * headDim;
const scale = 0.2;
/** Of distances to 63, clamped to eight rows. */
const buckets = Array.from({ length: 127 }, (_, i) => Math.min(7, Math.max(0, i - 63 + 4)));

/** Words are queries, keys and values, in one value or in three; two tables, or one for both and for all heads alike. */
const program = (shared: boolean, separate: boolean) =>
  smallProgram({ vocabSize, width: 3 * hidden, seed: 5 }, (b, x) => {
    const table = (name: string) => b.constant(b.table(tensorOf(name, 8, shared ? headDim : hidden)));
    const contentToPosition = table('content');
    const positionToContent = shared ? contentToPosition : table('position');
    const part = (i: number) => b.columns(x, i * hidden, hidden);
    const parts = separate ? { query: part(0), key: part(1), value: part(2) } : x;
    return b.attention(parts, { numHeads: heads, softmaxScale: scale, disentangled: { contentToPosition, positionToContent, buckets } })
      .context;
  });

function reference({ weights }: ReturnType<typeof program>, gradOutput: Float32Array) {
  const [words, contentToPosition, positionToContent = contentToPosition!] = weights as [Float32Array, Float32Array, Float32Array?];
  const width = 3 * hidden;
  const qkv = Float32Array.from(
    { length: batch.inputIds.length * width },
    (_, i) => words[batch.inputIds[Math.floor(i / width)]! * width + (i % width)]!,
  );
  const terms: AttentionTerms = { buckets, contentToPosition: contentToPosition!, positionToContent };
  const found = attentionGrad({
    qkv,
    cuSeqlens: batch.cuSeqlens,
    heads,
    headDim,
    scale,
    relativeBias: null,
    gradOutput,
    dropout: null,
    terms,
  });
  const gradWords = new Float64Array(words.length);
  found.qkv.forEach((grad, i) => (gradWords[batch.inputIds[Math.floor(i / width)]! * width + (i % width)]! += grad));
  return { ...found, gradWords };
}

/** Gradients [heads, rows, headDim] as those of a table [rows, heads * headDim]. */
const joined = (grads: Float64Array): Float64Array =>
  grads.map((_, i) => grads[((Math.floor(i / headDim) % heads) * 8 + Math.floor(i / hidden)) * headDim + (i % headDim)]!);

const isNear = (actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void => {
  const difference = largestRelativeDifference(actual, expected);
  assert.ok(difference < 2e-5, `${what} is off by ${difference}`);
};

const kinds = {
  'disentangled scores': [false, false],
  'relative keys': [true, false],
  'scores of a separate key and value': [false, true],
} as const;
for (const [kind, [shared, separate]] of Object.entries(kinds)) {
  test(`${kind} are those of float64, live and packed, with the same bits alone`, async () => {
    const small = program(shared, separate);
    const expected = reference(small, new Float32Array(batch.inputIds.length * hidden)).output;
    const trainer = await smallSession(small, true);
    try {
      const live = trainer.live({
        ...small.program,
        weights: snapshotOf(small, 'fp32').weights.map((weight) => ({ ...weight, parts: [] })),
      });
      isNear((await live.run(batch, [small.output]))[0]!, expected, 'live');
      for (const precision of ['fp32', 'int8']) {
        const packed = await trainer.snapshot(snapshotOf(small, precision));
        const [whole] = await packed.run(batch, [small.output]);
        isNear(whole!, expected, precision);
        const [alone] = await packed.run({ inputIds: batch.inputIds.slice(6, 29), cuSeqlens: Int32Array.of(0, 23) }, [small.output]);
        assertSameBits(alone!, whole!.slice(6 * hidden, 29 * hidden), `${precision}, the third sequence`);
        packed.dispose();
      }
      live.dispose();
    } finally {
      trainer.dispose();
    }
  });

  test(`${kind} have float64's gradients, those of the tables too`, async () => {
    const small = program(shared, separate);
    const given = new Random(6).floats(batch.inputIds.length * hidden);
    const expected = reference(small, given);
    const [words, content, position] = await gradientsOf(small, batch, given);
    isNear(words!, expected.gradWords, 'words');
    const [ofContent, ofPosition] = [joined(expected.contentToPosition), joined(expected.positionToContent)];
    if (shared) {
      const sum = Float64Array.from({ length: 8 * headDim }, (_, i) => {
        const at = Math.floor(i / headDim) * hidden + (i % headDim);
        return ofContent[at]! + ofContent[at + headDim]! + ofPosition[at]! + ofPosition[at + headDim]!;
      });
      return isNear(content!, sum, 'the table');
    }
    isNear(content!, ofContent, 'content');
    isNear(position!, ofPosition, 'position');
  });
}

test.run();
