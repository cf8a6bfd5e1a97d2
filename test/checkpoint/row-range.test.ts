// Rows of a tensor as a weight's part, and what is learned of them as the tensor that was stored.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { rowRange, storedName } from '../../src/checkpoint/safetensors/row-range.js';
import { SafetensorsFile, writeSafetensors } from '../../src/checkpoint/safetensors/safetensors.js';
import { toNativeProgram } from '../../src/models/program/native-program.js';
import { ProgramBuilder } from '../../src/models/program/program.js';
import { Session } from '../../src/runtime/session.js';
import { joinRows } from '../../src/training/checkpoints/joined-rows.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('rows of a tensor');

test('a matrix and a bias of ranges have the rows in their order', async () => {
  const random = new Random(1);
  const [n, k] = [70, 9];
  const path = join(mkdtempSync(join(tmpdir(), 'bertha-rows-')), 'model.safetensors');
  const tensors = [
    { name: 'words', shape: [4, k] },
    { name: 'weight', shape: [n, k] },
    { name: 'bias', shape: [n] },
  ].map(({ name, shape }) => ({
    name,
    shape,
    dtype: 'F32' as const,
    bytes: new Uint8Array(random.floats(shape.reduce((a, b) => a * b, 1)).buffer),
  }));
  await writeSafetensors(path, tensors);
  const file = await SafetensorsFile.open(path);
  const of = (name: string) => file.tensors.get(name)!;
  const b = new ProgramBuilder({ vocabSize: 4, typeVocabSize: 0, maxSeqLen: 8 });
  const x = b.embed({ word: b.table(of('words')) });
  const whole = b.linear(x, { weight: b.matrix(of('weight')), bias: b.vector(of('bias')) });
  const ranges = (name: string) => [rowRange(of(name), 50, 20), rowRange(of(name), 0, 50)];
  const turned = b.linear(x, { weight: b.matrix(...ranges('weight')), bias: b.vector(...ranges('bias')) });
  assert.is(rowRange(of('weight'), 0, n), of('weight'));
  assert.equal(ranges('weight').map(storedName), ['weight', 'weight']);
  const session = await Session.load(toNativeProgram(b.build()), {});
  const batch = { inputIds: Int32Array.of(0, 1, 2, 3), cuSeqlens: Int32Array.of(0, 4) };
  const [expected, actual] = await session.run(batch, [whole, turned]);
  for (let row = 0; row < 4; row++) {
    const own = expected!.subarray(row * n, (row + 1) * n);
    assert.equal(actual!.slice(row * n, (row + 1) * n), Float32Array.of(...own.subarray(50), ...own.subarray(0, 50)));
  }
  session.dispose();
  await file.close();
});

test('tensors that learn are read and written whole', async () => {
  const values = { 'w[2:3]': Float32Array.of(5, 6), 'w[0:2]': Float32Array.of(1, 2, 3, 4), b: Float32Array.of(7) };
  const tensorOf = (name: keyof typeof values, shape: number[]) => ({
    name,
    shape,
    read: () => Promise.resolve(values[name]),
    write: (_kind: string, given: Float32Array) => Promise.resolve(values[name].set(given)),
  });
  const rowsOf = (begin: number) => ({ name: 'w', shape: [3, 2], begin });
  const [w, b, ...none] = joinRows([
    { tensor: tensorOf('w[2:3]', [1, 2]), rowsOf: rowsOf(2) },
    { tensor: tensorOf('b', [1]), rowsOf: undefined },
    { tensor: tensorOf('w[0:2]', [2, 2]), rowsOf: rowsOf(0) },
  ]);
  assert.is(none.length, 0);
  assert.equal([w!.name, w!.shape, b!.name], ['w', [3, 2], 'b']);
  assert.equal(await w!.read(), Float32Array.of(1, 2, 3, 4, 5, 6));
  await w!.write('value', Float32Array.of(9, 8, 7, 6, 5, 4));
  assert.equal(values['w[2:3]'], Float32Array.of(5, 4));
  assert.equal(await w!.read(), Float32Array.of(9, 8, 7, 6, 5, 4));
});

test.run();
