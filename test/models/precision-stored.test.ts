import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as assert from 'uvu/assert';
import { CALIBRATION_FILE } from '../../src/checkpoint/calibration.js';
import { SafetensorsFile, writeSafetensors, type TensorToWrite } from '../../src/checkpoint/safetensors/safetensors.js';
import { calibrate, loadEmbedder, loadModel, quantizeModel, similarity, type QuantizedDtype } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import { train } from '../../src/training/index.js';
import { golden, rejection, rejectsModel, temporaryFolder } from '../support/checkpoint-files.js';
import { assertSameBits } from '../support/compare.js';
import { instructionSet } from '../support/devices.js';
import { isFull } from '../support/full.js';
import { gateTexts } from '../support/precision-texts.js';
import { suite } from '../support/suite.js';

const t = suite(`precision, weights in few bytes ${instructionSet}`);
const tiny = golden('tiny/bert-base-noprefix');
/** For models of some size: on the best instruction set, on others with BERTHA_TEST_FULL; the tiny models run on all. */
const onBest: (name: string, test: () => Promise<void>) => void = isFull || process.env['BERTHA_ISA'] === undefined ? t : () => undefined;
const query = 'encoder.layer.0.attention.self.query.weight';
const weightsOf = (folder: string): string => path.join(folder, 'model.safetensors');

async function quantized(directory: string, dtype: QuantizedDtype = 'int8'): Promise<string> {
  const folder = temporaryFolder();
  await quantizeModel(directory, folder, { dtype });
  return folder;
}

/** A copy of a tiny model with a calibration. */
async function calibrated(name: string): Promise<string> {
  const folder = temporaryFolder(golden('tiny', name));
  await calibrate(folder, ['hello', 'hello guitar', 'a guitar']);
  assert.ok(existsSync(path.join(folder, CALIBRATION_FILE)));
  return folder;
}

/** The tensors of a file, `change`d, written in its place. */
async function rewrite(file: string, change: (tensors: Map<string, TensorToWrite>) => void): Promise<void> {
  const opened = await SafetensorsFile.open(file);
  const tensors = new Map<string, TensorToWrite>();
  for (const { name, dtype, shape } of opened.tensors.values()) tensors.set(name, { name, dtype, shape, bytes: await opened.read(name) });
  await opened.close();
  change(tensors);
  await writeSafetensors(file, tensors.values(), opened.metadata);
}

const floats = (tensor: TensorToWrite): Float32Array => new Float32Array(Uint8Array.from(tensor.bytes).buffer);

function withFloats(tensors: Map<string, TensorToWrite>, name: string, values: Float32Array, shape = [values.length]): void {
  tensors.set(name, { name, dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) });
}

/** `directory` with the word table of its int8 form, in float32: what tells rounded matrices from rounded words. */
async function withRoundedWords(directory: string, int8: string): Promise<string> {
  const folder = temporaryFolder(directory);
  const words = new Map<string, Float32Array>();
  await rewrite(weightsOf(int8), (tensors) => {
    for (const { name, shape, bytes } of tensors.values()) {
      if (!name.endsWith('word_embeddings.weight')) continue;
      const scales = floats(tensors.get(`${name}.scale`)!);
      words.set(
        name,
        Float32Array.from(new Int8Array(Uint8Array.from(bytes).buffer), (code, i) => code * scales[Math.floor(i / shape[1]!)]!),
      );
    }
  });
  assert.is(words.size, 1);
  await rewrite(weightsOf(folder), (tensors) => {
    for (const [name, values] of words) withFloats(tensors, name, values, [...tensors.get(name)!.shape]);
  });
  return folder;
}

async function states(directory: string, options: Parameters<typeof loadModel>[1]): Promise<Float32Array[]> {
  const model = await loadModel(directory, options);
  const encodings = ['hello guitar', 'a', 'hello hello guitar a hello'].map((text) => model.tokenizer.encode(text));
  const results = await Promise.all(encodings.map((encoding) => model.forward(encoding)));
  model.dispose();
  return results.map(({ lastHiddenState }) => lastHiddenState.data);
}

for (const [name, isCalibrated] of [
  ['bert-base-noprefix', true],
  ['bert-base-noprefix', false],
  ['bert-mlm', true],
  ['bert-f16', false],
  ['distilbert-mlm', true],
  ['mpnet-base', false],
  ['electra-discriminator', true],
] as const) {
  t(`int8 from ${name}${isCalibrated ? ', calibrated,' : ''} has the bits of int8 from floats`, async () => {
    const source = isCalibrated ? await calibrated(name) : golden('tiny', name);
    const int8 = await quantized(source);
    assert.not(existsSync(path.join(int8, CALIBRATION_FILE)));
    const expected = await states(await withRoundedWords(source, int8), { precision: 'int8' });
    for (const [i, values] of (await states(int8, {})).entries()) assertSameBits(values, expected[i]!, `text ${i}`);
    const cache = temporaryFolder();
    for (const run of ['stored', 'mapped']) {
      const cached = await states(int8, { weightCache: cache });
      for (const [i, values] of cached.entries()) assertSameBits(values, expected[i]!, `text ${i}, ${run}`);
    }
  });
}

onBest('the bundled model in int8 has the bits of int8 from floats, holds what its file holds, and keeps its promise', async () => {
  const whole = defaultModelDirectory();
  const int8 = await quantized(whole);
  const texts = gateTexts.slice(0, 12);
  const rounded = await loadEmbedder(await withRoundedWords(whole, int8), { precision: 'int8' });
  const expected = await rounded.embed(texts);
  rounded.dispose();
  const embedder = await loadEmbedder(int8);
  const vectors = await embedder.embed(texts);
  const { precision } = embedder;
  embedder.dispose();
  for (const [i, { vector }] of vectors.entries()) assertSameBits(vector, expected[i]!.vector, `text ${i}`);
  assert.equal([precision.asked, precision.chosen, precision.reason], ['auto', 'int8', 'the weights are stored as int8']);
  assert.match(precision.calibration!, 'UDHR');
  const model = await loadModel(int8);
  const stored = readFileSync(weightsOf(int8)).byteLength;
  const { weights } = model.memoryUsage();
  model.dispose();
  assert.ok(stored < 24.5e6, `${stored} bytes`);
  assert.ok(weights < 1.05 * stored, `${weights} bytes in memory, ${stored} in the file`);
  const reference = await loadEmbedder();
  for (const [i, { vector }] of (await reference.embed(texts)).entries()) assert.ok(similarity(vector, vectors[i]!) > 0.98, texts[i]);
  reference.dispose();
});

onBest('an adapter of the bundled model computes beside int8 weights', async () => {
  const whole = defaultModelDirectory();
  const int8 = await quantized(whole);
  const adapter = path.join(whole, 'heads/sentiment');
  const expected = await states(await withRoundedWords(whole, int8), { adapter, precision: 'int8' });
  for (const [i, values] of (await states(int8, { adapter })).entries()) assertSameBits(values, expected[i]!, `text ${i}`);
  // Added to the matrices it is rounded with them.
  const [merged] = await states(int8, { adapter, merge: true });
  assert.ok(similarity(merged!, expected[0]!) > 0.99);
});

for (const dtype of ['fp16', 'bf16'] as const) {
  t(`${dtype} halves a model that every precision computes`, async () => {
    const folder = await quantized(tiny, dtype);
    const [half, full] = [readFileSync(weightsOf(folder)).byteLength, readFileSync(weightsOf(tiny)).byteLength];
    assert.ok(half < 0.56 * full, `${half} of ${full} bytes`);
    const expected = await states(tiny, { precision: 'fp32' });
    for (const [i, values] of (await states(folder, { precision: 'fp32' })).entries())
      assert.ok(similarity(values, expected[i]!) > (dtype === 'fp16' ? 0.99999 : 0.9995), `text ${i}`);
    await states(folder, { precision: 'int8' });
  });
}

t('int8 weights refuse whatever else is asked of them, by name', async () => {
  const int8 = await quantized(tiny);
  for (const precision of ['fp32', 'fp16-weights', 'bf16', 'int8-fast'] as const) {
    const { code, message } = await rejection(() => loadModel(int8, { precision }));
    assert.is(code, 'PRECISION');
    assert.match(message, /int8 or auto for precision, as the weights are stored as int8/);
  }
  assert.is((await rejection(() => loadModel(int8, { device: 'cuda' }))).code, 'PRECISION');
  const asked = await loadModel(int8, { precision: 'int8', device: 'auto' });
  assert.equal([asked.precision.asked, asked.device.chosen], ['int8', 'cpu']);
  asked.dispose();
  const rows = ['a', 'b'].map((label) => ({ text: 'hello', label }));
  for (const use of [
    () => calibrate(int8, ['hello']),
    () => quantizeModel(int8, temporaryFolder(), { dtype: 'fp16' }),
    () => train(int8, rows, { task: 'text-classification', maxSteps: 1, outputDir: temporaryFolder() }),
  ]) {
    const { code, message } = await rejection(use);
    assert.is(code, 'DTYPE_UNSUPPORTED', message);
    assert.match(message, /weights in floating point/);
  }
});

type Damage = (tensors: Map<string, TensorToWrite>) => void;
const setScale =
  (name: string, value: number): Damage =>
  (tensors) => {
    const values = floats(tensors.get(name)!);
    values[1] = value;
    withFloats(tensors, name, values);
  };
const damages: readonly (readonly [what: string, code: string, damage: Damage])[] = [
  ['no scales', 'DTYPE_UNSUPPORTED', (tensors) => tensors.delete(`${query}.scale`)],
  ['scales of another length', 'MODEL_MISMATCH', (tensors) => withFloats(tensors, `${query}.scale`, new Float32Array(3))],
  [
    'scales in two dimensions',
    'MODEL_MISMATCH',
    (tensors) => withFloats(tensors, `${query}.scale`, floats(tensors.get(`${query}.scale`)!), [tensors.get(query)!.shape[0]!, 1]),
  ],
  ['scales of integers', 'MODEL_MISMATCH', (tensors) => tensors.set(`${query}.scale`, { ...tensors.get(`${query}.scale`)!, dtype: 'I32' })],
  ['a scale that is no number', 'NON_FINITE', setScale(`${query}.scale`, Number.NaN)],
  ['an infinite scale', 'NON_FINITE', setScale(`${query}.scale`, Infinity)],
  ['a scale whose products are infinite', 'NON_FINITE', setScale(`${query}.scale`, 3e38)],
  ['a scale of the words that is no number', 'NON_FINITE', setScale('embeddings.word_embeddings.weight.scale', Number.NaN)],
  ['input scales of another length', 'MODEL_MISMATCH', (tensors) => withFloats(tensors, `${query}.input_scale`, new Float32Array(5))],
  ['an input scale of 0', 'CALIBRATION', setScale(`${query}.input_scale`, 0)],
  ['an input scale that is no number', 'CALIBRATION', setScale(`${query}.input_scale`, Number.NaN)],
  ['a negative input scale', 'CALIBRATION', setScale(`${query}.input_scale`, -1)],
  ['input scales for one of three matrices', 'CALIBRATION', (tensors) => tensors.delete(`${query.replace('query', 'key')}.input_scale`)],
  ['other input scales for one of three matrices', 'CALIBRATION', setScale(`${query.replace('query', 'value')}.input_scale`, 1.5)],
  [
    'a bias of integers',
    'DTYPE_UNSUPPORTED',
    (tensors) => {
      const name = query.replace('weight', 'bias');
      const [length = 0] = tensors.get(name)!.shape;
      tensors.set(name, { name, dtype: 'I8', shape: [length], bytes: new Uint8Array(length) });
      withFloats(tensors, `${name}.scale`, new Float32Array(length).fill(1));
    },
  ],
];
for (const [what, code, damage] of damages) {
  t(`refuses ${what}`, async () => {
    const int8 = await quantized(await calibrated('bert-base-noprefix'));
    await rewrite(weightsOf(int8), damage);
    const error = await rejection(() => loadModel(int8));
    assert.is(error.code, code, error.message);
    if (code === 'MODEL_MISMATCH') await rejectsModel(code, int8); // and leaves no file open
  });
}

t('computes with integers on another grid than its own, and with -128', async () => {
  const int8 = await quantized(tiny);
  const [expected] = await states(int8, {});
  await rewrite(weightsOf(int8), (tensors) => {
    const { bytes, ...head } = tensors.get(query)!;
    const codes = new Int8Array(Uint8Array.from(bytes).buffer);
    tensors.set(query, { ...head, bytes: new Uint8Array(codes.map((code) => (code === -127 ? -128 : Math.round(code / 2)))) });
    withFloats(
      tensors,
      `${query}.scale`,
      floats(tensors.get(`${query}.scale`)!).map((scale) => 2 * scale),
    );
  });
  const [values] = await states(int8, {});
  assert.ok(values!.every(Number.isFinite));
  assert.ok(similarity(values!, expected!) > 0.9);
});

t('writes no weights where it fails, and into no folder that holds something', async () => {
  const large = temporaryFolder(tiny);
  await rewrite(weightsOf(large), (tensors) => {
    const { shape } = tensors.get(query)!;
    const values = floats(tensors.get(query)!);
    values[7] = 1e6;
    withFloats(tensors, query, values, [...shape]);
  });
  const target = temporaryFolder();
  const { code, message } = await rejection(() => quantizeModel(large, target, { dtype: 'fp16' }));
  assert.is(code, 'INVALID_OPTION');
  assert.match(message, `float16 can hold in ${query} for dtype`);
  assert.not(existsSync(weightsOf(target)));
  assert.is((await rejection(() => quantizeModel(tiny, target, { dtype: 'bf16' }))).code, 'IO');
  rmSync(target, { recursive: true });
  await quantizeModel(large, target, { dtype: 'bf16' });
  assert.is((await rejection(() => quantizeModel(tiny, temporaryFolder(), {} as never))).code, 'INVALID_OPTION');
});

t.run();
