// Entities of tagged sequences, as seqeval 1.2 counts them.
import { averageOf, type PrecisionRecall, scores, sumOf, type Counts } from './classification.js';
import { requireSameLength, total } from './lists.js';

/** A stretch of tags: from `begin` to `end`, exclusive. */
export interface Span {
  readonly type: string;
  readonly begin: number;
  readonly end: number;
}

/** Scores of entities. */
export interface EntityScores {
  readonly micro: PrecisionRecall & { readonly support: number };
  /** The mean over the types. */
  readonly macro: PrecisionRecall;
  readonly byType: Readonly<Record<string, PrecisionRecall & { readonly support: number }>>;
  /** The share of tags that are right. */
  readonly tokenAccuracy: number;
}

/**
 * The entities of a sequence of tags such as B-PER, I-PER and O (also E and S). An entity ends where the type changes, and begins where
 * one has ended, whatever the tag; in `strict` IOB2 it begins with B only and goes on with I of its type.
 */
export function entitySpans(tags: readonly string[], strict = false): Span[] {
  const spans: Span[] = [];
  let open: { readonly type: string; readonly begin: number } | undefined;
  let [lastTag, lastType] = ['O', ''];
  for (let i = 0; i <= tags.length; i++) {
    const [tag, type] = split(tags[i] ?? 'O');
    const isChange = type !== lastType;
    const ends = strict ? tag !== 'I' || isChange : 'ES'.includes(lastTag) || 'BSO'.includes(tag) || isChange;
    const starts = strict ? tag === 'B' : tag !== 'O' && ('BS'.includes(tag) || 'ESO'.includes(lastTag) || isChange);
    if (open !== undefined && ends) {
      spans.push({ ...open, end: i });
      open = undefined;
    }
    if (starts) open = { type, begin: i };
    [lastTag, lastType] = [tag, type];
  }
  return spans;
}

/**
 * Precision, recall and F1 of entities, an entity being right when type, begin and end are.
 *
 * Errors: INVALID_ARG for lists of different lengths.
 */
export function entityScores(
  labels: readonly (readonly string[])[],
  predictions: readonly (readonly string[])[],
  { strict = false }: { readonly strict?: boolean | undefined } = {},
): EntityScores {
  requireSameLength('entityScores', labels, predictions);
  const counts = new Map<string, { correct: number; predicted: number; actual: number }>();
  const of = (type: string) => {
    const found = counts.get(type) ?? { correct: 0, predicted: 0, actual: 0 };
    counts.set(type, found);
    return found;
  };
  labels.forEach((tags, i) => {
    requireSameLength(`sequence ${i} of entityScores`, tags, predictions[i]!);
    const key = ({ type, begin, end }: Span): string => `${begin} ${end} ${type}`;
    const actual = entitySpans(tags, strict);
    const known = new Set(actual.map(key));
    for (const { type } of actual) of(type).actual++;
    for (const span of entitySpans(predictions[i]!, strict)) {
      of(span.type).predicted++;
      if (known.has(key(span))) of(span.type).correct++;
    }
  });
  const scored = (count: Counts) => ({ ...scores(count), support: count.actual });
  const types = [...counts.keys()].sort();
  const byType = Object.fromEntries(types.map((type) => [type, scored(counts.get(type)!)]));
  const right = labels.map((tags, i) => tags.filter((tag, j) => tag === predictions[i]![j]).length);
  return {
    micro: scored(sumOf([...counts.values()])),
    macro: averageOf(Object.values(byType), 'macro'),
    byType,
    tokenAccuracy: total(right) / total(labels.map(({ length }) => length)),
  };
}

function split(tag: string): [string, string] {
  return tag === 'O' ? ['O', ''] : [tag.slice(0, 1), tag.slice(tag.indexOf('-') + 1)];
}
