import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import type { BerthaError } from '../../src/errors.js';
import { loadModel } from '../../src/models/index.js';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';

const test = suite('adapters');
const base = fileURLToPath(goldenTraining('lora/query-value'));
const adapter = join(base, 'adapter');
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

interface Golden {
  readonly batch: { readonly sequences: readonly { readonly input_ids: readonly number[]; readonly token_type_ids: readonly number[] }[] };
}

async function logits(directory: string, options: { readonly adapter?: string } = {}): Promise<Float32Array> {
  const { batch } = JSON.parse(readFileSync(join(base, 'case.json'), 'utf8')) as Golden;
  const model = await loadModel(directory, options);
  const packed = model.pack(
    batch.sequences.map(({ input_ids: ids, token_type_ids: types }) => ({ ids: Int32Array.from(ids), typeIds: Int32Array.from(types) })),
  );
  const [found] = await model.session.run(packed, [model.values.heads.sequenceClassification!]);
  model.dispose();
  return found!;
}

test('a model with an adapter of peft computes what peft does', async () => {
  const file = await SafetensorsFile.open(join(base, 'expected.safetensors'));
  const expected = await file.readFloat32('logits');
  await file.close();
  const found = await logits(base, { adapter });
  assert.ok(expected.every((value, i) => Math.abs(value - found[i]!) <= 1e-5 * Math.max(1, Math.abs(value))));
  const plain = await logits(base);
  assert.ok(
    expected.some((value, i) => Math.abs(value - plain[i]!) > 1e-3),
    'the adapter changes something',
  );
});

/** A copy of the adapter with another config. */
function changed(name: string, fields: Readonly<Record<string, unknown>>): string {
  const folder = join(scratch, name);
  cpSync(adapter, folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, ...fields }));
  return folder;
}

const failure = (folder: string, directory = base): Promise<BerthaError> =>
  loadModel(directory, { adapter: folder }).then(
    () => assert.unreachable('it loads') as never,
    (error: unknown) => error as BerthaError,
  );

test('adapters of other kinds, pickles and folders without one are refused', async () => {
  for (const fields of [{ peft_type: 'IA3' }, { use_dora: true }, { fan_in_fan_out: true }]) {
    assert.is((await failure(changed(Object.keys(fields)[0]!, fields))).code, 'CONFIG_UNSUPPORTED');
  }
  const pickle = changed('pickle', {});
  cpSync(join(pickle, 'adapter_model.safetensors'), join(pickle, 'adapter_model.bin'));
  rmSync(join(pickle, 'adapter_model.safetensors'));
  assert.is((await failure(pickle)).code, 'UNSAFE_FORMAT');
  assert.is((await failure(join(scratch, 'nowhere'))).code, 'MODEL_NOT_FOUND');
});

test('an adapter of another base names both', async () => {
  const error = await failure(
    changed('other', { base_model_name_or_path: 'someone/other-bert' }),
    fileURLToPath(goldenTraining('gradients/bert-dropout')),
  );
  assert.is(error.code, 'MODEL_MISMATCH');
  assert.match(error.message, /bert-dropout.*someone\/other-bert/s);
});

test.run();
