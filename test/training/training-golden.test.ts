import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { checkGradients, checkLora, type Line } from '../../scripts/golden-training/learning.js';
import { goldenTraining } from '../support/golden-training.js';
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

for (const name of readdirSync(goldenTraining('gradients'))) {
  test(`${name} has the loss and the gradients of float64`, () =>
    requireOk(checkGradients(fileURLToPath(goldenTraining(`gradients/${name}`)), 'fp32')));
}

for (const name of readdirSync(goldenTraining('lora'))) {
  test(`the adapter ${name} has the loss and the gradients of float64`, () =>
    requireOk(checkLora(fileURLToPath(goldenTraining(`lora/${name}`)))));
}

test.run();
