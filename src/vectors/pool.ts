// Vectors on the native pool: queries go there a tile at a time, rows in blocks. The event loop only copies, a block a slice.
import type { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { loadAddon } from '../runtime/addon.js';
import type { NativeSearch, NativeVectors } from '../runtime/native.js';
import { callNative, toBerthaError } from '../runtime/native-error.js';
import { Budget } from '../runtime/event-loop-budget.js';
import type { Rows } from './rows.js';
import { lengthError } from './vector-like.js';

/** Numbers in a block: 1 MB of float32, copied in a fraction of a millisecond. */
const kBlockNumbers = 1 << 18;
/** Queries in a tile; each tile reads all rows once. */
const kTileQueries = 1024;
/** The same where all scores come back. */
const kScoredQueries = 256;
/** Scores that come back at once: 1 MB. */
const kBlockScores = 1 << 18;
/** Blocks that wait or run at once. */
const kBlocksInFlight = 6;
/** Matches that one slice of the event loop takes. */
const kMatchesInSlice = 1 << 14;

/** How rows are compared with queries. */
export interface Comparison {
  readonly isCosine: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What is searched for. */
export interface Wanted extends Comparison {
  /** What errors call the call. */
  readonly name: string;
  /** Matches for each query at most. */
  readonly topK: number;
  /** Least score of a match. */
  readonly threshold: number;
  /** Queries in a tile at most. */
  readonly tile?: number | undefined;
}

/**
 * Finds the rows nearest to each query and hands them over, query by query, best first, in parts: of one query with very many matches
 * `take` hears several times, of one without matches once.
 *
 * Errors: INVALID_ARG for lengths that differ and numbers that are not finite; ADDON_LOAD, OUT_OF_MEMORY, the signal's reason.
 */
export async function searchRows(
  queries: Rows,
  rows: Rows,
  { name, topK, threshold, isCosine, signal, tile = kTileQueries }: Wanted,
  take: (query: number, indices: Float64Array, scores: Float64Array) => void,
): Promise<void> {
  const size = tileSize(queries, tile);
  for (let first = 0; first < queries.count; first += size) {
    const values = queries.block(first, Math.min(queries.count, first + size));
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) throw nonFinite(`queries of ${name}`, first + Math.floor(i / queries.width));
    }
    await onPool({ values, width: queries.width, topK, threshold, isCosine, signal }, async (pool) => {
      await pool.each(rows, blockRows(rows, kBlockNumbers), async (block, begin) => {
        try {
          await pool.native.add(pool.search, block, begin);
        } catch (error) {
          if ((error as { code?: unknown }).code !== 'NON_FINITE') throw error;
          throw nonFinite(`rows of ${name}`, Number((error as Error).message));
        }
      });
      await pool.native.finish(pool.search);
      for (let query = 0; query * queries.width < values.length; query++) {
        let begin = 0;
        for (let isWhole = false; !isWhole; begin += kMatchesInSlice) {
          if (pool.budget.isSpent) await pool.budget.yield();
          const { indices, scores } = pool.native.matches(pool.search, query, begin, begin + kMatchesInSlice);
          isWhole = indices.length < kMatchesInSlice;
          if (begin === 0 || indices.length > 0) take(first + query, indices, scores);
        }
      }
    });
  }
}

/**
 * All scores of queries with rows, in float32: one array [rows.count] for each query.
 *
 * Errors: INVALID_ARG, ADDON_LOAD, OUT_OF_MEMORY, the signal's reason.
 */
export async function scoreRows(queries: Rows, rows: Rows, { isCosine, signal }: Comparison): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  const size = tileSize(queries, kScoredQueries);
  for (let first = 0; first < queries.count; first += size) {
    const values = queries.block(first, Math.min(queries.count, first + size));
    const count = values.length / queries.width;
    await onPool({ values, width: queries.width, topK: 0, threshold: 0, isCosine, signal }, async (pool) => {
      for (let query = 0; query < count; query++) {
        all.push(newScores(rows.count));
        if (pool.budget.isSpent) await pool.budget.yield();
      }
      const most = Math.min(blockRows(rows, kBlockNumbers), Math.max(1, Math.floor(kBlockScores / count)));
      await pool.each(rows, most, async (block, begin) => {
        const scores = await pool.native.score(pool.search, block);
        const width = scores.length / count;
        for (let query = 0; query < count; query++) {
          all[first + query]!.set(scores.subarray(query * width, (query + 1) * width), begin);
        }
      });
    });
  }
  return all;
}

/** Requires vectors of one length. Errors: INVALID_ARG. */
export function requireSameWidth(rows: Rows, width: number, name: string): void {
  if (rows.count > 0 && width > 0 && rows.width !== width) throw lengthError(name, width, rows.width);
}

interface Pool {
  readonly native: NativeVectors;
  readonly search: NativeSearch;
  readonly budget: Budget;
  /** Calls `run` for all blocks of rows, several of them at once. */
  each(rows: Rows, most: number, run: (block: ReturnType<Rows['block']>, begin: number) => Promise<void>): Promise<void>;
}

interface Tile {
  readonly values: ReturnType<Rows['block']>;
  readonly width: number;
  readonly topK: number;
  readonly threshold: number;
  readonly isCosine: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Runs `work` with a tile of queries in native memory. An abort ends it at once; what still waits natively does nothing then. */
async function onPool({ values, width, topK, threshold, isCosine, signal }: Tile, work: (pool: Pool) => Promise<void>): Promise<void> {
  signal?.throwIfAborted();
  const { vectors: native } = loadAddon();
  const budget = new Budget(signal);
  const search = callNative(() => native.search(values, width, topK, threshold, isCosine));
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal!.reason as Error);
  });
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const each: Pool['each'] = async (rows, most, run) => {
      const inFlight = new Set<Promise<void>>();
      for (let begin = 0; begin < rows.count; begin += most) {
        const running: Promise<void> = run(rows.block(begin, Math.min(rows.count, begin + most)), begin).then(() => {
          inFlight.delete(running);
        });
        // It may fail while nobody waits for it; the next wait finds it then.
        running.catch(() => undefined);
        inFlight.add(running);
        if (inFlight.size >= kBlocksInFlight) await Promise.race(inFlight);
        if (budget.isSpent) await budget.yield();
      }
      await Promise.all(inFlight);
    };
    await Promise.race([work({ native, search, budget, each }), aborted]);
  } catch (error) {
    native.cancel(search);
    throw toBerthaError(error);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function tileSize({ width }: Rows, most: number): number {
  return Math.max(1, Math.min(most, Math.floor(kBlockNumbers / Math.max(1, width))));
}

function blockRows({ width }: Rows, numbers: number): number {
  return Math.max(1, Math.floor(numbers / Math.max(1, width)));
}

function newScores(count: number): Float32Array {
  try {
    return new Float32Array(count);
  } catch (error) {
    throw unexpected('OUT_OF_MEMORY', `memory for ${count} scores`, 'none', { cause: error });
  }
}

function nonFinite(name: string, index: number): BerthaError {
  return unexpected('INVALID_ARG', `finite numbers for the ${name}`, `others in the vector at index ${index}`);
}
