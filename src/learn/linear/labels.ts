import { unexpected } from '../../expected.js';
import type { Label } from '../../metrics/classification.js';

/** Strings in the order of their code points, as Python sorts them; UTF-16 units differ above U+FFFF. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const [isHighX, isHighY] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff];
    return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
  }
  return a.length - b.length;
}

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
  return Int32Array.from(y, (label, i) => {
    const place = places.get(label);
    if (place === undefined) throw unexpected('INVALID_ARG', `known classes for ${name}`, `${String(label)} at index ${i}`);
    return place;
  });
}
