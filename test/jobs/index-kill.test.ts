// kill -9 of `bertha index` at random moments: the rows are those of a run that nobody disturbed.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { openStore } from '../../packages/jobs/src/store/open-store.js';
import { cliProgram } from '../support/cli.js';
import { isFull } from '../support/full.js';
import { golden } from '../support/golden-path.js';
import { suite } from '../support/suite.js';
import { rowsOf } from './support/stores.js';

const t = suite('bertha index: killed');
const folder = mkdtempSync(join(tmpdir(), 'bertha-kill-'));
t.after(() => rmSync(folder, { recursive: true }));
const kills = isFull ? 20 : 4;

/** Runs `bertha index`; killed after `ms`, where that is given. */
async function index(store: string, ms?: number): Promise<{ code: number | null; output: string }> {
  const args = [cliProgram, 'index', 'texts.jsonl', '--store', store, '--model', golden('sentence/normalize'), '--chunk-tokens', '16'];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  if (ms !== undefined) {
    await Promise.race([sleep(ms), ended]);
    child.kill('SIGKILL');
  }
  return { code: await ended, output };
}

async function rowsIn(path: string): Promise<string[]> {
  const store = await openStore(join(folder, path));
  try {
    return await rowsOf(store);
  } finally {
    await store.close();
  }
}

t(`${kills} kills at random leave the rows of one run, byte for byte`, async () => {
  const lines = Array.from({ length: 1500 }, (_, i) =>
    JSON.stringify({ id: `n${i}`, text: `A cat ${i} sat on mat ${(i * 7) % 13}. ${'x'.repeat(400)} Then it ran away. `.repeat(2), n: i }),
  );
  writeFileSync(join(folder, 'texts.jsonl'), lines.join('\n'));
  const begin = performance.now();
  const whole = await index('whole.db');
  assert.is(whole.code, 0, whole.output);
  const wholeMs = performance.now() - begin;
  let killed = 0;
  // Moments from the program's start on, so that some fall into the first transaction and some between the later ones.
  for (let i = 0; i < kills; i++) if ((await index('killed.db', wholeMs * (0.3 + (0.7 * ((i * 0.618) % 1)) / 2))).code === null) killed++;
  assert.ok(killed > 0);
  const last = await index('killed.db');
  assert.is(last.code, 0, last.output);
  const [expected, rows] = [await rowsIn('whole.db'), await rowsIn('killed.db')];
  assert.ok(expected.length > 3000, `${expected.length}`);
  assert.is(rows.length, expected.length);
  assert.is(rows.join('\n') === expected.join('\n'), true);
  assert.match((await index('killed.db')).output, / 0 chunks embedded/);
});

t.run();
