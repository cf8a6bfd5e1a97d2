import { storeMismatch } from '../shared/failures.js';
import type { StoredModel } from './store.js';

/** A model as a store keeps it: JSON. */
export function writeModel({ key, name, dimensions, isNormalized }: StoredModel): string {
  return JSON.stringify({ key, name, dimensions, isNormalized });
}

/** What `writeModel` wrote; undefined where nothing stands. */
export function readModel(text: string | undefined): StoredModel | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as StoredModel);
}

/** Errors: STORE_MISMATCH, which names both models, where the vectors of one cannot be compared with those of the other. */
export function requireSameModel(stored: StoredModel, wanted: StoredModel, url: string): void {
  if (stored.key === wanted.key && stored.dimensions === wanted.dimensions && stored.isNormalized === wanted.isNormalized) return;
  const named = ({ name, key, dimensions }: StoredModel): string =>
    `vectors of ${name === '' ? 'the bundled model' : name} (${dimensions} numbers, key ${key.slice(0, 12)}…)`;
  const hint = 'Vectors of two models, precisions or prompts cannot be compared: use the same model, or another store.';
  throw storeMismatch(`the store ${url} to hold ${named(wanted)}`, named(stored), hint);
}
