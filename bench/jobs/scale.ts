// `npm run bench:jobs`: what a unit costs a queue on Redis and on PostgreSQL and a store here, measured on this machine, and what 1, 4, 16 and 64 workers would
// come to with these costs, by a simulation.
//   npm run bench:jobs [-- --texts-per-second N,…] [--units N]
// --texts-per-second: of one worker, or of several kinds; default: measured with the bundled model on this machine's processors. Redis and PostgreSQL are started as the tests do it;
// what is missing is named and left out.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEmbedder } from '../../src/index.js';
import { loadEngine } from '../../packages/jobs/src/queue/engine.js';
import { readQueueUrl } from '../../packages/jobs/src/queue/queue-url.js';
import { UnitQueue } from '../../packages/jobs/src/queue/unit-queue.js';
import type { Unit } from '../../packages/jobs/src/source/source.js';
import { openStore } from '../../packages/jobs/src/store/open-store.js';
import { Random } from '../../test/support/random.js';
import { missing, startPostgres, startRedis, type Service } from '../../test/jobs/support/services.js';
import { saturation, simulate, type UnitCosts } from './scale-model.js';

const { values } = parseArgs({ options: { 'texts-per-second': { type: 'string' }, units: { type: 'string', default: '2000' } } });
/** Chunks of a unit, of about 1 KiB each: 256 KiB of text. */
const textsPerUnit = 256;
const dimensions = 384;
const unitsAtOnce = 2;
const units = Number(values.units);

/** Texts a second of the bundled model on texts of about 200 tokens, in bulk. */
async function embedRate(): Promise<number> {
  const embedder = await loadEmbedder();
  const random = new Random(1);
  const words = 'the workers of a queue are restarted when one of them has died and its unit goes back to others'.split(' ');
  const texts = Array.from({ length: 128 }, () => Array.from({ length: 190 }, () => random.pick(words)).join(' '));
  await embedder.embed(texts.slice(0, 16));
  const begin = performance.now();
  await embedder.embed(texts);
  const rate = (1000 * texts.length) / (performance.now() - begin);
  embedder.dispose();
  return rate;
}

/** Seconds of a queue for a unit that is taken and reported, with 16 takers at once; its adding apart. */
async function queueCosts({ url }: Service, name: string): Promise<{ readonly addS: number; readonly unitS: number }> {
  const queue = await UnitQueue.open(url, { name, isProducer: true });
  const all = Array.from({ length: units }, (_, ordinal): Unit => ({
    id: String(ordinal),
    ordinal,
    reference: { ordinal },
    version: '1',
    size: 1,
  }));
  const addBegin = performance.now();
  await queue.add({ run: 1, parameters: {} }, all);
  const addS = (performance.now() - addBegin) / 1000 / units;
  const engine = await loadEngine(readQueueUrl(url));
  let done = 0;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const begin = performance.now();
  const process = async (): Promise<void> => void (++done === units && finish());
  const worker = engine.worker(name, process, { concurrency: 16 });
  await finished;
  const unitS = (performance.now() - begin) / 1000 / units;
  await worker.close();
  await queue.close();
  return { addS, unitS };
}

/** Seconds of a store for the transaction of a unit. */
async function storeCost(url: string): Promise<number> {
  const store = await openStore(url);
  const random = new Random(2);
  await store.prepare({ key: 'f'.repeat(64), name: 'drawn', dimensions, isNormalized: true });
  const run = await store.beginRun('scale');
  const write = (ordinal: number): Promise<unknown> =>
    store.write({
      run,
      position: ordinal,
      documents: Array.from({ length: 16 }, (_, i) => {
        const docId = `document ${ordinal} ${i}`;
        const chunks = Array.from({ length: textsPerUnit / 16 }, (__, chunk) => {
          const text = `chunk ${chunk} of ${docId} `.repeat(32);
          return {
            contentHash: `${docId} ${chunk}`,
            text,
            start: 0,
            end: text.length,
            metadata: { path: docId },
            embedding: random.floats(dimensions, 0.05),
          };
        });
        return { docId, contentHash: docId, chunks };
      }),
      unchanged: [],
      doneUnit: `unit ${ordinal}`,
    });
  await write(0);
  const count = 20;
  const begin = performance.now();
  for (let ordinal = 1; ordinal <= count; ordinal++) await write(ordinal);
  const seconds = (performance.now() - begin) / 1000 / count;
  await store.close();
  return seconds;
}

function print(costs: UnitCosts): void {
  const queueAt = saturation(costs.computeS, costs.queueS);
  const storeAt = saturation(costs.computeS, costs.storeS, costs.storeAtOnce);
  console.log(`the queue has no time left at ${queueAt.toFixed(0)} workers, the store at ${storeAt.toFixed(1)}`);
  console.log('| workers | texts/s | of as many alone | queue busy | store busy | processors busy |\n|---|---|---|---|---|---|');
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  for (const workers of [1, 4, 16, 64]) {
    const random = new Random(workers);
    const { textsPerS, efficiency, busy } = simulate(workers, costs, unitsAtOnce, 200 * workers, () => random.next());
    console.log(
      `| ${workers} | ${textsPerS.toFixed(0)} | ${percent(efficiency)} | ${percent(busy.queue)} | ${percent(busy.store)} | ${percent(busy.compute)} |`,
    );
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bertha-scale-'));
const services: Service[] = [];
try {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}; a unit: ${textsPerUnit} texts, ${dimensions} numbers a vector`,
  );
  const given = values['texts-per-second'];
  const rates = given === undefined ? [await embedRate()] : given.split(',').map(Number);
  const origin = given === undefined ? 'the bundled model, about 200 tokens a text, measured' : 'given';
  console.log(`a worker: ${rates.map((rate) => rate.toFixed(0)).join(' or ')} texts/s (${origin})`);
  const queues = new Map<string, number>();
  const stores = new Map<string, { readonly seconds: number; readonly atOnce: number }>();
  stores.set('SQLite', { seconds: await storeCost(join(folder, 'scale.db')), atOnce: 1 });
  for (const [name, start] of [
    ['redis', startRedis],
    ['postgres', startPostgres],
  ] as const) {
    if (missing[name] !== undefined) {
      console.log(`left out: ${missing[name]}`);
      continue;
    }
    const service = await start();
    services.push(service);
    const { addS, unitS } = await queueCosts(service, `scale-${name}`);
    console.log(
      `a queue on ${name}: ${(1e6 * addS).toFixed(0)} us to add a unit, ${(1e6 * unitS).toFixed(0)} us to take and report it (16 at once, one process)`,
    );
    queues.set(name === 'redis' ? 'Redis' : 'PostgreSQL', unitS);
    if (name !== 'postgres') continue;
    // Writes of other machines are computed side by side: as many as this machine has processors.
    const seconds = await storeCost(service.url).catch(
      (error: Error) => void console.log(`left out: store on PostgreSQL: ${error.message}`),
    );
    if (seconds !== undefined) stores.set('PostgreSQL', { seconds, atOnce: cpus().length });
  }
  for (const [name, { seconds }] of stores) console.log(`a store on ${name}: ${(1000 * seconds).toFixed(1)} ms to write a unit`);
  for (const rate of rates)
    for (const [queueName, queueS] of queues)
      for (const [storeName, { seconds, atOnce }] of stores) {
        console.log(`\na worker of ${rate.toFixed(0)} texts/s, queue on ${queueName}, store on ${storeName}:`);
        print({ queueS, storeS: seconds, storeAtOnce: atOnce, computeS: textsPerUnit / rate, texts: textsPerUnit });
      }
} finally {
  for (const service of services) await service.remove();
  rmSync(folder, { recursive: true, force: true });
}
