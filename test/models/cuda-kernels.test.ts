import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { smallProgram, tensorOf } from '../support/small-program.js';
import { chooseBackend } from '../../src/models/load-session.js';
import type { AttentionOptions } from '../../src/models/program/program.js';

const test = suite('CUDA kernels');

test('auto takes the processor for what no CUDA kernel computes yet, and says so', async () => {
  const { program } = smallProgram({ vocabSize: 5, width: 6 }, (b, x) => b.linear(x, { weight: b.matrix(tensorOf('weight', 4, 6)) }, { gated: true }));
  const { device } = await chooseBackend(program, { device: 'auto' });
  assert.equal(device, { asked: 'auto', chosen: 'cpu', reason: 'CUDA has no kernel yet for gated products' });
});

const taken: Readonly<Record<string, Omit<AttentionOptions, 'numHeads'>>> = {
  'windows of attention': { window: 4 },
  'slopes of attention': { slopes: [0.5, 0.25] },
  'rotary embeddings': { rotary: { inverseFrequencies: [1, 0.1] } },
};

for (const [name, options] of Object.entries(taken)) {
  test(`auto asks the devices for ${name}`, async () => {
    const { program } = smallProgram({ vocabSize: 5, width: 24 }, (b, x) => b.attention(x, { numHeads: 2, ...options }).context);
    assert.not.match((await chooseBackend(program, { device: 'auto' })).device.reason, /has no kernel yet/);
  });
}

test('a device asked for by name stays, and auto asks the devices where every kernel is there', async () => {
  const { program } = smallProgram({ vocabSize: 5, width: 6 }, (b, x) => b.linear(x, { weight: b.matrix(tensorOf('weight', 4, 6)) }));
  assert.equal((await chooseBackend(program, { device: 'cuda' })).device, { asked: 'cuda', chosen: 'cuda', reason: 'as asked' });
  assert.not.match((await chooseBackend(program, { device: 'auto' })).device.reason, /has no kernel yet/);
});

test.run();
