import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { SafetensorsFile, writeSafetensors } from '../../src/checkpoint/safetensors/safetensors.js';
import type { BerthaError } from '../../src/errors.js';
import { loadEmbedder, stats } from '../../src/index.js';
import { loadModel, type Model } from '../../src/models/index.js';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import { readAsTorch, torchArchive, torchStream } from '../support/torch-writer.js';

const test = suite('adapters');
const lora = (name: string): string => fileURLToPath(goldenTraining(`lora/${name}`));
const base = lora('query-value');
const adapter = join(base, 'adapter');
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

interface Golden {
  readonly batch: { readonly sequences: readonly { readonly input_ids: readonly number[]; readonly token_type_ids?: readonly number[] }[] };
}

async function logits(
  directory: string,
  options: { readonly adapter?: string; readonly merge?: boolean } = {},
  cases = base,
): Promise<Float32Array> {
  const { batch } = JSON.parse(readFileSync(join(cases, 'case.json'), 'utf8')) as Golden;
  const model = await loadModel(directory, options);
  const packed = model.pack(
    batch.sequences.map(({ input_ids: ids, token_type_ids: types }) => ({
      ids: Int32Array.from(ids),
      typeIds: Int32Array.from(types ?? ids.map(() => 0)),
    })),
  );
  const [found] = await model.session.run(packed, [model.values.heads.sequenceClassification!]);
  model.dispose();
  return found!;
}

for (const name of ['query-value', 'deberta-sequence-classification', 'deberta-v3-sequence-classification']) {
  test(`${name}: a model with an adapter of peft computes what peft does, merged too`, async () => {
    const folder = lora(name);
    const file = await SafetensorsFile.open(join(folder, 'expected.safetensors'));
    const expected = await file.readFloat32('logits');
    await file.close();
    for (const merge of [false, true]) {
      const found = await logits(folder, { adapter: join(folder, 'adapter'), merge }, folder);
      assert.ok(
        expected.every((value, i) => Math.abs(value - found[i]!) <= 1e-5 * Math.max(1, Math.abs(value))),
        `merge: ${merge}`,
      );
    }
    const plain = await logits(folder, {}, folder);
    assert.ok(
      expected.some((value, i) => Math.abs(value - plain[i]!) > 1e-3),
      'the adapter changes something',
    );
  });
}

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

test('an adapter_model.bin is read as tensors where there is no adapter_model.safetensors', async () => {
  const expected = await logits(base, { adapter });
  for (const [name, write] of [
    ['archive', torchArchive],
    ['stream', torchStream],
  ] as const) {
    const folder = changed(name, {});
    const stored = join(folder, 'adapter_model.safetensors');
    writeFileSync(join(folder, 'adapter_model.bin'), write(await readAsTorch(stored, true)));
    rmSync(stored);
    assert.equal(await logits(base, { adapter: folder }), expected);
    rmSync(join(folder, 'adapter_model.bin'));
    const error = await failure(folder);
    assert.is(error.code, 'IO');
    assert.match(error.message, /adapter_model\.safetensors/);
  }
});

test('adapters of other kinds, files that are no tensors and folders without one are refused', async () => {
  for (const fields of [{ peft_type: 'IA3' }, { use_dora: true }, { fan_in_fan_out: true }]) {
    assert.is((await failure(changed(Object.keys(fields)[0]!, fields))).code, 'CONFIG_UNSUPPORTED');
  }
  const pickle = changed('pickle', {});
  cpSync(join(pickle, 'adapter_model.safetensors'), join(pickle, 'adapter_model.bin'));
  rmSync(join(pickle, 'adapter_model.safetensors'));
  assert.is((await failure(pickle)).code, 'UNSAFE_FORMAT');
  assert.is((await failure(join(scratch, 'nowhere'))).code, 'MODEL_NOT_FOUND');
});

test('merge without an adapter is an error', async () => {
  const error = await loadModel(base, { merge: true }).catch((failure: unknown) => failure as BerthaError);
  assert.is((error as BerthaError).code, 'INVALID_OPTION');
});

/** An adapter of rank 8 on query and value of the bundled model, as peft would name it. */
async function bundledAdapter(name: string, model: Model): Promise<string> {
  const { numLayers, hiddenSize: width } = model.config;
  const folder = join(scratch, name);
  mkdirSync(folder);
  const config = { peft_type: 'LORA', task_type: 'FEATURE_EXTRACTION', r: 8, lora_alpha: 16, target_modules: ['query', 'value'] };
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config));
  const random = seeded(name.length + name.charCodeAt(0));
  const tensors = Array.from({ length: numLayers }, (_, layer) =>
    ['query', 'value'].flatMap((part) =>
      (['lora_A', 'lora_B'] as const).map((which) => ({
        name: `base_model.model.encoder.layer.${layer}.attention.self.${part}.${which}.weight`,
        dtype: 'F32' as const,
        shape: which === 'lora_A' ? [8, width] : [width, 8],
        bytes: new Uint8Array(Float32Array.from({ length: 8 * width }, () => (random() - 0.5) * 0.1).buffer),
      })),
    ),
  ).flat();
  await writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors);
  return folder;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

test('several adapters hold the base once, whatever is disposed of first, and give all back', async () => {
  const plain = await loadModel();
  const folders = await Promise.all(['a', 'b', 'c'].map((name) => bundledAdapter(name, plain)));
  const { weights } = plain.memoryUsage();
  const before = stats().allocatedBytes;
  // Loaded at once, also with other heads: as an embedder loads.
  const adapted = await Promise.all(folders.map((adapter) => loadModel(undefined, { adapter })));
  const embedder = await loadEmbedder(undefined, { adapter: folders[0]! });
  assert.ok(stats().allocatedBytes - before < 0.1 * weights, `${stats().allocatedBytes - before} of ${weights}`);
  for (const model of adapted) {
    const own = model.memoryUsage().weights - model.memoryUsage().sharedWeights;
    assert.ok(own < 0.1 * weights && own > 0, String(own));
  }
  const text = plain.tokenizer.encode('Bertha reads.');
  const states = async (model: Model): Promise<Float32Array> => (await model.forward(text)).lastHiddenState.data;
  const [base, first, second] = [await states(plain), await states(adapted[0]!), await states(adapted[1]!)];
  assert.not.equal(first, base);
  assert.not.equal(second, first);

  plain.dispose();
  adapted[0]!.dispose();
  assert.equal(await states(adapted[1]!), second);
  adapted[1]!.dispose();
  adapted[2]!.dispose();
  const again = await loadModel(undefined, { adapter: folders[1]! });
  assert.equal(await states(again), second);
  assert.ok(again.memoryUsage().sharedWeights > 0.9 * weights, 'the embedder still holds the base');
  embedder.dispose();
  again.dispose();
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
