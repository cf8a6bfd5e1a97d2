import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { compareFolder, kTolerance } from '../../scripts/golden/compare.js';
import { findGoldenFolders, type GoldenFolder } from '../../scripts/golden/files.js';
import { golden, temporaryFolder } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';

const t = suite(`golden ${instructionSet}`);
const folders = findGoldenFolders(golden());

for (const folder of folders) {
  t(`${folder.name} matches its float64 reference values`, async () => {
    const report = await compareFolder(folder, { tolerance: kTolerance });
    assert.is(report.verdict, 'ok', report.toString());
  });
}

t('covers every kind of reference value', () => {
  const count = (kind: string) => folders.filter((folder) => folder.kind === kind).length;
  assert.is(count('minilm'), 1);
  assert.is(count('numerics'), 1);
  assert.ok(count('sentence') >= 12);
  assert.ok(count('tiny') >= 31);
});

/** A copy of a tiny model whose reference values `change` has changed. */
function damaged(change: (folder: string) => void): GoldenFolder {
  const folder = temporaryFolder(golden('tiny/bert-relu'));
  change(folder);
  return { kind: 'tiny', name: 'damaged', path: folder };
}

t('fails and names the place when one value of a tensor is off', async () => {
  const folder = damaged((copy) => {
    const file = path.join(copy, 'expected.safetensors');
    const bytes = readFileSync(file);
    const at = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, at)) as Record<string, { shape: number[]; data_offsets: [number, number] }>;
    const { shape, data_offsets: offsets } = header['last_hidden_state.sentence']!;
    const place = at + offsets[0] + 4 * (2 * shape[1]! + 3);
    bytes.writeFloatLE(bytes.readFloatLE(place) + 5e-5, place);
    writeFileSync(file, bytes);
  });
  const report = await compareFolder(folder, { tolerance: kTolerance });
  assert.is(report.verdict, 'FAILED');
  assert.is(report.failures.length, 1);
  assert.match(report.failures[0]!, 'last_hidden_state.sentence[2, 3]: expected');
});

t('fails when a token, an offset or a model file differs', async () => {
  const changes: readonly [string, (cases: string) => string][] = [
    ['tokens', (cases) => cases.replace('"[CLS]"', '"[SEP]"')],
    ['offsets', (cases) => cases.replace('"offsets": [[0, 0], [0,', '"offsets": [[0, 0], [1,')],
  ];
  for (const [what, change] of changes) {
    const folder = damaged((copy) => {
      const file = path.join(copy, 'cases.json');
      writeFileSync(file, change(readFileSync(file, 'utf8')));
    });
    const report = await compareFolder(folder, { tolerance: kTolerance });
    assert.is(report.verdict, 'FAILED', what);
    assert.match(report.failures[0]!, what);
  }
  const broken = damaged((copy) => writeFileSync(path.join(copy, 'model.safetensors'), 'nothing'));
  assert.is((await compareFolder(broken, { tolerance: kTolerance })).verdict, 'FAILED');
});

t('the command passes over a folder, and exits with 1 when it fails or finds nothing', () => {
  const script = fileURLToPath(new URL('../../scripts/golden.ts', import.meta.url));
  const run = (...args: string[]) => spawnSync(process.execPath, ['--import', 'tsx', script, ...args], { encoding: 'utf8' });
  const passed = run(golden('tiny/bert-relu'), golden('sentence/prompts'));
  assert.is(passed.status, 0, passed.stdout + passed.stderr);
  assert.match(passed.stdout, '2 ok, 0 failed');
  const strict = run(golden('tiny/bert-relu'), '--tolerance', '1e-9');
  assert.is(strict.status, 1);
  assert.match(strict.stdout, '0 ok, 1 failed');
  assert.is(run(temporaryFolder()).status, 1);
});

t.run();
