// A worker of a queue for tests, in a process that they can kill or stop: `queue-worker.ts URL NAME LOCK_MS GRACE_MS`. It tells what it does on
// standard output, a line of JSON each.
import { startWorker } from '../../../packages/jobs/src/queue/worker.js';
import { openFolderRun, type FolderRun } from './folder-store.js';

const [url = '', name = '', lockMs = '', graceMs = ''] = process.argv.slice(2);
const tell = (event: string, unit: { readonly reference: object } | undefined, more: object = {}): void =>
  void process.stdout.write(`${JSON.stringify({ event, ...unit?.reference, ...more })}\n`);

const worker = await startWorker(url, {
  name,
  concurrency: 1,
  lockMs: Number(lockMs),
  stalledMs: Number(lockMs) / 2,
  openRun: async ({ run, parameters }) => openFolderRun(run, parameters as unknown as FolderRun),
  onBegin: (unit) => tell('begin', unit),
  onDone: (unit, { embedded }) => tell('done', unit, { embedded }),
  onFailed: (unit, reason, isFinal) => tell('failed', unit, { reason, isFinal }),
  onHandedBack: (unit) => tell('handed back', unit),
  onLost: (unit) => tell('lost', unit),
  onStalled: () => tell('stalled', undefined),
});
process.once('SIGTERM', () => void worker.stop(Number(graceMs)).then(() => process.exit(0)));
tell('ready', undefined);
