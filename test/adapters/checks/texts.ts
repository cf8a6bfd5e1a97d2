import { join } from 'node:path';
import { BerthaError } from 'bertha-encoder';

/** Documents, of which the second answers the question. */
export const texts = [
  'The museum opens at nine and closes at half past five.',
  'Cats sleep curled up, for up to sixteen hours a day.',
  'Parcels are delivered within three working days.',
  'You can return any item within 30 days for a refund.',
] as const;
export const question = 'How do cats sleep?';
/** The place of the answer. */
export const sleeping = 1;

/** A tiny cross-encoder: its scores mean nothing, but are always the same. */
export const crossEncoder = join(import.meta.dirname, '..', '..', 'golden', 'tiny', 'bert-cross-encoder');

/** A tiny SPLADE model, with a table of weights for queries. */
export const sparseModel = join(import.meta.dirname, '..', '..', 'golden', 'sparse', 'splade-router');

/** A tiny decoder alone, which writes nothing sensible. */
export const writer = join(import.meta.dirname, '..', '..', 'golden-generation', 'tiny', 'bertgen-lm');

/** For `assert.rejects`: whether it is an error of this package with the code. */
export function isCode(code: string) {
  return (error: unknown): boolean => error instanceof BerthaError && error.code === code;
}

/** For `assert.rejects`: whether it is the reason of a signal that was aborted without one. */
export function isAbort(error: unknown): boolean {
  return (error as Error).name === 'AbortError';
}
