// A worker of spread runs for tests that kill it: as `bertha index work`, with a lock that is soon over. `spread-worker.ts URL NAME LOCK_MS GRACE_MS`; in its environment
// TEST_STORE is the address of the store, TEST_MODEL a model's directory.
import { loadEmbedder } from 'bertha-encoder';
import { openSpreadRun } from '../../../packages/jobs/src/queue/spread.js';
import { startWorker } from '../../../packages/jobs/src/queue/worker.js';

const [url = '', name = '', lockMs = '', graceMs = ''] = process.argv.slice(2);
const embedder = await loadEmbedder(process.env['TEST_MODEL']);
const tell = (event: string, more: object = {}): void => void process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const worker = await startWorker(url, {
  name,
  concurrency: 2,
  lockMs: Number(lockMs),
  stalledMs: Number(lockMs) / 2,
  openRun: (definition) => openSpreadRun(definition, { load: async () => [embedder], store: process.env['TEST_STORE'] }),
  onBegin: () => tell('begin'),
  onDone: (_unit, { embedded }) => tell('done', { embedded }),
  onFailed: (_unit, reason, isFinal) => tell('failed', { reason, isFinal }),
});
process.once('SIGTERM', () => void worker.stop(Number(graceMs)).then(() => process.exit(0)));
tell('ready');
