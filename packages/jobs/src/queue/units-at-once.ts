import { availableParallelism } from 'node:os';

/** The machine that a worker works on. */
export interface Machine {
  readonly cores?: number;
  /** Devices that compute; 1 for a machine that computes on its cores. */
  readonly devices?: number;
}

/**
 * How many units a worker does at the same time: two a device, so that one is read and written while the other is computed, and one more for every 32
 * cores, because reading and cutting is done by one of them.
 */
export function unitsAtOnce({ cores = availableParallelism(), devices = 1 }: Machine = {}): number {
  return 2 * devices + Math.floor(cores / 32);
}
