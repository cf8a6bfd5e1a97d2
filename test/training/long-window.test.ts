// A text of 8,192 tokens through a window: memory of the order of the text, whatever its square is.
import * as assert from 'uvu/assert';
import { smallSession, snapshotOf, tensorOf } from '../support/small-program.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { ProgramBuilder } from '../../src/models/program/program.js';
import { loadAddon } from '../../src/runtime/addon.js';

const test = suite('long windows');

test('a text of 8,192 tokens takes no memory of its square, with rotary embedding and a window of 64', async () => {
  const [length, width] = [8192, 16];
  const b = new ProgramBuilder({ vocabSize: 7, typeVocabSize: 0, maxSeqLen: length });
  const words = b.embed({ word: b.table(tensorOf('words', 7, 3 * width)) });
  const output = b.attention(words, {
    numHeads: 1,
    window: 64,
    rotary: { inverseFrequencies: [1, 0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6, 1e-7] },
  }).context;
  const small = { program: b.build(), output, weights: [new Random(3).floats(7 * 3 * width)] };
  const trainer = await smallSession(small, true);
  const session = await trainer.snapshot(snapshotOf(small, 'fp32'));
  try {
    const before = loadAddon().allocatedBytes();
    const inputIds = Int32Array.from({ length }, (_, i) => (i * 5 + (i >> 3)) % 7);
    const [context] = await session.run({ inputIds, cuSeqlens: Int32Array.of(0, length) }, [output]);
    assert.ok(context!.every(Number.isFinite));
    const grown = loadAddon().allocatedBytes() - before;
    assert.ok(grown < (length * length * 4) / 16, `grew by ${grown} bytes`);
  } finally {
    session.dispose();
    trainer.dispose();
  }
});

test.run();
