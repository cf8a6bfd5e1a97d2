import type { Source, Unit } from '../source/source.js';
import type { Store } from '../store/store.js';
import { pauseFor } from '../shared/patience.js';
import type { RunDefinition } from './unit-job.js';
import type { UnitQueue } from './unit-queue.js';

/** What a producer needs of a store: marks of units, and a place for its cursor. */
export type UnitMarks = Pick<Store, 'doneUnits' | 'readState' | 'writeState'>;

/** How far a run is. */
export interface ProducerProgress {
  /** Units that the source has given so far. */
  readonly units: number;
  /** Those of them that are done. */
  readonly done: number;
  /** In the source's measure, as `Unit.size`. */
  readonly sizeDone: number;
  /** Those that are parked. */
  readonly failed: number;
}

/** How a producer works. */
export interface ProducerOptions {
  /** Units in the queue at most. Default 10,000. */
  readonly maxOutstanding?: number | undefined;
  /** How often it looks at the queue, in milliseconds. Default 1000. */
  readonly pollMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ProducerProgress) => void) | undefined;
}

/** What became of a run's units. */
export interface ProducerReport {
  readonly units: number;
  readonly failed: number;
  /** Units that had to be added again because the queue had lost them. */
  readonly addedAgain: number;
}

/** Units that are looked up in the store, and added, at a time. */
const unitsAtOnce = 500;
/** The longest time between two looks at every unit that is not done, which finds those that the queue has lost. */
const longestPassPauseMs = 15_000;

/** Where a producer stands, in the store. */
const cursorKey = ({ run }: RunDefinition): string => `queue-cursor:${run}`;

/**
 * Adds a run's units to a queue and returns when all are done or parked. A producer that was killed goes on where its cursor in the store stands;
 * two of the same run add each unit once. At the end every unit that the store does not call done and that the queue does not have is added again.
 *
 * Errors: those of the source, the store and the queue, and the signal's reason; the cursor stays, and the next producer goes on from it.
 */
export async function produce(
  definition: RunDefinition,
  source: Pick<Source, 'units'>,
  store: UnitMarks,
  queue: UnitQueue,
  options: ProducerOptions = {},
): Promise<ProducerReport> {
  // Whoever starts a run again wants its parked units to be tried again.
  await queue.retry(definition);
  await addAll(definition, source, store, queue, options);
  let addedAgain = 0;
  for (;;) {
    const begin = performance.now();
    const pass = await lookThrough(definition, source, store, queue, options);
    addedAgain += pass.addedAgain;
    if (pass.open === 0) return { units: pass.units, failed: pass.failed, addedAgain };
    // A look costs the queue a question for every open unit: it has the queue for itself a tenth of the time at most.
    const pauseMs = Math.min(longestPassPauseMs, Math.max(2 * (options.pollMs ?? 1000), 10 * (performance.now() - begin)));
    await untilEmpty(queue, pauseMs, options);
  }
}

/** Adds the units that come after the cursor, and waits where the queue is full. */
async function addAll(
  definition: RunDefinition,
  source: Pick<Source, 'units'>,
  store: UnitMarks,
  queue: UnitQueue,
  options: ProducerOptions,
): Promise<void> {
  const { signal, maxOutstanding = 10_000, pollMs = 1000 } = options;
  const cursor = Number((await store.readState(cursorKey(definition))) ?? 0);
  let units = 0;
  for await (const slice of slicesOf(source, signal)) {
    units += slice.length;
    if (units <= cursor) continue;
    const done = await store.doneUnits(definition.run, idsOf(slice));
    const open = slice.filter(({ id }) => !done.has(id));
    let outstanding = await queue.outstanding();
    while (outstanding > 0 && outstanding + open.length > maxOutstanding) {
      await pauseFor(pollMs, signal);
      outstanding = await queue.outstanding();
    }
    await queue.add(definition, open);
    await store.writeState(cursorKey(definition), String(units));
    options.onProgress?.({ units, done: Math.max(0, units - outstanding - open.length), sizeDone: 0, failed: 0 });
  }
}

interface Pass {
  readonly units: number;
  /** Not done and not parked. */
  readonly open: number;
  readonly failed: number;
  readonly addedAgain: number;
}

/** Looks at every unit: what is not done and not in the queue is added again. */
async function lookThrough(
  definition: RunDefinition,
  source: Pick<Source, 'units'>,
  store: UnitMarks,
  queue: UnitQueue,
  { signal, onProgress }: ProducerOptions,
): Promise<Pass> {
  let [units, open, failed, addedAgain, sizeDone] = [0, 0, 0, 0, 0];
  for await (const slice of slicesOf(source, signal)) {
    units += slice.length;
    const done = await store.doneUnits(definition.run, idsOf(slice));
    const notDone = slice.filter(({ id }) => !done.has(id));
    sizeDone += slice.reduce((sum, { id, size }) => sum + (done.has(id) ? size : 0), 0);
    const seen = await queue.lookUp(definition, notDone);
    failed += seen.failed;
    open += notDone.length - seen.failed;
    // One that was done between the two questions is in neither place either: its worker finds the mark, and that is all.
    await queue.add(definition, seen.absent);
    addedAgain += seen.absent.length;
  }
  onProgress?.({ units, done: units - open - failed, sizeDone, failed });
  return { units, open, failed, addedAgain };
}

/** Waits until the queue has nothing to do, `ms` at most. */
async function untilEmpty(queue: UnitQueue, ms: number, { signal, pollMs = 1000 }: ProducerOptions): Promise<void> {
  const end = performance.now() + ms;
  do {
    await pauseFor(pollMs, signal);
  } while (performance.now() < end && (await queue.outstanding()) > 0);
}

async function* slicesOf(source: Pick<Source, 'units'>, signal: AbortSignal | undefined): AsyncGenerator<readonly Unit[]> {
  let slice: Unit[] = [];
  for await (const unit of source.units(signal === undefined ? {} : { signal })) {
    slice.push(unit);
    if (slice.length < unitsAtOnce) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

const idsOf = (units: readonly Unit[]): string[] => units.map(({ id }) => id);
