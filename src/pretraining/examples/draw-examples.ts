import { unexpected } from '../../expected.js';
import { Random } from '../../training/datasets/random.js';
import type { Documents } from '../corpus/documents.js';

/** What is learned beside masked words: nothing, whether B follows A, or whether A and B stand in their order. */
export type PairObjective = 'none' | 'next-sentence' | 'sentence-order';

/** Tokens of a part of the corpus that make an example: A, and B where there are pairs. */
export interface DrawnExample {
  readonly a: Span;
  readonly b?: Span;
  /** Of a pair: 0 where B follows A; 1 where it is from another document, or they are swapped. */
  readonly label: 0 | 1;
}

/** Tokens begin .. end. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

export interface DrawOptions {
  readonly objective: PairObjective;
  /** Longest sequence in tokens, special tokens included. */
  readonly maxLength: number;
  /** Share of examples that aim at a random shorter length. */
  readonly shortSeqProb: number;
  readonly seed: number;
  /** The number of the part of the corpus, from 0. */
  readonly part: number;
}

/**
 * Examples as google-research's BERT makes them: sentences of a document until the length is reached; a random cut between A and B; in half
 * of the cases B is text of another document, and the sentences that it displaces are used again; the longer of the two is cut, at
 * a random end. A function of the documents and the options. Yields now and then. Next sentences need two documents or more.
 *
 * Errors: MAX_LENGTH.
 */
export function* drawExamples(corpus: Documents, options: DrawOptions): Generator<void, DrawnExample[]> {
  const count = corpus.documents.length - 1;
  const drawer = new Drawer(corpus, options);
  const examples: DrawnExample[] = [];
  for (let document = 0; document < count; document++) {
    for (const example of options.objective === 'none' ? drawer.windows(document) : drawer.pairs(document)) {
      examples.push(example);
      if (examples.length % kExamplesPerTurn === 0) yield;
    }
  }
  return examples;
}

const kExamplesPerTurn = 1 << 9;

class Drawer {
  readonly #corpus: Documents;
  readonly #options: DrawOptions;
  readonly #random: Random;
  /** Tokens of an example without [CLS] and [SEP]. */
  readonly #most: number;

  constructor(corpus: Documents, options: DrawOptions) {
    this.#corpus = corpus;
    this.#options = options;
    this.#random = new Random(options.seed, 0x7061_6972, ...(options.part === 0 ? [] : [options.part]));
    const specials = options.objective === 'none' ? 2 : 3;
    this.#most = options.maxLength - specials;
    if (this.#most < 2) throw unexpected('MAX_LENGTH', `at least ${specials + 2} for maxLength`, options.maxLength);
  }

  /** Runs of whole sentences; a longer sentence is cut into runs. */
  *windows(document: number): Generator<DrawnExample> {
    const { sentences, documents } = this.#corpus;
    const [first, last] = [documents[document]!, documents[document + 1]!];
    let begin = sentences[first]!;
    let target = this.#target();
    for (let i = first; i < last; i++) {
      const end = sentences[i + 1]!;
      if (end - begin < target && i + 1 < last) continue;
      // The sentence that went over the length begins the next run, unless it is longer than any.
      const fits = end - begin <= this.#most || sentences[i]! === begin;
      for (const to = fits ? end : sentences[i]!; begin < to; begin = Math.min(to, begin + this.#most)) {
        yield { a: { begin, end: Math.min(to, begin + this.#most) }, label: 0 };
      }
      if (!fits) i--;
      target = this.#target();
    }
  }

  *pairs(document: number): Generator<DrawnExample> {
    const { sentences, documents } = this.#corpus;
    const [first, last] = [documents[document]!, documents[document + 1]!];
    let start = first;
    let target = this.#target();
    for (let i = first; i < last; i++) {
      if (i + 1 < last && sentences[i + 1]! - sentences[start]! < target) continue;
      const chunk = i + 1 - start;
      const cut = start + (chunk > 1 ? 1 + this.#random.below(chunk - 1) : 1);
      const a = { begin: sentences[start]!, end: sentences[cut]! };
      if (this.#options.objective === 'sentence-order') {
        if (chunk > 1) yield this.#ordered(a, { begin: sentences[cut]!, end: sentences[i + 1]! });
      } else if (chunk === 1 || this.#random.uniform() < 0.5) {
        yield this.#fit({ a, b: this.#elsewhere(document, target - (a.end - a.begin)), label: 1 });
        i = cut - 1;
      } else {
        yield this.#fit({ a, b: { begin: sentences[cut]!, end: sentences[i + 1]! }, label: 0 });
      }
      start = i + 1;
      target = this.#target();
    }
  }

  #target(): number {
    if (this.#random.uniform() >= this.#options.shortSeqProb) return this.#most;
    return 2 + this.#random.below(this.#most - 1);
  }

  /** Sentences of another document from a random one on, about so many tokens; one sentence at least. */
  #elsewhere(document: number, tokens: number): Span {
    const { sentences, documents } = this.#corpus;
    const drawn = this.#random.below(documents.length - 2);
    const other = drawn < document ? drawn : drawn + 1;
    const [first, last] = [documents[other]!, documents[other + 1]!];
    const start = first + this.#random.below(last - first);
    let end = start + 1;
    while (end < last && sentences[end]! - sentences[start]! < tokens) end++;
    return { begin: sentences[start]!, end: sentences[end]! };
  }

  #ordered(a: Span, b: Span): DrawnExample {
    const isSwapped = this.#random.uniform() < 0.5;
    return this.#fit(isSwapped ? { a: b, b: a, label: 1 } : { a, b, label: 0 });
  }

  /** Takes tokens from the longer of the two until they fit, each from a random end. */
  #fit({ a, b, label }: { readonly a: Span; readonly b: Span; readonly label: 0 | 1 }): DrawnExample {
    const [first, second] = [{ ...a }, { ...b }];
    for (;;) {
      const lengths = [first.end - first.begin, second.end - second.begin] as const;
      if (lengths[0] + lengths[1] <= this.#most) return { a: first, b: second, label };
      const longer = lengths[0] > lengths[1] ? first : second;
      if (this.#random.uniform() < 0.5) longer.begin++;
      else longer.end--;
    }
  }
}
