import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { trainingCurves } from '../../src/explain/index.js';
import type { BerthaError } from '../../src/index.js';
import { TensorBoardFile } from '../../src/training/report/tensorboard.js';
import type { CallbackContext } from '../../src/training/callbacks/callback.js';
import { suite } from '../support/suite.js';

const t = suite('training curves');
const folder = mkdtempSync(join(tmpdir(), 'bertha-curves-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));
const logs = [
  { loss: 0.75, epoch: 0.5, step: 10 },
  { loss: NaN, epoch: 1, step: 20 },
  { eval_accuracy: 0.5, epoch: 1, step: 20 },
  { loss: 0.25, epoch: 1.5, step: 300 },
];
const loss = { name: 'train/loss', steps: [10, 20, 300], values: [0.75, NaN, 0.25] };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing',
    (error: BerthaError) => error.code,
  );
}

function run(name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

t('are the same from log.jsonl and from event files, several runs beside each other', async () => {
  const [lines, events] = [run('lines'), run('events')];
  writeFileSync(join(lines, 'log.jsonl'), logs.map((log) => `${JSON.stringify(log)}\n`).join(''));
  const file = new TensorBoardFile(events);
  await file.onTrainBegin();
  for (const log of logs) await file.onLog({} as CallbackContext, log as never);
  const { curves, warnings } = await trainingCurves([lines, events]);
  assert.equal(warnings, []);
  assert.equal(
    curves.map(({ run: own, name }) => [own, name]),
    [lines, events].flatMap((own) => ['train/loss', 'train/epoch', 'eval/accuracy'].map((name) => [own, name])),
  );
  for (const own of [lines, events])
    assert.equal(
      curves.find((each) => each.run === own && each.name === 'train/loss'),
      { run: own, ...loss },
    );
});

t('are read up to where a file is cut or damaged, with a warning; a run that went on counts from there', async () => {
  const lines = run('cut');
  writeFileSync(join(lines, 'log.jsonl'), `${logs.map((log) => JSON.stringify(log)).join('\n')}\n{"loss": 0.1, "st`);
  const cut = await trainingCurves(lines);
  assert.equal(cut.curves[0], { run: lines, ...loss });
  assert.match(cut.warnings[0]!, /log\.jsonl.* in part: line 5/);
  const events = run('cut-events');
  const writer = new TensorBoardFile(events);
  await writer.onTrainBegin();
  for (const log of logs) await writer.onLog({} as CallbackContext, log as never);
  const file = join(events, readdirSync(events)[0]!);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length - 3));
  const part = await trainingCurves([file]);
  assert.equal(part.curves.find(({ name }) => name === 'train/loss')!.steps, [10, 20]);
  assert.match(part.warnings[0]!, /cut at byte \d+/);
  whole[whole.length - 20]! ^= 1;
  writeFileSync(file, whole);
  assert.match((await trainingCurves(file)).warnings[0]!, /damaged/);
  const again = run('again');
  writeFileSync(join(again, 'log.jsonl'), [10, 20, 30, 20, 40].map((step, i) => `${JSON.stringify({ loss: i, step })}\n`).join(''));
  assert.equal((await trainingCurves(again)).curves, [{ run: again, name: 'train/loss', steps: [10, 20, 40], values: [0, 3, 4] }]);
});

t('refuse paths without logs', async () => {
  assert.is(await codeOf(trainingCurves(run('empty'))), 'INVALID_ARG');
  assert.is(await codeOf(trainingCurves(join(folder, 'nothing'))), 'IO');
  assert.is(await codeOf(trainingCurves([])), 'INVALID_ARG');
  assert.is(await codeOf(trainingCurves(7 as never)), 'INVALID_ARG');
  const odd = join(folder, 'odd.jsonl');
  appendFileSync(odd, 'no log\n');
  assert.equal((await trainingCurves(odd)).curves, []);
});

t.run();
