import { unexpected } from '../../expected.js';
import { received } from '../../options.js';

/** What a text should say: one text, or several of which each is right. */
export type References = readonly (string | readonly string[])[];

/** A written text and what it should say. */
export interface TextPair {
  readonly hypothesis: string;
  readonly references: readonly string[];
}

/** Python's white space. */
const kSpace = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/** Checks texts and their references. Errors: INVALID_ARG (no texts, lists of different lengths, what is no text). */
export function textPairs(call: string, hypotheses: readonly string[], references: References): readonly TextPair[] {
  if (!Array.isArray(hypotheses) || hypotheses.length === 0)
    throw unexpected('INVALID_ARG', `at least one text for ${call}`, received(hypotheses));
  if (!Array.isArray(references) || references.length !== hypotheses.length) {
    const got = Array.isArray(references) ? `${references.length}` : received(references);
    throw unexpected('INVALID_ARG', `as many references as the ${hypotheses.length} texts of ${call}`, got);
  }
  return hypotheses.map((hypothesis: unknown, i) => {
    const reference: unknown = references[i];
    const list: readonly unknown[] = Array.isArray(reference) ? reference : [reference];
    const wrong = [hypothesis, ...list].find((text) => typeof text !== 'string');
    if (wrong !== undefined || typeof hypothesis !== 'string' || list.length === 0 || list.includes(undefined))
      throw unexpected('INVALID_ARG', `a text and at least one reference at index ${i} of ${call}`, received(wrong));
    return { hypothesis, references: list as readonly string[] };
  });
}

/** Words between white space, as Python's split gives them. */
export function splitSpaces(text: string): readonly string[] {
  return text.split(kSpace).filter((word) => word !== '');
}

/** How often each run of `n` items occurs. */
export function countRuns(items: readonly string[], n: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= items.length; i++) {
    const run = items.slice(i, i + n).join(' ');
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
}

/** How many of the runs of `counts` are among those of `others`, each as often as it is there. */
export function countShared(counts: ReadonlyMap<string, number>, others: ReadonlyMap<string, number>): number {
  let shared = 0;
  for (const [run, count] of counts) shared += Math.min(count, others.get(run) ?? 0);
  return shared;
}

/**
 * The share of texts that are one of their references, to the character.
 *
 * Errors: INVALID_ARG.
 *
 * @example
 * exactMatch(['1987-05-03', '1992-03-03'], ['1987-05-03', '1992-03-04']); // 0.5
 */
export function exactMatch(hypotheses: readonly string[], references: References): number {
  const pairs = textPairs('exactMatch', hypotheses, references);
  return pairs.filter((pair) => pair.references.includes(pair.hypothesis)).length / pairs.length;
}
