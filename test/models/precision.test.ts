import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { CALIBRATION_FILE } from '../../src/checkpoint/calibration.js';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { type BerthaError, calibrate, loadEmbedder, loadModel, type PrecisionOption, similarity } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import { availablePrecisions, PRECISIONS } from '../../src/runtime/options/precision.js';
import { assertSameBits } from '../support/compare.js';
import { golden, temporaryFolder } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';
import { isFull } from '../support/full.js';
import { gateTexts } from '../support/precision-texts.js';

const t = suite(`precision ${instructionSet}`);
const tiny = golden('tiny/bert-base-noprefix');
const here = availablePrecisions();
/** Without vector instructions a forward takes so long that each third text must do. */
const someTexts = gateTexts.filter((_, i) => isFull || instructionSet !== 'scalar' || i % 3 === 0);

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no error',
    (error: unknown) => (error as BerthaError).code,
  );
}

/** Cosines to float32 that docs/precision.md promises, mean and worst. */
function gate(precision: string, isa: string): readonly [mean: number, min: number] {
  if (precision === 'fp32') return [0.9999999, 0.9999999];
  if (precision === 'fp16-weights') return [0.99999, 0.99999];
  if (precision === 'bf16') return [0.9999, 0.9998];
  const eightBits = isa === 'scalar' || /vnni|bf16|neon/.test(isa);
  if (eightBits) return [0.998, 0.99];
  return precision === 'int8' ? [0.996, 0.98] : [0.99, 0.97];
}

async function vectorsOf(precision: PrecisionOption): Promise<Float32Array[]> {
  const embedder = await loadEmbedder(undefined, { precision });
  const vectors = (await embedder.embed(gateTexts)).map(({ vector }) => vector);
  embedder.dispose();
  return vectors;
}

t('every precision keeps its promise on the bundled model', async () => {
  assert.ok(
    (['fp32', 'fp16-weights', 'int8'] as const).every((precision) => here.includes(precision)),
    here.join(),
  );
  const expected = await vectorsOf('fp32');
  for (const precision of here) {
    const cosines = (await vectorsOf(precision)).map((vector, i) => similarity(vector, expected[i]!));
    const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
    const [leastMean, least] = gate(precision, instructionSet);
    const worst = Math.min(...cosines);
    assert.ok(mean >= leastMean, `${precision}: expected a mean cosine of ${leastMean} but received ${mean}`);
    assert.ok(
      worst >= least,
      `${precision}: expected cosines from ${least} but received ${worst} for ${gateTexts[cosines.indexOf(worst)]}`,
    );
  }
});

for (const precision of here) {
  t(`${precision} gives a text the same bits in any batch, with any number of threads`, async () => {
    const one = await loadEmbedder(undefined, { precision, threads: 1 });
    const many = await loadEmbedder(undefined, { precision });
    const together = await many.embed(someTexts);
    const shuffled = await one.embed([...someTexts].reverse());
    for (const [i, text] of someTexts.entries()) {
      assertSameBits(shuffled.at(-1 - i)!.vector, together[i]!.vector, `text ${i}, reversed, one thread`);
      assertSameBits((await many.embed(text)).vector, together[i]!.vector, `text ${i}, alone`);
      assertSameBits(one.embedSync(text).vector, together[i]!.vector, `text ${i}, alone, one thread, sync`);
    }
    one.dispose();
    many.dispose();
  });
}

t('the calibration of the bundled model makes int8 more accurate', async () => {
  const copy = temporaryFolder();
  cpSync(defaultModelDirectory(), copy, { recursive: true });
  rmSync(path.join(copy, CALIBRATION_FILE));
  const expected = await vectorsOf('fp32');
  const errorOf = async (directory: string | undefined) => {
    const embedder = await loadEmbedder(directory, { precision: 'int8' });
    const vectors = await embedder.embed(gateTexts);
    const report = embedder.precision;
    embedder.dispose();
    return { report, error: vectors.reduce((sum, vector, i) => sum + 1 - similarity(vector, expected[i]!), 0) };
  };
  const [with_, without] = [await errorOf(undefined), await errorOf(copy)];
  assert.ok(with_.error < 0.8 * without.error, `${with_.error} against ${without.error}`);
  assert.match(with_.report.calibration!, 'UDHR');
  assert.is(without.report.calibration, undefined);
  assert.match(without.report.reason, 'without a calibration file');
});

t('fp32 is the default, and reports say what was asked and why', async () => {
  const model = await loadModel(tiny);
  assert.equal(model.precision, { asked: 'fp32', chosen: 'fp32', reason: 'as asked' });
  model.dispose();
  for (const precision of here) {
    const asked = await loadModel(tiny, { precision });
    assert.equal([asked.precision.asked, asked.precision.chosen], [precision, precision]);
    asked.dispose();
  }
});

t('calibrates a model of the cache of the Hub by its id', async () => {
  const hub = mkdtempSync(path.join(tmpdir(), 'bertha-hub-'));
  const kept = { ...process.env };
  try {
    const repository = path.join(hub, 'models--someone--tiny');
    const commit = '0'.repeat(40);
    cpSync(tiny, path.join(repository, 'snapshots', commit), { recursive: true });
    mkdirSync(path.join(repository, 'refs'));
    writeFileSync(path.join(repository, 'refs/main'), commit);
    Object.assign(process.env, { HF_HUB_CACHE: hub, HF_HUB_OFFLINE: '1' });
    const { path: file, texts } = await calibrate('someone/tiny', ['hello guitar']);
    assert.is(texts, 1);
    assert.is(file, path.join(realpathSync(repository), 'snapshots', commit, 'bertha_calibration.safetensors'));
    assert.ok(existsSync(file));
  } finally {
    for (const name of ['HF_HUB_CACHE', 'HF_HUB_OFFLINE']) {
      if (kept[name] === undefined) delete process.env[name];
      else process.env[name] = kept[name];
    }
    rmSync(hub, { recursive: true });
  }
});

t('auto takes int8 where the model is calibrated, never without vector instructions, and says why', async () => {
  const auto = await loadEmbedder(undefined, { precision: 'auto' });
  assert.is(auto.precision.chosen, instructionSet === 'scalar' ? 'fp32' : 'int8');
  assert.is(auto.precision.asked, 'auto');
  assert.match(auto.precision.reason, instructionSet === 'scalar' ? 'no vector instructions' : instructionSet);
  auto.dispose();
  const uncalibrated = await loadModel(tiny, { precision: 'auto' });
  const expected = instructionSet === 'scalar' ? 'fp32' : here.includes('bf16') ? 'bf16' : 'fp16-weights';
  assert.is(uncalibrated.precision.chosen, expected);
  if (expected !== 'fp32') assert.match(uncalibrated.precision.reason, 'no calibration');
  uncalibrated.dispose();
});

t('a precision that this processor cannot run is PRECISION and says what is missing', async () => {
  for (const precision of PRECISIONS.filter((each) => !here.includes(each))) {
    const error = await loadModel(tiny, { precision }).catch((caught: unknown) => caught as BerthaError);
    assert.is((error as BerthaError).code, 'PRECISION');
    assert.match((error as BerthaError).message, instructionSet);
    assert.match((error as BerthaError).message, here.join(', '));
  }
  for (const precision of ['fp12', '', 'INT8', 8, null, {}]) {
    assert.is(await codeOf(loadModel(tiny, { precision: precision as PrecisionOption })), 'PRECISION', String(precision));
    assert.is(await codeOf(loadEmbedder(tiny, { precision: precision as PrecisionOption })), 'PRECISION', String(precision));
  }
});

t('calibrate writes scales that loading finds, for every layer after a LayerNorm', async () => {
  const folder = temporaryFolder(tiny);
  let done = 0;
  const report = await calibrate(folder, ['hello', 'hello guitar', ''], {
    corpus: 'three texts',
    onProgress: (each) => (done = each.done),
  });
  assert.is(done, 3);
  assert.is(report.path, path.join(folder, CALIBRATION_FILE));
  const model = await loadModel(folder, { precision: 'int8' });
  assert.is(report.layers.length, 2 * model.config.numLayers);
  assert.is(model.precision.calibration, 'three texts (3 texts)');
  model.dispose();
  const file = await SafetensorsFile.open(report.path);
  for (const layer of report.layers) {
    const scale = await file.readFloat32(`${layer}.input_scale`);
    const largest = await file.readFloat32(`${layer}.input_max`);
    assert.is(scale.length, model.config.hiddenSize);
    assert.ok(scale.every((value) => value > 0) && largest.every((value) => value >= 0));
  }
  await file.close();
});

t('calibrate refuses what is no text and writes nothing when it is stopped', async () => {
  const folder = temporaryFolder(tiny);
  for (const texts of [[], [3], 'hello', undefined, null]) {
    assert.is(await codeOf(calibrate(folder, texts as unknown as string[])), 'INVALID_ARG', String(texts));
  }
  assert.is(await codeOf(calibrate(3 as unknown as string, ['a'])), 'INVALID_ARG');
  assert.is(await codeOf(calibrate(folder, ['a'], { corpora: 'x' } as object)), 'INVALID_OPTION');
  const reason = await calibrate(folder, ['a'], { signal: AbortSignal.abort('enough') }).catch((error: unknown) => error);
  assert.is(reason, 'enough');
  assert.not(existsSync(path.join(folder, CALIBRATION_FILE)));
});

t('a damaged calibration, or another model’s, is an error in int8 and of no matter in fp32', async () => {
  const folder = temporaryFolder(tiny);
  const { path: file } = await calibrate(folder, ['hello guitar']);
  const good = readFileSync(file);
  const damage: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    'a scale of zero': (bytes) => bytes.fill(0, bytes.length - 4),
    'another format': (bytes) => Buffer.from(bytes.toString('latin1').replace('bertha_calibration 1', 'bertha_calibration 9'), 'latin1'),
    'names of another model': (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('encoder.layer', 'encoder.lager'), 'latin1'),
  };
  for (const [what, change] of Object.entries(damage)) {
    writeFileSync(file, change(Buffer.from(good)));
    assert.is(await codeOf(loadModel(folder, { precision: 'int8' })), 'CALIBRATION', what);
    assert.is(await codeOf(loadModel(folder)), 'no error', what);
  }
  writeFileSync(file, good.subarray(0, good.length - 1));
  assert.is(await codeOf(loadModel(folder, { precision: 'int8' })), 'NOT_COVERED');
  writeFileSync(file, good);
  const model = await loadModel(folder, { precision: 'int8' });
  model.dispose();
});

t.run();
