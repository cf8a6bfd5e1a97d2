/** How much the first places count before the others: the constant of Cormack, Clarke and Büttcher (SIGIR 2009). */
const kRankConstant = 60;

/** Reciprocal rank fusion: the sum of 1 / (60 + rank) over the lists that an id stands in, ranks from 1. Highest first, equal ones by id. */
export function fuse(lists: readonly (readonly string[])[]): { readonly id: string; readonly score: number }[] {
  const scores = new Map<string, number>();
  for (const list of lists) for (const [i, id] of list.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (kRankConstant + 1 + i));
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
