import { BerthaError, type Embedder, type JsonObject } from 'bertha-encoder';
import { cutOptions, runParameters, type IndexOptions } from '../indexing/index-documents.js';
import { indexUnit } from '../indexing/index-unit.js';
import type { CutOptions } from '../indexing/cut.js';
import { storedModelOf } from '../indexing/model-key.js';
import { sourceOf } from '../source/open-source.js';
import type { BadRow, Source } from '../source/source.js';
import { openStore } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import { produce, type ProducerOptions, type ProducerReport } from './producer.js';
import type { RunDefinition } from './unit-job.js';
import type { UnitQueue } from './unit-queue.js';
import type { OpenRun, UnitReport } from './worker.js';

/** How `spreadDocuments` works. */
export interface SpreadOptions
  extends Pick<IndexOptions, 'chunkTokens' | 'overlap' | 'modelName' | 'adapter' | 'prune'>, Omit<ProducerOptions, 'pollMs'> {
  /** The store's table, as `openStore` was given it. */
  readonly table?: string | undefined;
}

/** What a spread run came to. */
export interface SpreadReport extends ProducerReport {
  readonly run: number;
  readonly documentsPruned: number;
}

/** What workers are told of a run. */
interface SpreadParameters {
  /** Without credentials. */
  readonly store: string;
  readonly table: string | undefined;
  readonly source: JsonObject;
  readonly model: string;
  readonly adapter: string | undefined;
  readonly precision: string;
  readonly cut: CutOptions;
}

/**
 * Does what `indexDocuments` does, by workers on other machines: adds the source's units to a queue, waits until they are done, and finishes the run. Workers
 * find files at the same paths, and open the store by the same address. A run with parked units is not finished: the next call tries them again.
 *
 * Errors: INVALID_OPTION for a store that has one writer, those of `indexDocuments` and of `UnitQueue`.
 */
export async function spreadDocuments(
  source: Source,
  store: Store,
  embedder: Embedder,
  queue: UnitQueue,
  options: SpreadOptions = {},
): Promise<SpreadReport> {
  const { prune = false, signal, table, adapter } = options;
  if (store.hasOneWriter === true)
    throw new BerthaError(
      'INVALID_OPTION',
      `Expected a store that several processes may write (SQLite, PostgreSQL, Chroma) for a queue but received ${store.url}. Leave the queue out, or choose another store.`,
    );
  const cut = cutOptions(embedder, options);
  const model = await storedModelOf(embedder, options);
  await store.prepare(model);
  const run = await store.beginRun(runParameters(source, cut));
  const precision = embedder.precision.chosen;
  const parameters: SpreadParameters = { store: store.url, table, source: source.definition, model: model.name, adapter, precision, cut };
  // JSON has no undefined: what a worker reads back has the same hash.
  const definition = JSON.parse(JSON.stringify({ run, parameters })) as RunDefinition;
  const report = await produce(definition, source, store, queue, options);
  if (report.failed > 0) return { ...report, run, documentsPruned: 0 };
  const { documentsPruned } = await store.finishRun(run, signal === undefined ? { prune } : { prune, signal });
  return { ...report, run, documentsPruned };
}

/** The model of a run, loaded once for each device of the machine. */
export interface ModelSpec {
  readonly name: string;
  readonly precision: string;
  readonly adapter: string | undefined;
}

/** With what `openSpreadRun` opens runs. */
export interface SpreadWork {
  /** The run's model on each device of this machine; the caller disposes of them. */
  readonly load: (model: ModelSpec) => Promise<readonly Embedder[]>;
  /** The store's address with its credentials, where the run's does not do. */
  readonly store?: string | undefined;
  /** The same of a source in PostgreSQL. */
  readonly source?: string | undefined;
  readonly onBad?: ((bad: BadRow) => void | Promise<void>) | undefined;
}

/** Opens a run that `spreadDocuments` has begun: the `openRun` of `startWorker`. Errors: STORE_MISMATCH for a model that is not the run's, those of stores. */
export async function openSpreadRun(
  { run, parameters }: RunDefinition,
  { load, store: address, source: sourceAddress, onBad = () => undefined }: SpreadWork,
): Promise<OpenRun> {
  const { store: url, table, source: definition, model, adapter, precision, cut } = parameters as unknown as SpreadParameters;
  const embedders = await load({ name: model, precision, adapter });
  const store = await openStore(address ?? url, { table });
  let source: Source | undefined;
  try {
    source = await sourceOf(definition, sourceAddress);
    for (const embedder of embedders) await store.prepare(await storedModelOf(embedder, { modelName: model, adapter }));
  } catch (error) {
    await source?.close();
    await store.close();
    throw error;
  }
  const opened = source;
  const loads = embedders.map((embedder) => ({ embedder, units: 0 }));
  return {
    async work(unit, signal): Promise<UnitReport> {
      if ((await store.doneUnits(run, [unit.id])).has(unit.id)) return noWork;
      const least = loads.reduce((best, each) => (each.units < best.units ? each : best));
      least.units++;
      try {
        return await indexUnit({ source: opened, store, embedder: least.embedder, run, cut, onBad, signal }, unit);
      } finally {
        least.units--;
      }
    },
    async close(): Promise<void> {
      await opened.close();
      await store.close();
    },
  };
}

const noWork: UnitReport = { documents: 0, documentsUnchanged: 0, embedded: 0, rowsWritten: 0, rowsDeleted: 0, bad: 0 };
