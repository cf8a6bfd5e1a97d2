import type { StoredDocument } from './store.js';

/** Where a store keeps a few values by their names, read and written inside a transaction. */
export interface MetaTable {
  read(key: string): string | undefined;
  write(key: string, value: string): void;
}

/** What stands of the last run. */
interface LastRun {
  readonly number: number;
  readonly parameters: string;
}

/** The number of a run that begins, or of the last one if that had the same parameters and was not finished. */
export function beginRunOf(meta: MetaTable, parameters: string): number {
  const { isNew, run } = nextRun(meta.read('run'), meta.read('finished'), parameters);
  if (isNew) meta.write('run', JSON.stringify({ number: run, parameters } satisfies LastRun));
  return run;
}

/** The same from the two values, for stores that read them otherwise. */
export function nextRun(
  last: string | undefined,
  finished: string | undefined,
  parameters: string,
): { readonly isNew: boolean; readonly run: number } {
  const { number, parameters: before } = last === undefined ? { number: 0, parameters: undefined } : (JSON.parse(last) as LastRun);
  const isOpen = number > Number(finished ?? 0);
  return isOpen && before === parameters ? { isNew: false, run: number } : { isNew: true, run: number + 1 };
}

/** Whether a document was seen by a later run, or by an earlier unit of this one. */
export function isLater(stored: StoredDocument, run: number, position: number): boolean {
  return stored.run > run || (stored.run === run && stored.position < position);
}
