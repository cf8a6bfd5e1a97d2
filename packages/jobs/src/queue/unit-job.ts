import { createHash } from 'node:crypto';
import type { JsonObject } from 'bertha-encoder';
import type { Unit } from '../source/source.js';

/** What all units of a run share, from which a worker opens store, source and model. JSON, without credentials. */
export interface RunDefinition {
  /** The run's number in its store. */
  readonly run: number;
  /** What `openRun` needs. */
  readonly parameters: JsonObject;
}

/** What stands in the queue of a unit: a reference, never a text. */
export interface UnitJob {
  readonly definition: RunDefinition;
  readonly unit: Unit;
}

/**
 * Hash of the run and the unit's reference: a unit that is added twice, by two producers or by one that was started again, is one job. The number
 * of the run is in it, so that the failed job of an earlier run is in nobody's way. The letter keeps it from being all digits, which BullMQ refuses.
 */
export function jobIdOf(definition: RunDefinition, unit: Unit): string {
  const hash = createHash('sha256').update(canonicalJson(definition)).update('\0').update(unit.id).digest('hex');
  return `u${hash.slice(0, 40)}`;
}

/** JSON with the keys of every object in order. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
