import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { BerthaError, loadEmbedder, type Embedder, type LoadEmbedderOptions } from 'bertha-encoder';
import { WorkMetrics } from '../queue/metrics.js';
import { openSpreadRun, spreadDocuments, type ModelSpec, type SpreadOptions } from '../queue/spread.js';
import { UnitQueue } from '../queue/unit-queue.js';
import { unitsAtOnce } from '../queue/units-at-once.js';
import { startWorker, type WorkEvents } from '../queue/worker.js';
import type { Source } from '../source/source.js';
import type { Store } from '../store/store.js';
import { BadRows } from './bad-rows.js';
import { readOrHelp, required, wholeNumber, type Flags, type Typed } from './flags.js';

/** Flags about the queue. */
export const queueFlags = {
  queue: { value: 'URL', help: 'redis://HOST:PORT or postgres://USER@HOST/DATABASE: the units of the run go to workers' },
  'queue-name': { value: 'NAME', help: 'one of several queues on a service (default: bertha-index)' },
} as const satisfies Flags;

const workFlags = {
  ...queueFlags,
  store: { value: 'STORE', short: 's', help: "the store's address with its password, which the queue does not have" },
  source: { value: 'URL', help: 'the same of a source in PostgreSQL' },
  device: { value: 'NAME', short: 'd', help: 'cpu, cuda, cuda:N or auto, several with commas (default: cpu)' },
  threads: { value: 'N', short: 't', help: 'CPU threads (default: what the machine grants)' },
  concurrency: { value: 'N', help: 'units at the same time (default: two a device, one more for every 32 cores)' },
  errors: { value: 'FILE', help: 'where rows that cannot be used are written (default: errors.jsonl)' },
  'metrics-port': { value: 'PORT', help: 'serves Prometheus metrics at http://HOST:PORT/metrics' },
  'metrics-host': { value: 'HOST', help: 'where it listens (default: 127.0.0.1)' },
  'grace-seconds': { value: 'N', help: 'how long SIGTERM waits for units before they are handed back (default: 25)' },
  quiet: { short: 'q', help: 'no line for each unit' },
} as const satisfies Flags;

/** The subcommands of `bertha index`. */
export const queueCommands: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  work: runWork,
  status: runStatus,
  retry: runRetry,
};

const example = 'bertha index work --queue redis://127.0.0.1:6379';

/**
 * `bertha index work`: does units until SIGTERM or SIGINT, finishes those it has or hands them back, and returns the exit code. A second signal ends the
 * process at once. Errors: USAGE, QUEUE, IO.
 */
async function runWork(args: readonly string[]): Promise<number> {
  const what = 'Do units of runs that `bertha index … --queue` has begun, until SIGTERM. Files are read at the paths that it was given.';
  const help = { usage: 'index work --queue URL', what, examples: [example, `${example} --device cuda:0,cuda:1`] };
  const typed = readOrHelp('index work', workFlags, help, args);
  if (typed === undefined) return 0;
  const { store, source, device = 'cpu', errors = 'errors.jsonl', 'metrics-host': host } = typed.texts;
  const url = required(typed, 'queue', example);
  const port = wholeNumber(typed, 'metrics-port', 0);
  const graceMs = 1000 * (wholeNumber(typed, 'grace-seconds', 0) ?? 25);
  const devices = device.split(',');
  const bad = new BadRows(errors);
  const models = new Models(devices, wholeNumber(typed, 'threads'));
  const queue = await UnitQueue.open(url, queueOptions(typed, 'work'));
  const metrics = new WorkMetrics(() => queue.counts());
  const signals = listenForSignals();
  const print = (text: string): void => void process.stderr.write(`${text}\n`);
  try {
    const server = port === undefined ? undefined : await metrics.serve(port, host);
    if (server !== undefined)
      print(`bertha index work: metrics at http://${host ?? '127.0.0.1'}:${(server.address() as AddressInfo).port}/metrics`);
    const worker = await startWorker(url, {
      ...queueOptions(typed, 'work'),
      ...both(metrics.events, typed.switches.has('quiet') ? {} : printed(print)),
      onProblem: (problem) => print(`bertha index work: ${problem}`),
      concurrency: wholeNumber(typed, 'concurrency') ?? unitsAtOnce({ devices: devices.length }),
      openRun: (definition) =>
        openSpreadRun(definition, { load: (model) => models.load(model), store, source, onBad: (row) => bad.add(row) }),
    });
    print(`bertha index work: waiting for units of ${queue.shown}`);
    await signals.first;
    print('bertha index work: finishing its units; a second signal ends it at once');
    await worker.stop(graceMs);
    server?.close();
  } finally {
    signals.release();
    await queue.close();
    await models.dispose();
  }
  if (bad.count > 0) print(`bertha index work: ${bad.count} rows could not be used: ${bad.path}`);
  return 0;
}

/** `bertha index status`: says what a queue has to do, who does it and what is parked. Errors: USAGE, QUEUE. */
async function runStatus(args: readonly string[]): Promise<number> {
  const help = {
    usage: 'index status --queue URL',
    what: 'Show what is waiting, running and parked in a queue.',
    examples: [example.replace('work', 'status')],
  };
  const typed = readOrHelp('index status', { ...queueFlags, json: { help: 'one line of JSON' } }, help, args);
  if (typed === undefined) return 0;
  const queue = await UnitQueue.open(required(typed, 'queue', example.replace('work', 'status')), queueOptions(typed, 'status'));
  try {
    const [counts, completed, workers, failed] = [
      await queue.counts(),
      await queue.completed(),
      await queue.workers(),
      await queue.failed(20),
    ];
    const parked = failed.map(({ unit, definition, reason, attempts }) => ({
      unit: unit.reference,
      run: definition.run,
      reason,
      attempts,
    }));
    if (typed.switches.has('json')) {
      process.stdout.write(`${JSON.stringify({ queue: queue.shown, ...counts, completed, workers, parked })}\n`);
      return 0;
    }
    const { waiting, active, delayed } = counts;
    const lines = [
      `queue    ${queue.shown}`,
      `units    ${waiting} waiting, ${active} running, ${delayed} to be tried again, ${counts.failed} parked, ${completed.total} done (${completed.lastMinute} in the last whole minute)`,
      `workers  ${workers.length === 0 ? 'none' : workers.join(', ')}`,
      ...parked.map(
        ({ unit, run, reason, attempts }) => `parked   run ${run}, ${JSON.stringify(unit)}, after ${attempts} attempts: ${reason}`,
      ),
      ...(counts.failed > 0 ? [`         bertha index retry --queue ${queue.shown} takes them up again`] : []),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  } finally {
    await queue.close();
  }
}

/** `bertha index retry`: takes parked units up again. Errors: USAGE, QUEUE. */
async function runRetry(args: readonly string[]): Promise<number> {
  const help = {
    usage: 'index retry --queue URL',
    what: 'Take parked units up again, with all their attempts before them.',
    examples: [example.replace('work', 'retry')],
  };
  const typed = readOrHelp('index retry', queueFlags, help, args);
  if (typed === undefined) return 0;
  const queue = await UnitQueue.open(required(typed, 'queue', example.replace('work', 'retry')), queueOptions(typed, 'retry'));
  try {
    process.stdout.write(`${await queue.retry()} units are tried again\n`);
    return 0;
  } finally {
    await queue.close();
  }
}

/** `bertha index … --queue`: adds the units, waits for them and returns the exit code. Errors: QUEUE, those of `spreadDocuments`. */
export async function spreadRun(typed: Typed, source: Source, store: Store, embedder: Embedder, options: SpreadOptions): Promise<number> {
  const isQuiet = typed.switches.has('quiet');
  const print = (text: string): void => void (isQuiet || process.stderr.write(`bertha index: ${text}\n`));
  const queue = await UnitQueue.open(required(typed, 'queue', example), { ...queueOptions(typed, 'producer'), isProducer: true });
  try {
    let last = '';
    const { run, units, failed, addedAgain, documentsPruned } = await spreadDocuments(source, store, embedder, queue, {
      ...options,
      // The model of a bare directory is looked for at the same place by every worker.
      ...(options.modelName !== undefined && existsSync(options.modelName) ? { modelName: resolve(options.modelName) } : {}),
      prune: typed.switches.has('prune'),
      onProgress: ({ units, done, failed }) => {
        const line = `${done} of ${units} units done${failed === 0 ? '' : `, ${failed} parked`}`;
        if (line !== last) print(line);
        last = line;
      },
    });
    if (failed > 0) throw parkedUnits(failed, queue.shown);
    const again = addedAgain === 0 ? '' : `, ${addedAgain} added again that the queue had lost`;
    print(`run ${run}: ${units} units done${again}${documentsPruned === 0 ? '' : `, ${documentsPruned} documents removed`}`);
    return 0;
  } finally {
    await queue.close();
  }
}

/** How a command opens its queue; it says when it has to wait for it. */
function queueOptions({ texts }: Typed, command: string): { name?: string; onWait: (problem: string) => void } {
  const name = texts['queue-name'];
  return {
    ...(name === undefined ? {} : { name }),
    onWait: (problem) => void process.stderr.write(`bertha index ${command}: waiting for the queue: ${problem}\n`),
  };
}

/** Models by what runs ask for, once on each device, until the worker ends. */
class Models {
  readonly #devices: readonly string[];
  readonly #threads: number | undefined;
  readonly #loaded = new Map<string, Promise<readonly Embedder[]>>();

  constructor(devices: readonly string[], threads: number | undefined) {
    [this.#devices, this.#threads] = [devices, threads];
  }

  load(model: ModelSpec): Promise<readonly Embedder[]> {
    const key = JSON.stringify(model);
    const known = this.#loaded.get(key);
    if (known !== undefined) return known;
    const loaded = Promise.all(this.#devices.map((device) => this.#load(model, device)));
    loaded.catch(() => this.#loaded.delete(key));
    this.#loaded.set(key, loaded);
    return loaded;
  }

  async dispose(): Promise<void> {
    for (const loaded of this.#loaded.values()) for (const embedder of await loaded.catch(() => [])) embedder.dispose();
  }

  #load({ name, precision, adapter }: ModelSpec, device: string): Promise<Embedder> {
    const given = Object.entries({ precision, adapter, device, threads: this.#threads }).filter(([, value]) => value !== undefined);
    const options = Object.fromEntries(given) as LoadEmbedderOptions;
    return name === '' ? loadEmbedder(undefined, options) : loadEmbedder(name, options);
  }
}

function printed(print: (text: string) => void): WorkEvents {
  const name = ({ reference }: { readonly reference: object }): string => JSON.stringify(reference);
  return {
    onDone: (unit, { documents, embedded, rowsWritten }, seconds) =>
      print(
        `done ${name(unit)}: ${documents} documents, ${embedded} chunks embedded, ${rowsWritten} rows written, ${seconds.toFixed(1)} s`,
      ),
    onFailed: (unit, reason, isFinal) => print(`${isFinal ? 'parked' : 'failed, to be tried again'} ${name(unit)}: ${reason}`),
    onHandedBack: (unit) => print(`handed back ${name(unit)}`),
    onLost: (unit) => print(`lost to another worker ${name(unit)}`),
  };
}

/** Calls the events of both. */
function both(first: WorkEvents, second: WorkEvents): WorkEvents {
  return {
    onBegin: (...args) => (first.onBegin?.(...args), second.onBegin?.(...args)),
    onDone: (...args) => (first.onDone?.(...args), second.onDone?.(...args)),
    onFailed: (...args) => (first.onFailed?.(...args), second.onFailed?.(...args)),
    onHandedBack: (...args) => (first.onHandedBack?.(...args), second.onHandedBack?.(...args)),
    onLost: (...args) => (first.onLost?.(...args), second.onLost?.(...args)),
    onStalled: (...args) => (first.onStalled?.(...args), second.onStalled?.(...args)),
  };
}

/** `first` resolves with the first SIGTERM or SIGINT; the second one ends the process, until `release`. */
function listenForSignals(): { readonly first: Promise<void>; release(): void } {
  let resolveFirst: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (resolveFirst = resolve));
  let count = 0;
  const end = (signal: NodeJS.Signals): void => (count++ === 0 ? resolveFirst() : process.exit(signal === 'SIGTERM' ? 143 : 130));
  const signals = ['SIGTERM', 'SIGINT'] as const;
  for (const signal of signals) process.on(signal, end);
  return {
    first,
    release: () => {
      for (const signal of signals) process.off(signal, end);
    },
  };
}

/** The error of a run that leaves units parked. */
function parkedUnits(failed: number, shown: string): BerthaError {
  return new BerthaError(
    'QUEUE',
    `${failed} units are parked, and the run is not finished. bertha index status --queue ${shown} says why; the same command tries them again.`,
  );
}
