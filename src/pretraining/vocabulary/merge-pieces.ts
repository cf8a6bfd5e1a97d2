import { leftOf, pairOf, PairQueue, rightOf, type Pair } from './pair-queue.js';
import { WordPieces } from './word-pieces.js';

/** What a vocabulary is made by; names and defaults are those of tokenizers' WordPieceTrainer. */
export interface MergeOptions {
  /** Tokens that the vocabulary may have. */
  readonly vocabSize: number;
  /** Pairs that occur less often are not merged. */
  readonly minFrequency: number;
  /** Characters that the vocabulary may have; of others nothing is learned. */
  readonly limitAlphabet: number;
  /** Characters that it has in any case. */
  readonly initialAlphabet: readonly string[];
  /** The first tokens. */
  readonly specialTokens: readonly string[];
  /** What a piece begins with that goes on with a word. */
  readonly prefix: string;
}

/**
 * The rule of tokenizers' WordPieceTrainer with every order fixed: special tokens, then the alphabet by code point, then its characters
 * with the prefix in the order of their first occurrence, then merges of the most frequent pair (of equally frequent ones, that of the
 * lower ids) until the vocabulary is full or no pair is frequent enough. As there, the count of a merged pair is not taken back, and
 * a pair that comes up again is queued again with the words in which it is new. Yields the vocabulary's size now and then; returns it.
 */
export function* mergePieces(counts: Iterable<readonly [word: string, count: number]>, options: MergeOptions): Generator<number, string[]> {
  const { vocabSize, minFrequency, prefix } = options;
  const vocabulary = new Pieces(options.specialTokens);
  const words = [...counts];
  yield vocabulary.size;
  for (const character of alphabetOf(words, options)) vocabulary.idOf(character);
  const { pieces, weights } = splitWords(words, vocabulary, prefix);
  yield vocabulary.size;

  const pairs = new PairCounts(weights);
  for (let word = 0; word < pieces.size; word++) {
    pieces.forEachPair(word, (left, right) => pairs.change(word, left, right, 1));
    if (word % kWordsPerTurn === 0) yield vocabulary.size;
  }
  pairs.queueNew();
  yield vocabulary.size;

  let visited = 0;
  while (vocabulary.size < vocabSize) {
    const next = pairs.pop(Math.max(1, minFrequency));
    if (next === undefined) break;
    const [left, right] = [leftOf(next.pair), rightOf(next.pair)];
    const merged = vocabulary.idOf(vocabulary.token(left) + vocabulary.token(right).slice(prefix.length));
    for (const word of next.words) {
      pieces.merge(word, left, right, merged, (first, second, by) => pairs.change(word, first, second, by));
      if (++visited % kWordsPerTurn === 0) yield vocabulary.size;
    }
    pairs.queueNew();
  }
  return vocabulary.tokens;
}

/** Words between two yields: less than a millisecond. */
const kWordsPerTurn = 1 << 10;

/** Tokens and their ids. */
class Pieces {
  readonly tokens: string[] = [];
  readonly #ids = new Map<string, number>();

  constructor(tokens: readonly string[]) {
    for (const token of tokens) this.idOf(token);
  }

  get size(): number {
    return this.tokens.length;
  }

  token(id: number): string {
    return this.tokens[id]!;
  }

  has(token: string): boolean {
    return this.#ids.has(token);
  }

  /** The id of a token; a new one for one that is not there yet. */
  idOf(token: string): number {
    let id = this.#ids.get(token);
    if (id === undefined) {
      id = this.tokens.push(token) - 1;
      this.#ids.set(token, id);
    }
    return id;
  }
}

/** The most frequent characters, as many as the limit allows, by code point; of equally frequent ones the lower code points stay. */
function alphabetOf(words: readonly (readonly [string, number])[], { limitAlphabet, initialAlphabet }: MergeOptions): string[] {
  const counts = new Map<string, number>();
  for (const [word, count] of words) for (const c of word) counts.set(c, (counts.get(c) ?? 0) + count);
  for (const c of initialAlphabet) counts.set(c, Infinity);
  const byCodePoint = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!;
  const byCount = [...counts].sort(([a, m], [b, n]) => (m === n ? byCodePoint(a, b) : n - m));
  return byCount
    .slice(0, limitAlphabet)
    .map(([c]) => c)
    .sort(byCodePoint);
}

function splitWords(words: readonly (readonly [string, number])[], vocabulary: Pieces, prefix: string) {
  const starts = new Int32Array(words.length + 1);
  const units = words.reduce((sum, [word]) => sum + word.length, 0);
  const pieces = new Int32Array(units);
  let at = 0;
  words.forEach(([word], i) => {
    let isFirst = true;
    for (const c of word) {
      if (vocabulary.has(c)) pieces[at++] = vocabulary.idOf(isFirst ? c : prefix + c);
      isFirst = false;
    }
    starts[i + 1] = at;
  });
  return { pieces: new WordPieces(pieces.slice(0, at), starts), weights: Float64Array.from(words, ([, count]) => count) };
}

/** How often each pair occurs, and the queue of those that can be merged. */
class PairCounts {
  readonly #counts = new Map<Pair, number>();
  /** Words in which pairs have come up since they were last queued, in rising order. */
  #found = new Map<Pair, number[]>();
  readonly #queue = new PairQueue();
  /** [words]: how often each occurs. */
  readonly #weights: Float64Array;

  constructor(weights: Float64Array) {
    this.#weights = weights;
  }

  /** A pair of `word` comes up or goes. Words come in rising order between two calls of `queueNew`. */
  change(word: number, left: number, right: number, by: 1 | -1): void {
    const pair = pairOf(left, right);
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + by * this.#weights[word]!);
    if (by < 0) return;
    const words = this.#found.get(pair);
    if (words === undefined) this.#found.set(pair, [word]);
    else if (words.at(-1) !== word) words.push(word);
  }

  /** Queues the pairs that have come up. */
  queueNew(): void {
    for (const [pair, words] of this.#found) this.#push(pair, words);
    this.#found = new Map();
  }

  /** The next pair to be merged; undefined when none occurs `least` times. A pair whose count has changed since is queued anew. */
  pop(least: number): { readonly pair: Pair; readonly words: readonly number[] } | undefined {
    for (let next; (next = this.#queue.pop()) !== undefined;) {
      const { pair, count, words } = next;
      if (count !== this.#counts.get(pair)) this.#push(pair, words);
      else return count < least ? undefined : next;
    }
    return undefined;
  }

  #push(pair: Pair, words: readonly number[]): void {
    const count = this.#counts.get(pair)!;
    if (count > 0) this.#queue.push(pair, count, words);
  }
}
