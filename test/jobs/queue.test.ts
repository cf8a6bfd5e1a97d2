// Units through BullMQ on real services, done by processes that are killed, stopped and restarted: the rows must be those of an undisturbed run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { produce, type ProducerReport } from '../../packages/jobs/src/queue/producer.js';
import type { RunDefinition } from '../../packages/jobs/src/queue/unit-job.js';
import { UnitQueue } from '../../packages/jobs/src/queue/unit-queue.js';
import { isFull } from '../support/full.js';
import { Random } from '../support/random.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';
import { folderMarks, openFolderRun, rowsOf, unitsOf, type FolderRun } from './support/folder-store.js';
import { endProcesses, startProcess, type WorkerProcess } from './support/queue-process.js';
import { missing, startPostgres, startRedis, type Service } from './support/services.js';

const folders = mkdtempSync(join(tmpdir(), 'bertha-queue-'));
const pollMs = 100;
let names = 0;
/** Queues of tests, closed also where an assertion failed before the test could: an open one would keep the process. */
const opened = new Set<UnitQueue>();

/** A run of `count` units in a queue of its own on a service. */
function runOn({ url }: Service, count: number, { unitMs = 40, killer = -1, thrower = -1 } = {}) {
  const name = `test-${names++}`;
  const folder = join(folders, name);
  const parameters: FolderRun = { folder, textsPerUnit: 1000 / count, unitMs, killer, thrower };
  const definition: RunDefinition = { run: 1, parameters: { ...parameters } };
  const [marks, source] = [folderMarks(folder), unitsOf(count)];
  return {
    name,
    definition,
    source,
    marks,
    open: async (): Promise<UnitQueue> => {
      const queue = await UnitQueue.open(url, { name, isProducer: true });
      opened.add(queue);
      return queue;
    },
    produce: async (options = {}): Promise<ProducerReport> => {
      const queue = await UnitQueue.open(url, { name, isProducer: true });
      try {
        return await produce(definition, source, marks, queue, { pollMs, ...options });
      } finally {
        await queue.close();
      }
    },
    /** The rows that the store has, and those that it would have after a run in which nothing happened. */
    rows: () => rowsOf(folder, 1),
    expected: async (): Promise<string> => {
      const undisturbed = join(folders, `${name}-undisturbed`);
      folderMarks(undisturbed);
      const run = openFolderRun(1, { ...parameters, folder: undisturbed, unitMs: 0, killer: -1, thrower: -1 });
      for await (const unit of source.units()) await run.work(unit, new AbortController().signal);
      return rowsOf(undisturbed, 1);
    },
  };
}

const embeddedBy = (workers: readonly WorkerProcess[]): number =>
  workers.flatMap(({ events }) => events).reduce((sum, { embedded = 0 }) => sum + embedded, 0);

for (const [engine, start] of [
  ['redis', startRedis],
  ['postgres', startPostgres],
] as const) {
  const t = suite(`queue on ${engine}`);
  const without = missing[engine];
  let service: Service | undefined;
  t.before(async () => {
    if (without === undefined) service = await start();
  });
  t.after(async () => {
    await endProcesses();
    for (const queue of opened) await queue.close();
    opened.clear();
    await service?.remove();
  });
  const check = (name: string, act: (service: Service) => Promise<void>): void => {
    t(name, async () => {
      if (service === undefined) return skip(without ?? engine);
      await act(service);
    });
  };

  check('does every unit once, and none of a second run of two producers', async (on) => {
    const run = runOn(on, 50, { unitMs: 4 });
    const first = run.produce();
    const workers = [0, 1].map(() => startProcess(on.url, run.name, { lockMs: 30_000 }));
    assert.equal(await first, { units: 50, failed: 0, addedAgain: 0 });
    assert.is(run.rows(), await run.expected());
    assert.is(embeddedBy(workers), 1000);
    await Promise.all([run.produce(), run.produce()]);
    assert.is(embeddedBy(workers), 1000);
    const queue = await run.open();
    assert.is((await queue.completed()).total, 50);
    assert.is((await queue.workers()).length, 2);
    for (const worker of workers) worker.signal('SIGTERM');
    assert.equal(await Promise.all(workers.map(({ gone }) => gone)), [0, 0]);
  });

  check('adds a unit twice as one job, and no more than are allowed to wait', async (on) => {
    const run = runOn(on, 100);
    const queue = await run.open();
    const units = run.source.all;
    await queue.add(run.definition, units.slice(0, 20));
    await queue.add(run.definition, units.slice(0, 20));
    assert.is(await queue.outstanding(), 20);
    const stop = new AbortController();
    const produced = run.produce({ maxOutstanding: 50, signal: stop.signal }).catch((error: unknown) => error);
    await sleep(300);
    assert.is(await queue.outstanding(), 20);
    stop.abort(new Error('enough'));
    assert.match(String(await produced), /enough/);
  });

  check(`leaves the rows of an undisturbed run after up to ${isFull ? 20 : 4} kill -9 at random`, async (on) => {
    const random = new Random(engine.length);
    const unitMs = isFull ? 1500 : 200;
    const run = runOn(on, isFull ? 100 : 40, { unitMs });
    const spawn = (): WorkerProcess => startProcess(on.url, run.name, { lockMs: isFull ? 1000 : 600 });
    let report = run.produce();
    let isOver = false;
    void report.finally(() => (isOver = true));
    const workers = [spawn(), spawn()];
    let kills = 0;
    while (kills < (isFull ? 20 : 4)) {
      const at = random.integer(0, 1);
      const victim = workers[at]!;
      // Each gets past its start, so that what is killed is its work: before its rows are written, or after.
      await Promise.race([victim.until('begin'), report]);
      await sleep(random.integer(0, unitMs));
      if (isOver) break;
      victim.signal('SIGKILL');
      await victim.gone;
      workers[at] = spawn();
      kills++;
    }
    assert.ok(kills > 0);
    // A unit that four kills have met is parked; the next producer takes it up.
    for (let again = 0; (await report).failed > 0 && again < 3; again++) report = run.produce();
    assert.is((await report).failed, 0);
    assert.is(run.rows(), await run.expected());
    await endProcesses();
  });

  check('goes on after its service was killed and started again', async (on) => {
    const run = runOn(on, 50);
    const report = run.produce();
    const workers = [startProcess(on.url, run.name), startProcess(on.url, run.name)];
    await workers[0]!.until('done', 3);
    await on.kill();
    await sleep(500);
    await on.start();
    assert.is((await report).failed, 0);
    assert.is(run.rows(), await run.expected());
    await endProcesses();
  });

  check('adds again what the queue has lost', async (on) => {
    const run = runOn(on, 25);
    const report = run.produce();
    const worker = startProcess(on.url, run.name);
    await worker.until('done', 3);
    await emptyQueue(on, run.name);
    const { failed, addedAgain } = await report;
    assert.is(failed, 0);
    assert.ok(addedAgain > 0, `${addedAgain} units were added again`);
    assert.is(run.rows(), await run.expected());
    await endProcesses();
  });

  check('parks a unit that kills its workers, does the others, and takes it up again', async (on) => {
    const run = runOn(on, 20, { killer: 3, unitMs: 4 });
    const report = run.produce();
    let deaths = 0;
    let isOver = false;
    void report.finally(() => (isOver = true));
    while (!isOver) {
      const worker = startProcess(on.url, run.name, { lockMs: 300 });
      await Promise.race([worker.gone, report]);
      if (!isOver) deaths++;
    }
    assert.equal([(await report).failed, deaths], [1, 4]);
    const queue = await run.open();
    const [parked] = await queue.failed();
    assert.match(parked?.reason ?? '', /stalled/);
    assert.is(run.rows().split('\n').length, 950);
    await endProcesses();
    assert.is(await queue.retry(), 1);
    assert.is((await queue.counts()).waiting, 1);
    const again = startProcess(on.url, run.name, { lockMs: 500 });
    await again.gone;
    assert.is(again.events.filter(({ event, number }) => event === 'begin' && number === 3).length, 1);
  });

  check('tries a unit that throws five times, parks it, and keeps credentials out of its reason', async (on) => {
    const run = runOn(on, 20, { thrower: 3, unitMs: 4 });
    const queue = await run.open();
    const units = run.source.all;
    await queue.add(run.definition, units);
    const worker = startProcess(on.url, run.name);
    await worker.until('failed', 2);
    const failed = worker.events.filter(({ event }) => event === 'failed').map(({ number, isFinal }) => [number, isFinal]);
    assert.equal(failed, [
      [3, false],
      [3, false],
    ]);
    if (isFull) {
      await worker.until('failed', 5);
      await sleep(200);
      const [parked] = await queue.failed();
      assert.equal([parked?.attempts, parked?.unit.reference['number']], [5, 3]);
      assert.not.match(parked?.reason ?? '', /secret/);
    }
    assert.not.match(JSON.stringify(worker.events), /secret/);
    await endProcesses();
  });

  check('lets a worker that stood still for longer than its lock change nothing', async (on) => {
    const run = runOn(on, 5, { unitMs: 300 });
    const report = run.produce();
    const zombie = startProcess(on.url, run.name, { lockMs: 800 });
    await zombie.until('begin');
    await sleep(50);
    zombie.signal('SIGSTOP');
    const other = startProcess(on.url, run.name, { lockMs: 800 });
    await other.until('done', 4);
    const stopped = zombie.events.at(-1)?.number;
    await other.until('done', 5).catch(() => undefined);
    assert.ok(other.events.some(({ event, number }) => event === 'done' && number === stopped));
    zombie.signal('SIGCONT');
    assert.is((await report).failed, 0);
    await sleep(600);
    assert.is(run.rows(), await run.expected());
    assert.is(zombie.stderr(), '');
    await endProcesses();
  });

  check('hands its unit back on SIGTERM where it cannot finish it, and finishes it where it can', async (on) => {
    const run = runOn(on, 2, { unitMs: 1500 });
    const queue = await run.open();
    await queue.add(run.definition, run.source.all.slice(0, 1));
    const hasty = startProcess(on.url, run.name, { lockMs: 60_000, graceMs: 100 });
    await hasty.until('begin');
    hasty.signal('SIGTERM');
    assert.is(await hasty.gone, 0);
    assert.ok(hasty.events.some(({ event }) => event === 'handed back'));
    assert.equal(await queue.counts(), { waiting: 1, active: 0, delayed: 0, failed: 0 });
    const patient = startProcess(on.url, run.name, { lockMs: 60_000 });
    await patient.until('begin');
    patient.signal('SIGTERM');
    assert.is(await patient.gone, 0);
    assert.is(embeddedBy([patient]), 500);
    assert.is(await queue.outstanding(), 0);
  });

  t.run();
}

/** Throws away all that a queue has, as a Redis without its file does. */
async function emptyQueue({ url }: Service, name: string): Promise<void> {
  const { Queue, createPostgresBackend } = await import('bullmq');
  const queue = url.startsWith('redis')
    ? new Queue(name, { connection: { url } })
    : new Queue(name, { connection: { connectionString: url } }, createPostgresBackend);
  await queue.obliterate({ force: true });
  await queue.close();
}

process.once('exit', () => rmSync(folders, { recursive: true, force: true }));
