import { createHash } from 'node:crypto';
import { BerthaError, type Embedder } from 'bertha-encoder';
import type { BadRow, Source, Unit } from '../source/source.js';
import type { Store } from '../store/store.js';
import type { CutOptions } from './cut.js';
import { indexUnit, type UnitContext, type UnitCounts } from './index-unit.js';
import { storedModelOf, type ModelOptions } from './model-key.js';

/** How far a run is. */
export interface IndexProgress extends UnitCounts {
  /** What of the source is done, in its measure. */
  readonly done: number;
  /** All of it, where that is known. */
  readonly total: number | undefined;
}

/** How `indexDocuments` works. */
export interface IndexOptions extends ModelOptions, Partial<CutOptions> {
  /** Remove documents that this run does not see. Default false. */
  readonly prune?: boolean | undefined;
  /** Units in work at once. Default 2: one is read and written while the other's vectors are computed. */
  readonly concurrency?: number | undefined;
  /** Hears of every row that cannot be used; the rest goes on. */
  readonly onBad?: ((bad: BadRow) => void | Promise<void>) | undefined;
  /** Hears of each unit that is done. */
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a run came to. */
export interface IndexReport extends UnitCounts {
  readonly run: number;
  /** Units that were done before it began: it goes on where another broke off. */
  readonly unitsSkipped: number;
  readonly documentsPruned: number;
}

const kNoCounts: UnitCounts = { documents: 0, documentsUnchanged: 0, embedded: 0, rowsWritten: 0, rowsDeleted: 0, bad: 0 };
/** Units whose marks are looked up together. */
const kLookedUp = 64;

/**
 * Fills a store with the chunks of a source's documents and their vectors. Documents and chunks that are stored with the same content are not computed again; a
 * run that broke off goes on after its last finished unit. Rows depend on source, model and options alone, not on how often it broke off.
 *
 * Errors: STORE_MISMATCH (the store holds another model's vectors), MAX_LENGTH, those of source, store and `embed`, the signal's reason.
 *
 * @example
 * const report = await indexDocuments(await openSource(['docs/**\/*.md']), await openStore('notes.db'), await loadEmbedder());
 */
export async function indexDocuments(source: Source, store: Store, embedder: Embedder, options: IndexOptions = {}): Promise<IndexReport> {
  const { prune = false, concurrency = 2, signal } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64)
    throw new BerthaError('INVALID_OPTION', `Expected a whole number from 1 to 64 for option concurrency but received ${concurrency}.`);
  const cut = cutOptions(embedder, options);
  await store.prepare(await storedModelOf(embedder, options));
  const run = await store.beginRun(runParameters(source, cut));
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const context: UnitContext = { source, store, embedder, run, cut, onBad: options.onBad ?? (() => undefined), signal: both };
  const counts = { ...kNoCounts };
  let done = 0;
  let unitsSkipped = 0;
  const finish = (unit: Unit, own: UnitCounts): void => {
    done += unit.size;
    for (const key of Object.keys(counts) as (keyof UnitCounts)[]) (counts as Record<keyof UnitCounts, number>)[key] += own[key];
    options.onProgress?.({ ...counts, done, total: source.total });
  };
  const units = lookedUp(source, store, run, both, (unit) => {
    unitsSkipped++;
    finish(unit, kNoCounts);
  });
  const work = async (): Promise<void> => {
    for (let next = await units.next(); next.done !== true; next = await units.next())
      finish(next.value, await indexUnit(context, next.value));
  };
  const workers = Array.from({ length: concurrency }, () =>
    work().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(workers)).find((each) => each.status === 'rejected');
  await units.return();
  signal?.throwIfAborted();
  if (failed !== undefined) throw stop.signal.reason;
  const { documentsPruned } = await store.finishRun(run, { prune, ...(signal === undefined ? {} : { signal }) });
  return { ...counts, run, unitsSkipped, documentsPruned };
}

/** The units of a source that this run has not done yet. */
async function* lookedUp(
  source: Source,
  store: Store,
  run: number,
  signal: AbortSignal,
  skip: (unit: Unit) => void,
): AsyncGenerator<Unit, void, undefined> {
  let open: Unit[] = [];
  const left = async function* (): AsyncGenerator<Unit> {
    const isDone = await store.doneUnits(
      run,
      open.map(({ id }) => id),
    );
    for (const unit of open) {
      if (isDone.has(unit.id)) skip(unit);
      else yield unit;
    }
    open = [];
  };
  for await (const unit of source.units({ signal })) if (open.push(unit) === kLookedUp) yield* left();
  yield* left();
}

/** How documents are cut, by default in chunks of 256 tokens that share 32. Errors: MAX_LENGTH, INVALID_OPTION. */
export function cutOptions(embedder: Embedder, options: Partial<CutOptions>): CutOptions {
  const chunkTokens = options.chunkTokens ?? Math.min(256, embedder.maxTokens);
  const overlap = options.overlap ?? Math.min(32, Math.floor(chunkTokens / 4));
  if (!Number.isInteger(chunkTokens) || chunkTokens < 3 || chunkTokens > embedder.maxTokens)
    throw new BerthaError(
      'MAX_LENGTH',
      `Expected 3 to ${embedder.maxTokens} tokens, the model's limit, for option chunkTokens but received ${chunkTokens}.`,
    );
  if (!Number.isInteger(overlap) || overlap < 0 || overlap >= chunkTokens)
    throw new BerthaError('INVALID_OPTION', `Expected fewer tokens than chunkTokens for option overlap but received ${overlap}.`);
  return { chunkTokens, overlap };
}

/** What makes a run another one: where it is broken off, only one of the same parameters goes on with it. */
export function runParameters(source: Source, cut: CutOptions): string {
  return createHash('sha256')
    .update(JSON.stringify([source.definition, source.version, cut.chunkTokens, cut.overlap]))
    .digest('hex');
}
