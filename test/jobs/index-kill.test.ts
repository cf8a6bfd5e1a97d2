// kill -9 of `bertha index` at random moments: the rows are those of a run that nobody disturbed, in stores with transactions and in those without.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { missingPeers, peers } from './support/peers.js';
import { openStore } from '../../packages/jobs/src/store/open-store.js';
import { cliProgram } from '../support/cli.js';
import { isFull } from '../support/full.js';
import { golden } from '../support/golden-path.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';
import { missing, startChroma } from './support/services.js';
import { rowsOf } from './support/stores.js';

const t = suite('bertha index: killed');
const folder = mkdtempSync(join(tmpdir(), 'bertha-kill-'));
const lackingChroma = missing.chroma ?? missingPeers.chroma;
const chroma = lackingChroma === undefined ? await startChroma() : undefined;
t.after(async () => {
  await chroma?.remove();
  rmSync(folder, { recursive: true });
});

interface Place {
  readonly url: string;
  readonly table: string;
}

/** Runs `bertha index`; killed after `ms`, where that is given. */
async function index(store: Place, ms?: number): Promise<{ code: number | null; output: string }> {
  const how = ['--model', golden('sentence/normalize'), '--chunk-tokens', '16'];
  const args = ['--import', peers, cliProgram, 'index', 'texts.jsonl', '--store', store.url, '--table', store.table, ...how];
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

async function rowsIn({ url, table }: Place): Promise<string[]> {
  const store = await openStore(url.includes('://') ? url : join(folder, url), { table });
  try {
    return await rowsOf(store);
  } finally {
    await store.close();
  }
}

const lines = Array.from({ length: isFull ? 1500 : 700 }, (_, i) =>
  JSON.stringify({ id: `n${i}`, text: `A cat ${i} sat on mat ${(i * 7) % 13}. ${'x'.repeat(400)} Then it ran away. `.repeat(2), n: i }),
);
let expected: string[] = [];
let wholeMs = 0;

t.before(async () => {
  writeFileSync(join(folder, 'texts.jsonl'), lines.join('\n'));
  const begin = performance.now();
  const place = { url: 'whole.db', table: 'passages' };
  const whole = await index(place);
  assert.is(whole.code, 0, whole.output);
  wholeMs = performance.now() - begin;
  expected = await rowsIn(place);
  assert.ok(expected.length > 1400, `${expected.length}`);
});

for (const [name, url, quick, lacking] of [
  ['sqlite', 'killed.db', 4, undefined],
  ['lance', 'killed.lancedb', 1, missingPeers.lance],
  ['chroma', chroma?.url, 1, lackingChroma],
] as const) {
  const kills = isFull ? 20 : quick;
  t(`${name}: ${kills} kills at random leave the rows of one run, byte for byte`, async () => {
    if (lacking !== undefined) return skip(lacking);
    const place = { url: url!, table: 'killed' };
    let killed = 0;
    // Moments from the program's start on, so that some fall into the first transaction and some between the later ones.
    for (let i = 0; i < kills; i++) if ((await index(place, wholeMs * (0.3 + (0.7 * (((i + 1) * 0.618) % 1)) / 2))).code === null) killed++;
    assert.ok(killed > 0);
    const last = await index(place);
    assert.is(last.code, 0, last.output);
    const rows = await rowsIn(place);
    assert.is(rows.length, expected.length);
    assert.is(rows.join('\n') === expected.join('\n'), true);
    assert.match((await index(place)).output, / 0 chunks embedded/);
  });
}

t.run();
