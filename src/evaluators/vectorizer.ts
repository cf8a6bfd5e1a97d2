import { unexpected } from '../expected.js';
import type { VectorLike } from '../vectors/vector-like.js';

/** What turns texts into vectors: an embedder, or anything with its `embed`. */
export interface Vectorizer {
  /** A vector for each text, in their order. */
  embed(texts: readonly string[]): Promise<readonly VectorLike[]>;
  /** A vector for each query; `embed` is used where it is not there. */
  encodeQuery?(texts: readonly string[]): Promise<readonly VectorLike[]>;
  /** The same for documents. */
  encodeDocument?(texts: readonly string[]): Promise<readonly VectorLike[]>;
}

/** Vectors of texts, each different text embedded once. */
export async function embedOnce(
  embed: (texts: readonly string[]) => Promise<readonly VectorLike[]>,
  texts: readonly string[],
): Promise<(text: string) => VectorLike> {
  const unique = [...new Set(texts)];
  const vectors = unique.length === 0 ? [] : await embed(unique);
  const places = new Map(unique.map((text, i) => [text, i]));
  return (text) => vectors[places.get(text)!]!;
}

/** Embeds as for queries, or for documents. */
export function asQueries(model: Vectorizer): (texts: readonly string[]) => Promise<readonly VectorLike[]> {
  return (texts) => (model.encodeQuery === undefined ? model.embed(texts) : model.encodeQuery(texts));
}

/** The same for documents. */
export function asDocuments(model: Vectorizer): (texts: readonly string[]) => Promise<readonly VectorLike[]> {
  return (texts) => (model.encodeDocument === undefined ? model.embed(texts) : model.encodeDocument(texts));
}

/** Requires lists of one length that is not 0. Errors: INVALID_ARG. */
export function requireLists(name: string, ...lists: readonly (readonly unknown[])[]): void {
  const lengths = lists.map((list) => (Array.isArray(list) ? list.length : -1));
  if (lengths[0]! < 1 || lengths.some((length) => length !== lengths[0])) {
    throw unexpected('INVALID_ARG', `lists of one length, not empty, for ${name}`, lengths.join(', '));
  }
}
