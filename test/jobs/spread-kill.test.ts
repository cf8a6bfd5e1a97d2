// kill -9 of workers that fill a real store through a real queue: the rows are those of one process that nobody disturbed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { loadEmbedder } from '../../src/index.js';
import { indexDocuments } from '../../packages/jobs/src/indexing/index-documents.js';
import { spreadDocuments } from '../../packages/jobs/src/queue/spread.js';
import { UnitQueue } from '../../packages/jobs/src/queue/unit-queue.js';
import { openSource } from '../../packages/jobs/src/source/open-source.js';
import { isFull } from '../support/full.js';
import { golden } from '../support/golden-path.js';
import { Random } from '../support/random.js';
import { skip } from '../support/skip.js';
import { endProcesses, startProcess, type WorkerProcess } from './support/queue-process.js';
import { missing, startPostgres, startRedis, type Service } from './support/services.js';
import { rowsOf, storeSuite } from './support/stores.js';

const { t, folder, open } = storeSuite('bertha index --queue: killed workers');
const kills = isFull ? 20 : 3;
const cut = { chunkTokens: 16, overlap: 2 };
const services: Service[] = [];
t.after(async () => {
  await endProcesses();
  for (const service of services) await service.remove();
});

/** A queue on one service, a store in a file or in another one. */
async function check(engine: 'redis' | 'postgres', storeAt: (service: Service) => string): Promise<void> {
  const service = await (engine === 'redis' ? startRedis() : startPostgres());
  services.push(service);
  const path = join(folder, 'texts.jsonl');
  const lines = Array.from({ length: isFull ? 12_000 : 1500 }, (_, i) =>
    JSON.stringify({ id: `n${i}`, text: `A cat ${i} sat on mat ${(i * 7) % 13}. ${'x'.repeat(400)} Then it ran away. `.repeat(2), n: i }),
  );
  writeFileSync(path, lines.join('\n'));
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const whole = await open(join(folder, `${engine}-whole.db`));
  await indexDocuments(await openSource([path]), whole, embedder, cut);

  const url = storeAt(service);
  const store = await open(url);
  const queue = await UnitQueue.open(service.url, { name: 'killed', isProducer: true });
  let isOver = false;
  const run = async (): Promise<number> => (await spreadDocuments(await openSource([path]), store, embedder, queue, cut)).failed;
  const first = run().finally(() => (isOver = true));
  Object.assign(process.env, { TEST_STORE: url, TEST_MODEL: golden('sentence/normalize') });
  const spawn = (): WorkerProcess => startProcess(service.url, 'killed', { script: 'spread-worker.ts' });
  const workers = [spawn(), spawn()];
  const random = new Random(7);
  let killed = 0;
  while (killed < kills && !isOver) {
    const at = random.integer(0, 1);
    await Promise.race([workers[at]!.until('begin'), first]);
    await sleep(random.integer(0, 400));
    if (isOver) break;
    workers[at]!.signal('SIGKILL');
    await workers[at]!.gone;
    workers[at] = spawn();
    killed++;
  }
  assert.ok(killed > 0);
  // A unit that four kills have met is parked; the next producer takes it up.
  for (let [failed, tries] = [await first, 0]; failed > 0; failed = await run()) assert.ok(tries++ < 3);
  const expected = await rowsOf(whole);
  assert.ok(expected.length > 3000, `${expected.length}`);
  assert.is((await rowsOf(store)).join('\n') === expected.join('\n'), true);
  await endProcesses();
  await queue.close();
  embedder.dispose();
}

t(`${kills} kills of workers that fill a file of SQLite leave the rows of one process`, async () => {
  if (missing.redis !== undefined) return skip(missing.redis);
  await check('redis', () => join(folder, 'killed.db'));
});

t(`${kills} kills of workers whose queue and store are in PostgreSQL leave the rows of one process`, async () => {
  if (!isFull) return skip('only with BERTHA_TEST_FULL=1');
  if (missing.postgres !== undefined) return skip(missing.postgres);
  await check('postgres', ({ url }) => url);
});

t.run();
