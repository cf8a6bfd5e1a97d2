import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { SafetensorsFile, writeSafetensors } from '../../src/checkpoint/safetensors/safetensors.js';
import type { BerthaError } from '../../src/errors.js';
import { loadModel } from '../../src/models/index.js';
import { adapterCases, computed, outputsOf, worstOf } from '../support/adapter-cases.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

// Other seeds and all kinds: scripts/check-python/make_adapters.py, then BERTHA_GOLDEN_ADAPTERS=DIR.
const root = process.env['BERTHA_GOLDEN_ADAPTERS'] ?? golden('adapters');
const cases = adapterCases(root);
const test = suite('adapter kinds');
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

/** peft's own results differ by up to 5e-6 between an adapter beside its model and merged; ours by no more from either. */
const kTolerance = 1e-5;
/** 8 and 11 bits a factor, over random weights without any structure. */
const kRounded = { bf16: 0.15, int8: 0.25 } as const;

for (const each of cases) {
  if (each.refused) {
    test(`${each.name} is refused by name`, async () => {
      const error = await outputsOf(each).then(
        () => assert.unreachable('it loads') as never,
        (failure: unknown) => failure as BerthaError,
      );
      assert.is(error.code, 'CONFIG_UNSUPPORTED');
      assert.match(error.message, /"(init_lora_weights|use_dora|lora_bias|trainable_token_indices|.*lora_embedding_.)"/);
    });
    continue;
  }
  test(`${each.name} computes what peft computes, beside the model and merged`, async () => {
    for (const merge of [false, true]) {
      const worst = worstOf(await outputsOf(each, { merge }), each.outputs);
      assert.ok(worst <= kTolerance, `merge ${merge}: ${worst}`);
    }
    for (const [precision, tolerance] of Object.entries(kRounded)) {
      const worst = worstOf(await outputsOf(each, { precision: precision as keyof typeof kRounded }), each.outputs);
      assert.ok(worst <= tolerance, `${precision}: ${worst}`);
    }
  });
}

test('a branch whose B is 0 leaves the bits of the model, in every precision', async () => {
  // Of query and value: behind a branch an activation is an op of its own, which bf16 computes with fp32's accuracy.
  const each = adapterCases(golden('adapters')).find(({ name }) => name === 'choices')!;
  const folder = join(scratch, 'zero');
  cpSync(each.folder, folder, { recursive: true });
  const file = await SafetensorsFile.open(join(each.folder, 'adapter_model.safetensors'));
  const branches = await Promise.all(
    [...file.tensors.values()].flatMap((tensor) => {
      if (!tensor.name.includes('.lora_')) return [];
      const zeros = (values: Float32Array): Float32Array => (tensor.name.includes('lora_B') ? values.fill(0) : values);
      return [file.readFloat32(tensor.name).then((values) => ({ ...tensor, bytes: new Uint8Array(zeros(values).buffer) }))];
    }),
  );
  await file.close();
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), branches);
  for (const precision of ['fp32', 'bf16', 'int8'] as const) {
    const model = await loadModel(each.base, { precision });
    const plain = await computed(model, each);
    model.dispose();
    assert.equal(await outputsOf({ ...each, folder }, { precision }), plain, precision);
  }
});

test.run();
