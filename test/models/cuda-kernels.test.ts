import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { smallProgram, tensorOf } from '../support/small-program.js';
import { chooseBackend } from '../../src/models/load-session.js';
import { ProgramBuilder, type AttentionOptions } from '../../src/models/program/program.js';

const test = suite('CUDA kernels');

test('auto takes the processor for what no CUDA kernel computes yet, and says so', async () => {
  const { program } = smallProgram({ vocabSize: 5, width: 6 }, (b, x) =>
    b.linear(x, { weight: b.matrix(tensorOf('weight', 4, 6)) }, { scale: 2 }),
  );
  const { device } = await chooseBackend(program, { device: 'auto' });
  assert.equal(device, { asked: 'auto', chosen: 'cpu', reason: 'CUDA has no kernel yet for scaled products' });
});

test('auto takes the processor for decoders', async () => {
  const reasons: string[] = [];
  for (const [embed, options] of [
    [{ scale: 2 }, {}],
    [{ sinusoidal: true }, {}],
    [{}, { causal: true }],
  ] as const) {
    const b = new ProgramBuilder({ vocabSize: 5, typeVocabSize: 0, maxSeqLen: 8 });
    b.attention(b.embed({ word: b.table(tensorOf('words', 5, 24)), ...embed }), { numHeads: 2, ...options });
    reasons.push((await chooseBackend(b.build(), { device: 'auto' })).device.reason);
  }
  const b = new ProgramBuilder({ vocabSize: 5, typeVocabSize: 0, maxSeqLen: 8, target: { vocabSize: 5, maxSeqLen: 8 } });
  const word = b.table(tensorOf('words', 5, 24));
  const tokens = b.embed({ word });
  b.attention({ query: b.embed({ word, rows: 'target' }), key: tokens, value: tokens }, { numHeads: 2 });
  reasons.push((await chooseBackend(b.build(), { device: 'auto' })).device.reason);
  const lacking = ['scaled lookups', 'computed positions', 'causal attention', 'cross-attention'];
  assert.equal(
    reasons,
    lacking.map((what) => `CUDA has no kernel yet for ${what}`),
  );
});

type Build = Parameters<typeof smallProgram>[1];
const attention =
  (options: Omit<AttentionOptions, 'numHeads'>): Build =>
  (b, x) =>
    b.attention(x, { numHeads: 2, ...options }).context;
const taken: Readonly<Record<string, Build>> = {
  'windows of attention': attention({ window: 4 }),
  'slopes of attention': attention({ slopes: [0.5, 0.25] }),
  'rotary embeddings': attention({ rotary: { inverseFrequencies: [1, 0.1] } }),
  'gated products': (b, x) => b.linear(x, { weight: b.matrix(tensorOf('weight', 4, 24)) }, { gated: true, activation: 'gelu' }),
  convolutions: (b, x) => b.convolution(x, tensorOf('kernel', 4, 24, 3), tensorOf('bias', 4)),
  'sums of two values': (b, x) => b.activate(x, 'none', x),
  columns: (b, x) => b.activate(b.columns(x, 1, 7), 'silu'),
  'pooled products': (b, x) => b.poolLinear(x, { weight: b.matrix(tensorOf('weight', 9, 24)) }, { sums: false, logs: 1 }),
};

for (const [name, build] of Object.entries(taken)) {
  test(`auto asks the devices for ${name}`, async () => {
    const { program } = smallProgram({ vocabSize: 5, width: 24 }, build);
    assert.not.match((await chooseBackend(program, { device: 'auto' })).device.reason, /has no kernel yet/);
  });
}

test('a device asked for by name stays, and auto asks the devices where every kernel is there', async () => {
  const { program } = smallProgram({ vocabSize: 5, width: 6 }, (b, x) => b.linear(x, { weight: b.matrix(tensorOf('weight', 4, 6)) }));
  assert.equal((await chooseBackend(program, { device: 'cuda' })).device, { asked: 'cuda', chosen: 'cuda', reason: 'as asked' });
  assert.not.match((await chooseBackend(program, { device: 'auto' })).device.reason, /has no kernel yet/);
});

test.run();
