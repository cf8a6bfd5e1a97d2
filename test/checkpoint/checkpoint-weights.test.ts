import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import type { BerthaError } from '../../src/errors.js';
import { parseConfig } from '../../src/architectures/config.js';
import { SafetensorsFile, writeSafetensors, type Dtype, type TensorInfo } from '../../src/checkpoint/safetensors/safetensors.js';
import { WeightMap } from '../../src/checkpoint/weights/weights.js';
import { codeOf, golden, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('checkpoint weights');

/** A weight map over a file with these tensors; dtype F32 unless given. */
async function weightMap(
  tensors: Readonly<Record<string, readonly number[] | { dtype: Dtype; shape: readonly number[]; bytes: number }>>,
): Promise<WeightMap> {
  const file = path.join(temporaryFolder(), 'w.safetensors');
  await writeSafetensors(
    file,
    Object.entries(tensors).map(([name, spec]) => {
      if ('dtype' in spec) return { name, dtype: spec.dtype, shape: spec.shape, bytes: new Uint8Array(spec.bytes) };
      return { name, dtype: 'F32' as const, shape: spec, bytes: new Uint8Array(4 * spec.reduce((a, b) => a * b, 1)) };
    }),
  );
  const opened = await SafetensorsFile.open(file);
  await opened.close();
  return new WeightMap(opened.tensors, { prefixes: ['bert.'] });
}

function finishError(weights: WeightMap): BerthaError {
  try {
    weights.finish();
  } catch (error) {
    return error as BerthaError;
  }
  throw new Error('Expected finish to throw.');
}

t('finds names with and without the prefix', async () => {
  const weights = await weightMap({ 'bert.pooler.dense.bias': [2], 'classifier.bias': [3] });
  assert.is(weights.take('pooler.dense.bias', [2]).name, 'bert.pooler.dense.bias');
  assert.is(weights.take('classifier.bias', [3]).name, 'classifier.bias');
  assert.equal(weights.finish().surplus, []);
});

t('finds LayerNorms stored as gamma and beta', async () => {
  const weights = await weightMap({ 'bert.embeddings.LayerNorm.gamma': [2], 'embeddings.LayerNorm.beta': [2] });
  assert.is(weights.take('embeddings.LayerNorm.weight', [2]).name, 'bert.embeddings.LayerNorm.gamma');
  assert.is(weights.take('embeddings.LayerNorm.bias', [2]).name, 'embeddings.LayerNorm.beta');
  weights.finish();
});

t('does not take gamma for any other weight', async () => {
  const weights = await weightMap({ 'dense.gamma': [2], 'classifier.bias': [1] });
  assert.not(weights.has('dense.weight'));
});

t('prefers the name as asked for, and lists the other as surplus', async () => {
  const weights = await weightMap({ 'bert.x.weight': [1], 'x.weight': [1] });
  assert.is(weights.take('x.weight', [1]).name, 'x.weight');
  assert.equal(weights.finish().surplus, ['bert.x.weight']);
});

t('ignores position_ids buffers and lists what nobody took', async () => {
  const ids = { dtype: 'I64' as const, shape: [1, 4], bytes: 32 };
  const weights = await weightMap({
    'bert.embeddings.position_ids': ids,
    'embeddings.token_type_ids': ids,
    'cls.predictions.bias': [1],
    a: [1],
  });
  weights.take('a', [1]);
  assert.equal(weights.finish().surplus, ['cls.predictions.bias']);
});

t('names everything that is missing, misshapen, unfit and surplus in one error', async () => {
  const weights = await weightMap({
    'bert.a.weight': [2, 3],
    'bert.b.weight': [4],
    'bert.c.weight': { dtype: 'I8', shape: [2], bytes: 2 },
    'bert.d.weight': [1],
  });
  const missing = weights.take('z.weight', [7, 8]);
  assert.equal([missing.name, missing.shape, missing.byteLength], ['z.weight', [7, 8], 0]);
  weights.take('a.weight', [3, 2]);
  weights.take('b.weight', [4, 1]);
  weights.take('c.weight', [2]);
  const { code, message } = finishError(weights);
  assert.is(code, 'MODEL_MISMATCH');
  assert.match(message, '1 missing: "z.weight" [7, 8]');
  assert.match(
    message,
    '2 of another shape: "bert.a.weight": expected [3, 2], received [2, 3], "bert.b.weight": expected [4, 1], received [4]',
  );
  assert.match(message, '"bert.c.weight": I8');
  assert.match(message, '1 stored but not asked for: "bert.d.weight"');
});

t('accepts scalars and rejects them where a vector is expected', async () => {
  const weights = await weightMap({ scale: [] });
  assert.equal(weights.take('scale', []).shape, []);
  weights.take('scale', [1]);
  assert.is(finishError(weights).code, 'MODEL_MISMATCH');
});

t('rejects element types that cannot be weights with a code of their own', async () => {
  const weights = await weightMap({
    q: { dtype: 'F8_E4M3', shape: [2], bytes: 2 },
    i: { dtype: 'I8', shape: [2], bytes: 2 },
    h: { dtype: 'BF16', shape: [2], bytes: 4 },
  });
  for (const name of ['q', 'i', 'h']) weights.take(name, [2]);
  const { code, message } = finishError(weights);
  assert.is(code, 'DTYPE_UNSUPPORTED');
  assert.match(message, /"q": F8_E4M3, "i": I8|"i": I8, "q": F8_E4M3/);
  assert.not.match(message, '"h"');
});

t('cuts long lists but counts them whole', async () => {
  const weights = await weightMap({ a: [1] });
  for (let i = 0; i < 100; i++) weights.take(`layer.${i}`, [1]);
  const { message } = finishError(weights);
  assert.match(message, '100 missing');
  assert.match(message, 'and 80 more');
});

t('rejects a checkpoint without tensors', () => {
  assert.is(
    codeOf(() => new WeightMap(new Map<string, TensorInfo>(), { prefixes: [] })),
    'MODEL_MISMATCH',
  );
});

/** The encoder's weights as any BERT stores them. */
function takeEncoder(weights: WeightMap, hidden: number, intermediate: number, layers: number): void {
  const linear = (name: string, out: number, input: number): void => {
    weights.take(`${name}.weight`, [out, input]);
    weights.take(`${name}.bias`, [out]);
  };
  const norm = (name: string): void => {
    weights.take(`${name}.LayerNorm.weight`, [hidden]);
    weights.take(`${name}.LayerNorm.bias`, [hidden]);
  };
  norm('embeddings');
  for (let i = 0; i < layers; i++) {
    const layer = `encoder.layer.${i}`;
    for (const name of ['query', 'key', 'value']) linear(`${layer}.attention.self.${name}`, hidden, hidden);
    linear(`${layer}.attention.output.dense`, hidden, hidden);
    norm(`${layer}.attention.output`);
    linear(`${layer}.intermediate.dense`, intermediate, hidden);
    linear(`${layer}.output.dense`, hidden, intermediate);
    norm(`${layer}.output`);
  }
}

for (const name of ['bert-base-noprefix', 'bert-mlm', 'bert-mlm-gamma-beta', 'bert-f16', 'bert-bf16', 'bert-f64']) {
  t(`finds every encoder weight of ${name}`, async () => {
    const config = parseConfig(readFileSync(golden('tiny', name, 'config.json'), 'utf8'));
    const file = await SafetensorsFile.open(golden('tiny', name, 'model.safetensors'));
    await file.close();
    const weights = new WeightMap(file.tensors, { prefixes: ['bert.'] });
    takeEncoder(weights, config.hiddenSize, config.intermediateSize, config.numLayers);
    const { surplus } = weights.finish();
    assert.ok(
      surplus.every((stored) => !stored.includes('encoder.')),
      surplus.join(),
    );
  });
}

t.run();
