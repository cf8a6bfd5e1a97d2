import { unexpected } from '../../expected.js';
import type { Label } from '../../metrics/classification.js';
import { byCodePoint } from '../../metrics/lists.js';

/** The classes among labels, sorted: numbers and booleans by value, strings by code point. Errors: INVALID_ARG for labels of mixed kinds. */
export function classesOf(y: readonly Label[], name: string): Label[] {
  const kind = typeof y[0];
  const other = y.findIndex((label) => typeof label !== kind || (typeof label === 'number' && !Number.isFinite(label)));
  if (other >= 0 || !['string', 'number', 'boolean', 'undefined'].includes(kind)) {
    const wrong = Math.max(0, other);
    throw unexpected(
      'INVALID_ARG',
      `labels of one kind (strings, finite numbers or booleans) for ${name}`,
      `${String(y[wrong])} at index ${wrong}`,
    );
  }
  return [...new Set(y)].sort((a, b) => (typeof a === 'string' ? byCodePoint(a, b as string) : Number(a) - Number(b)));
}

/** The place of each label among the classes. Errors: INVALID_ARG for a label that is none of them. */
export function placesOf(y: readonly Label[], classes: readonly Label[], name: string): Int32Array {
  const places = new Map(classes.map((label, i) => [label, i]));
  const found = new Int32Array(y.length);
  for (const [i, label] of y.entries()) {
    const place = places.get(label);
    if (place === undefined) throw unexpected('INVALID_ARG', `known classes for ${name}`, `${String(label)} at index ${i}`);
    found[i] = place;
  }
  return found;
}
