// What happens to the files of a model that is loaded, or being loaded, and what the model makes of it.
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { loadModel, stats, type Model } from '../../src/index.js';
import { buildModel } from '../../src/models/build-model.js';
import { toNativeProgram } from '../../src/models/program/native-program.js';
import { packBatch } from '../../src/runtime/batch.js';
import { Session } from '../../src/runtime/session.js';
import { rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { eventually, messageOf, realModel, startWorker } from '../support/library.js';

const t = suite('checkpoint running');
/** 200 workers instead of 48. */
const full = process.env['BERTHA_TEST_FULL'] === '1';

/** The bundled model's word table is above the limit from which on rows are read when texts need them. */
const bundledWeights = path.join(realModel, 'model.safetensors');
const read = Int32Array.of(101, 7592, 2088, 102);
/** Words that nothing above needs. */
const unread = Int32Array.of(101, 7592, 29_000, 12_345, 102);

const vectorOf = async (model: Model, ids: Int32Array): Promise<Float32Array> => (await model.forward({ ids })).lastHiddenState.data;

interface Change {
  readonly what: string;
  readonly goesOn: boolean;
  /** Gets the path of model.safetensors, and of a copy of it beside it. */
  make(weights: string, other: string): void;
}

/** Bytes of a file of weights whose tensors hold other numbers. */
function overwritten(fill: (bytes: Buffer) => void): Buffer {
  const bytes = readFileSync(bundledWeights);
  fill(bytes.subarray(8 + Number(bytes.readBigUInt64LE())));
  return bytes;
}

/** Other weights under the old time of change. */
function overwriteUnseen(weights: string): void {
  const { atime, mtime } = statSync(weights);
  writeFileSync(
    weights,
    overwritten((bytes) => bytes.swap32()),
  );
  utimesSync(weights, atime, mtime);
}

const changes: readonly Change[] = [
  { what: 'a hard link to it', goesOn: true, make: (weights, other) => linkSync(weights, `${other}.link`) },
  { what: 'a rename over it', goesOn: true, make: (weights, other) => renameSync(other, weights) },
  { what: 'removing it', goesOn: true, make: (weights) => unlinkSync(weights) },
  { what: 'chmod', goesOn: true, make: (weights) => chmodSync(weights, 0o400) },
  { what: 'another time of change', goesOn: true, make: (weights) => utimesSync(weights, 1, 1) },
  { what: 'the same bytes written over it', goesOn: true, make: (weights) => copyFileSync(bundledWeights, weights) },
  { what: 'cutting it', goesOn: false, make: (weights) => truncateSync(weights, 1 << 20) },
  { what: 'emptying it', goesOn: false, make: (weights) => truncateSync(weights) },
  {
    what: 'NaNs written over it',
    goesOn: false,
    make: (weights) =>
      writeFileSync(
        weights,
        overwritten((bytes) => bytes.fill(255)),
      ),
  },
  { what: 'other weights written over it', goesOn: false, make: overwriteUnseen },
];

function copyOfModel(): string {
  const folder = temporaryFolder();
  cpSync(realModel, folder, { recursive: true });
  return folder;
}

/** Copies so old that time stamps tell contents apart, for the changes that need it: all get old at once. */
const oldCopies = new Map<Change, string>();

t.before(async () => {
  for (const change of changes) if (change.goesOn) oldCopies.set(change, copyOfModel());
  await delay(2200);
});

for (const change of changes) {
  const { what, goesOn, make } = change;
  t(`${what} ${goesOn ? 'leaves a running model as it was' : 'fails the calls with new words, and no others'}`, async () => {
    const folder = oldCopies.get(change) ?? copyOfModel();
    const weights = path.join(folder, 'model.safetensors');
    const other = path.join(temporaryFolder(), 'model.safetensors');
    if (what.startsWith('a rename')) copyFileSync(bundledWeights, other);
    const reference = await loadModel(realModel);
    const model = await loadModel(folder);
    const before = await vectorOf(model, read);
    make(weights, other);
    assert.equal(await vectorOf(model, read), before);
    if (goesOn) {
      assert.equal(await vectorOf(model, unread), await vectorOf(reference, unread));
    } else {
      const error = await rejection(() => vectorOf(model, unread));
      assert.is(error.code, 'IO', error.message);
      assert.match(error.message, 'embeddings.word_embeddings.weight');
      // Nothing of what was read instead stays.
      copyFileSync(bundledWeights, weights);
      assert.equal(await vectorOf(model, unread), await vectorOf(reference, unread));
    }
    model.dispose();
    reference.dispose();
    rmSync(folder, { recursive: true });
  });
}

/** A file as long as the bundled weights, of other numbers. */
function decoyFile(): string {
  const decoy = path.join(temporaryFolder(), 'decoy');
  writeFileSync(
    decoy,
    overwritten((bytes) => bytes.swap32()),
  );
  return decoy;
}

t('a load reads its files, whoever closes and opens others under the same numbers', async () => {
  const reference = await loadModel(realModel, { threads: 1 });
  const expected = await vectorOf(reference, unread);
  reference.dispose();
  await eventually('its weights to be gone', () => stats().models === 0);
  const decoy = decoyFile();
  const opened = await openModelDirectory(realModel);
  const { program, encoder } = buildModel(opened, { heads: false });
  const loading = Session.load(toNativeProgram(program), { precision: 'fp32', device: 'cpu', threads: 1 });
  loading.catch(() => undefined);
  await opened.close();
  const decoys = Array.from({ length: 32 }, () => openSync(decoy, 'r'));
  const session = await loading;
  for (const fd of decoys) closeSync(fd);
  assert.equal((await session.run(packBatch([{ ids: unread }]), [encoder.hiddenStates.at(-1)!]))[0], expected);
  session.dispose();
});

t('workers are terminated while they load, and neither memory nor the cache gets wrong weights', async () => {
  const cache = mkdtempSync(path.join(tmpdir(), 'bertha-descriptors-'));
  const options = { weightCache: cache, threads: 1 };
  const reference = await loadModel(realModel, { threads: 1 });
  const expected = await vectorOf(reference, unread);
  reference.dispose();
  await eventually('its weights to be gone', () => stats().models === 0);
  const decoy = decoyFile();
  let decoys: number[] = [];
  const reopen = (): void => {
    for (const fd of decoys) closeSync(fd);
    decoys = Array.from({ length: 24 }, () => openSync(decoy, 'r'));
  };
  const timer = setInterval(reopen, 0);
  const body = `parentPort.postMessage('ready');
    await loadModel(${JSON.stringify(realModel)}, ${JSON.stringify(options)});
    parentPort.postMessage('loaded');`;
  /** Terminates a worker so many milliseconds after it has begun to load; without a number when it has loaded. Returns how long that took. */
  const terminated = async (afterMs?: number): Promise<number> => {
    const worker = startWorker(body);
    await messageOf(worker);
    const begin = performance.now();
    await (afterMs === undefined ? messageOf(worker) : delay(afterMs));
    const took = performance.now() - begin;
    await worker.terminate();
    return took;
  };
  let found = 0;
  try {
    const loadMs = await terminated();
    rmSync(cache, { recursive: true });
    for (let round = 0; round < (full ? 25 : 6); round++) {
      await Promise.all(Array.from({ length: 8 }, (_, i) => terminated((loadMs * (i + 1)) / 6)));
      // Shares what a worker has begun, or finds what one has stored.
      if (round % 2 === 1) await eventually('the loads to end', () => stats().models === 0);
      const model = await loadModel(realModel, options);
      assert.equal(await vectorOf(model, unread), expected, `after round ${round}`);
      if (model.weightCache?.outcome !== 'stored') found++;
      model.dispose();
      await eventually('its weights to be gone', () => stats().models === 0);
      rmSync(cache, { recursive: true, force: true });
    }
  } finally {
    clearInterval(timer);
    for (const fd of decoys) closeSync(fd);
    rmSync(cache, { recursive: true, force: true });
  }
  assert.ok(found > 0, 'no terminated worker left weights');
});

t.run();
