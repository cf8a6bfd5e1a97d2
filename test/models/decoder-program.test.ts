// Programs of two packed domains: a decoder's tokens beside those of its encoder, as one forward.
import * as assert from 'uvu/assert';
import type { Session } from '../../src/runtime/session.js';
import { assertSameBits, assertWithin } from '../support/compare.js';
import { Random } from '../support/random.js';
import { packedIds, SmallDecoder } from '../support/small-decoder.js';
import { suite } from '../support/suite.js';

const test = suite('decoder programs');

const translator = new SmallDecoder({ vocabSize: 29, width: 21, heads: 3, inner: 40, encoderLayers: 1, decoderLayers: 2 });
const writer = new SmallDecoder({ vocabSize: 31, width: 24, heads: 2, inner: 33, encoderLayers: 0, decoderLayers: 2, seed: 2 });
const random = new Random(3);
const texts = (
  [
    [5, 7],
    [1, 1],
    [17, 40],
    [64, 3],
    [9, 0],
    [2, 64],
  ] as const
).map(([source, target]) => ({ source: random.integers(source, 0, 28), target: random.integers(target, 0, 28) }));

async function translated(session: Session, some: typeof texts): Promise<Float32Array[]> {
  const source = packedIds(some.map((text) => text.source));
  const target = packedIds(some.map((text) => text.target));
  const batch = { inputIds: source.ids, cuSeqlens: source.offsets, targetIds: target.ids, cuTarget: target.offsets };
  const { logits, encoded, self, cross } = translator;
  return session.run(batch, [logits, encoded!, self[1]!, cross[1]!]);
}

async function rejectedCode(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

const flat = (numbers: readonly (number | readonly number[] | Float64Array)[] | readonly number[][][]): number[] =>
  (numbers as readonly unknown[]).flatMap((each) => (typeof each === 'number' ? [each] : flat(Array.from(each as number[]))));

const tolerance = (expected: readonly number[]) => (i: number) => 1e-5 * Math.max(1, Math.abs(expected[i]!));

test('logits, the encoder and both kinds of probabilities are those of the float64 reference', async () => {
  const session = await translator.load();
  const actual = await translated(session, texts);
  const all = texts.map(({ source, target }) => translator.reference(source, target));
  const expected = [
    flat(all.flatMap(({ logits }) => logits)),
    flat(all.flatMap(({ encoded }) => encoded)),
    flat(all.map(({ self }) => flat(self[1]!))),
    flat(all.map(({ cross }) => flat(cross[1]!))),
  ];
  ['logits', 'encoded', 'self', 'cross'].forEach((what, i) => assertWithin(actual[i]!, expected[i]!, tolerance(expected[i]!), what));
  session.dispose();
});

test('a text has the same bits alone, among others and with 1, 2 and 3 threads', async () => {
  const one = await translator.load({ threads: 1 });
  const together = await translated(one, texts);
  const begins = [0, 0, 0, 0];
  for (const text of texts) {
    const alone = await translated(one, [text]);
    alone.forEach((values, i) => {
      assertSameBits(values, together[i]!.slice(begins[i], begins[i]! + values.length), `output ${i}`);
      begins[i]! += values.length;
    });
  }
  one.dispose();
  for (const threads of [2, 3]) {
    const session = await translator.load({ threads });
    (await translated(session, texts)).forEach((values, i) => assertSameBits(values, together[i]!, `${threads} threads, output ${i}`));
    session.dispose();
  }
});

test('calls at the same time share batches and keep their texts', async () => {
  const session = await translator.load();
  const together = await Promise.all(texts.map((text) => translated(session, [text])));
  for (const [i, text] of texts.entries())
    (await translated(session, [text])).forEach((values, j) => assertSameBits(together[i]![j]!, values, `text ${i}, output ${j}`));
  session.dispose();
});

test('without a target the encoder alone is computed; with no ids for its rows the call is refused', async () => {
  const session = await translator.load();
  const { ids: inputIds, offsets: cuSeqlens } = packedIds([texts[0]!.source]);
  const [encoded] = await session.run({ inputIds, cuSeqlens }, [translator.encoded!]);
  assertSameBits(encoded!, (await translated(session, [texts[0]!]))[1]!, 'encoded');
  const codeOf = (given: object) => rejectedCode(session.run({ inputIds, cuSeqlens, ...given }, [translator.logits]));
  assert.is(await codeOf({ cuTarget: Int32Array.of(0, 2) }), 'INVALID_ARG');
  assert.is(await codeOf({ targetIds: Int32Array.of(29), cuTarget: Int32Array.of(0, 1) }), 'INVALID_IDS');
  session.dispose();
});

test('a causal decoder alone is that of the float64 reference', async () => {
  const session = await writer.load();
  for (const length of [1, 2, 13, 64]) {
    const target = random.integers(length, 0, 30);
    const [logits, self] = await session.run({ inputIds: target, cuSeqlens: Int32Array.of(0, length) }, [writer.logits, writer.self[0]!]);
    const reference = writer.reference([], target);
    const expected = [flat(reference.logits), flat(reference.self[0]!)] as const;
    assertWithin(logits!, expected[0], tolerance(expected[0]), 'logits');
    assertWithin(self!, expected[1], tolerance(expected[1]), 'probabilities');
  }
  session.dispose();
});

test('int8 and bf16 compute the decoder in their precision', async () => {
  for (const precision of ['int8', 'fp16-weights', 'bf16']) {
    const session = await translator.load({ precision }).catch((error: unknown) => error as { code: string });
    if ('code' in session) {
      assert.is(session.code, 'PRECISION', precision);
      continue;
    }
    const [logits] = await translated(session, [texts[2]!]);
    const expected = flat(translator.reference(texts[2]!.source, texts[2]!.target).logits);
    const off = logits!.map((x, i) => Math.abs(x - expected[i]!)).reduce((a, b) => Math.max(a, b));
    assert.ok(off > 1e-6 && off < 0.5, `${precision}: off by ${off}`);
    session.dispose();
  }
});

test.run();
