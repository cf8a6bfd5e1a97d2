import { unexpected } from '../expected.js';
import { received } from '../options.js';

/** Token ids as callers have them: a list, a typed array of 32 or 64 bits, or a tensor of one row. */
export type IdList =
  ArrayLike<number> | ArrayLike<bigint> | { readonly data: ArrayLike<number> | ArrayLike<bigint>; readonly dims: readonly number[] };

/** Errors: INVALID_ARG for what is no list, or a tensor of several rows; INVALID_IDS for what is no whole number from 0. */
export function* readIds(ids: IdList): Generator<number> {
  const list = listOf(ids);
  for (let i = 0; i < list.length; i++) {
    const value = list[i] as unknown;
    const id = typeof value === 'bigint' ? Number(value) : value;
    if (!Number.isInteger(id) || (id as number) < 0) {
      throw unexpected('INVALID_IDS', `a whole number from 0 for the id at index ${i}`, received(value));
    }
    yield id as number;
  }
}

function listOf(ids: unknown): ArrayLike<unknown> {
  if (isList(ids)) return ids;
  const { data, dims } = (ids ?? {}) as { data?: unknown; dims?: unknown };
  if (!isList(data) || !isList(dims)) {
    throw unexpected('INVALID_ARG', 'a list of ids or a tensor for decode', received(ids));
  }
  const rows = Array.from(dims).slice(0, -1);
  if (rows.every((size) => size === 1)) return data;
  throw unexpected(
    'INVALID_ARG',
    'a tensor of one row for decode',
    `one of [${Array.from(dims).join(', ')}]: decode each row, or use batch_decode`,
  );
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}
