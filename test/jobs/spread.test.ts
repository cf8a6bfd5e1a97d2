// A whole run over a queue, by the commands, with a real store and a model of test/golden: rows are those of one process.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { runIndex } from '../../packages/jobs/src/command/index-command.js';
import { UnitQueue } from '../../packages/jobs/src/queue/unit-queue.js';
import type { BerthaError } from '../../src/index.js';
import { golden } from '../support/golden-path.js';
import { skip } from '../support/skip.js';
import { missing, startRedis, type Service } from './support/services.js';
import { rowsOf, storeSuite } from './support/stores.js';

const { t, folder, open } = storeSuite('bertha index --queue');
let service: Service | undefined;
t.before(async () => {
  mkdirSync(join(folder, 'docs'));
  // A file of records is a unit of its own.
  for (let i = 0; i < 6; i++) {
    const lines = Array.from({ length: 30 }, (_, line) =>
      JSON.stringify({ id: `${i}/${line}`, text: `File ${i} says in line ${line} that cats sleep.` }),
    );
    writeFileSync(join(folder, 'docs', `${i}.jsonl`), lines.join('\n'));
  }
  if (missing.redis === undefined) service = await startRedis();
});
t.after(async () => void (await service?.remove()));

/** What a command writes while `act` runs. */
async function written(stream: 'stdout' | 'stderr', act: (sofar: () => string) => Promise<unknown>): Promise<string> {
  const { write } = process[stream];
  let text = '';
  process[stream].write = (chunk: string | Uint8Array) => ((text += String(chunk)), true);
  try {
    await act(() => text);
  } finally {
    process[stream].write = write;
  }
  return text;
}

const errorOf = async (args: readonly string[]): Promise<BerthaError> => {
  try {
    await runIndex(args);
  } catch (error) {
    return error as BerthaError;
  }
  throw new Error(`${args.join(' ')} did not fail`);
};

t('two workers fill the store that one process fills, and embed nothing the second time', async () => {
  if (service === undefined) return skip(missing.redis ?? 'redis');
  const { url } = service;
  const store = (name: string): string => join(folder, `${name}.db`);
  const fill = (name: string, ...more: readonly string[]): Promise<number> =>
    runIndex([
      join(folder, 'docs'),
      ...['--store', store(name), '--model', golden('sentence/normalize'), '--chunk-tokens', '16', '--overlap', '2'],
      ...['--errors', join(folder, 'errors.jsonl'), ...more],
    ]);
  const work = (): Promise<number> => runIndex(['work', '--queue', url, '--errors', join(folder, 'errors.jsonl'), '--metrics-port', '0']);
  let metrics = '';
  const said = await written('stderr', async (soFar) => {
    assert.is(await fill('alone', '--quiet'), 0);
    const workers = [work(), work()];
    assert.is(await fill('spread', '--queue', url), 0);
    assert.is(await fill('spread', '--queue', url), 0);
    const status = await written('stdout', () => runIndex(['status', '--queue', url, '--json']));
    const { waiting, failed, completed, workers: names } = JSON.parse(status) as Record<string, unknown>;
    assert.equal([waiting, failed, (names as string[]).length], [0, 0, 2]);
    assert.equal(completed, { total: 12, lastMinute: (completed as { lastMinute: number }).lastMinute });
    assert.match(await written('stdout', () => runIndex(['status', '--queue', url])), /0 waiting, 0 running.*12 done/);
    assert.is(await written('stdout', () => runIndex(['retry', '--queue', url])), '0 units are tried again\n');
    metrics = await (await fetch(/http:.*metrics/.exec(soFar())![0])).text();
    process.kill(process.pid, 'SIGTERM');
    assert.equal(await Promise.all(workers), [0, 0]);
  });
  assert.match(said, /run 1: 6 units done/);
  assert.match(metrics, /bertha_index_units_total{outcome="done"} [1-9]/);
  assert.match(metrics, /bertha_index_queue_units{state="waiting"} 0/);
  assert.match(metrics, /bertha_index_units_active 0/);
  const expected = await rowsOf(await open(store('alone')));
  assert.equal(await rowsOf(await open(store('spread'))), expected);
  const embedded = [...said.matchAll(/^done .* (\d+) chunks embedded/gm)].map(([, count]) => Number(count));
  assert.is(embedded.length, 12);
  assert.is(
    embedded.reduce((sum, count) => sum + count, 0),
    expected.length,
  );
});

t('parks at once what no attempt can mend, and says so', async () => {
  if (service === undefined) return skip(missing.redis ?? 'redis');
  const { url } = service;
  const queue = await UnitQueue.open(url, { name: 'broken', isProducer: true });
  const source = { kind: 'none' };
  const parameters = { store: join(folder, 'broken.db'), source, model: golden('sentence/normalize'), precision: 'fp32', cut: {} };
  await queue.add({ run: 1, parameters }, [{ id: 'a', ordinal: 0, reference: { place: 7 }, version: '1', size: 1 }]);
  const said = await written('stderr', async () => {
    const worker = runIndex(['work', '--queue', url, '--queue-name', 'broken']);
    while ((await queue.counts()).failed === 0) await sleep(50);
    process.kill(process.pid, 'SIGTERM');
    assert.is(await worker, 0);
  });
  assert.match(said, /parked \{"place":7\}: Expected the definition of a source/);
  const status = await written('stdout', () => runIndex(['status', '--queue', url, '--queue-name', 'broken']));
  assert.match(status, /1 parked[^]*run 1, \{"place":7\}, after 1 attempts/);
  await queue.close();
});

t('refuses wrong usage', async () => {
  for (const command of ['work', 'status', 'retry']) {
    const missingFlag = await errorOf([command]);
    assert.equal([missingFlag.code, missingFlag.message.includes('--queue')], ['USAGE', true]);
    const wrong = await errorOf([command, '--queue', 'mongodb://user:secret@host']);
    assert.is(wrong.code, 'INVALID_OPTION');
    assert.not.match(wrong.message, /secret/);
    assert.match(await written('stdout', () => runIndex([command, '--help'])), new RegExp(`Usage: bertha index ${command}`));
  }
});

t.run();
