import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { checkLora } from '../../scripts/golden-training/adapters.js';
import { checkGradients, type Line } from '../../scripts/golden-training/learning.js';
import { checkWriting } from '../../scripts/golden-training/writing.js';
import { loadAddon } from '../../src/runtime/addon.js';
import { goldenTraining } from '../support/golden-training.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

const test = suite('golden training');

/** Requires that every line of a comparison is within the tolerance. */
async function requireOk(lines: AsyncGenerator<Line>): Promise<void> {
  let compared = 0;
  for await (const { name, ok, text } of lines) {
    assert.ok(ok, `${name}: ${text}`);
    compared++;
  }
  assert.ok(compared > 0, 'something was compared');
}

const hasBf16 = loadAddon().isa().precisions.includes('bf16');
for (const name of readdirSync(goldenTraining('gradients'))) {
  const compare = (precision: 'fp32' | 'bf16') => () =>
    requireOk(checkGradients(fileURLToPath(goldenTraining(`gradients/${name}`)), precision));
  test(`${name} has the loss and the gradients of float64`, compare('fp32'));
  test(`${name} in bf16 is as near to them as PyTorch's bf16, within its factor`, async () => {
    if (!hasBf16) return skip('no bf16: AVX512_BF16');
    await compare('bf16')();
  });
}

for (const name of readdirSync(goldenTraining('lora'))) {
  test(`the adapter ${name} has the loss and the gradients of float64`, () =>
    requireOk(checkLora(fileURLToPath(goldenTraining(`lora/${name}`)))));
}

const writing = fileURLToPath(new URL('../golden-generation/gradients', import.meta.url));
test('encoder-decoders and causal decoders have the losses and the gradients of float64', () => requireOk(checkWriting(writing, 'fp32')));
test('they in bf16 are as near to them as PyTorch, within its factor', async () => {
  if (!hasBf16) return skip('no bf16: AVX512_BF16');
  await requireOk(checkWriting(writing, 'bf16'));
});

test.run();
