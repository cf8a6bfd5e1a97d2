// A store of files for tests of the queue, and the source that fills it: a unit's rows are one file, which is there whole or not at all.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenRun, UnitReport } from '../../../packages/jobs/src/queue/worker.js';
import type { UnitMarks } from '../../../packages/jobs/src/queue/producer.js';
import type { Unit } from '../../../packages/jobs/src/source/source.js';

/** What the workers of tests are given in a run's parameters. */
export interface FolderRun {
  readonly folder: string;
  readonly textsPerUnit: number;
  /** Half of a unit's time passes before its rows are written, half after. */
  readonly unitMs: number;
  /** The number of a unit that kills its worker; -1 for none. */
  readonly killer: number;
  /** The number of a unit whose work throws; -1 for none. */
  readonly thrower: number;
}

/** Units that refer to `textsPerUnit` texts each. */
export function unitsOf(count: number): { readonly all: readonly Unit[]; units(): AsyncIterable<Unit> } {
  const all = Array.from({ length: count }, (_, number): Unit => {
    const id = createHash('sha256').update(`unit ${number}`).digest('hex');
    return { id, ordinal: number, reference: { number }, version: '1', size: 1 };
  });
  return {
    all,
    units: async function* () {
      yield* all;
    },
  };
}

/** Marks of a store of files, and its cursor. */
export function folderMarks(folder: string): UnitMarks {
  const stateFile = (key: string): string => join(folder, `state-${key.replaceAll(/[^a-z0-9]/gi, '-')}`);
  mkdirSync(folder, { recursive: true });
  return {
    doneUnits: async (run, units) => new Set(units.filter((unit) => existsSync(join(folder, `${run}-${unit}.rows`)))),
    readState: async (key) => (existsSync(stateFile(key)) ? readFileSync(stateFile(key), 'utf8') : undefined),
    writeState: async (key, value) => writeWhole(stateFile(key), value),
  };
}

/** Every row of a run, a line each, in order. */
export function rowsOf(folder: string, run: number): string {
  const files = readdirSync(folder).filter((name) => name.startsWith(`${run}-`) && name.endsWith('.rows'));
  const lines = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'));
  return lines.sort().join('\n');
}

/** The work of a unit: its rows are hashes of its texts. Counts what it embeds as a worker of a model does. */
export function openFolderRun(run: number, { folder, textsPerUnit, unitMs, killer, thrower }: FolderRun): OpenRun {
  return {
    async work(unit, signal): Promise<UnitReport> {
      const none = { documents: textsPerUnit, documentsUnchanged: 0, embedded: 0, rowsWritten: 0, rowsDeleted: 0, bad: 0 };
      const file = join(folder, `${run}-${unit.id}.rows`);
      if (existsSync(file)) return none;
      const number = Number(unit.reference['number']);
      if (number === killer) process.kill(process.pid, 'SIGKILL');
      if (number === thrower) throw new Error(`unit ${number} at postgres://user:secret@host/db cannot be read`);
      await sleep(unitMs / 2, undefined, { signal });
      const rows = Array.from({ length: textsPerUnit }, (_, i) => {
        const id = `text ${number * textsPerUnit + i}`;
        return `${id.padEnd(12)} ${createHash('sha256').update(id).digest('hex')}\n`;
      });
      signal.throwIfAborted();
      writeWhole(file, rows.join(''));
      await sleep(unitMs / 2);
      return { ...none, embedded: textsPerUnit, rowsWritten: textsPerUnit };
    },
    close: async () => undefined,
  };
}

let files = 0;

/** Renaming is the commit. */
function writeWhole(file: string, text: string): void {
  const fresh = `${file}.${process.pid}.${files++}`;
  writeFileSync(fresh, text);
  renameSync(fresh, file);
}
