import { unexpected } from '../../expected.js';
import type { Budget } from '../../runtime/event-loop-budget.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import type { Corpus } from './text-source.js';
import { TokenArena } from './token-arena.js';

/**
 * How text is laid out: 'sentences', one a line (or item) with blank lines between documents; 'documents', one a line (or item), whose
 * sentences are found by Unicode's rules.
 */
export type CorpusFormat = 'sentences' | 'documents';

/** A part of a corpus as tokens. Sentence i is tokens sentences[i] .. sentences[i + 1]; document d sentences documents[d] .. documents[d + 1]. */
export interface Documents {
  readonly tokens: TokenArena;
  readonly sentences: readonly number[];
  readonly documents: readonly number[];
}

/** How a corpus is read. */
export interface ReadOptions {
  readonly format: CorpusFormat;
  /** A part of a corpus ends with the document in which it reaches this many tokens. Default 2^23. */
  readonly partTokens?: number | undefined;
  /** Whether every part needs two documents or more, and documents may not be cut. */
  readonly needsOthers: boolean;
  readonly onProgress?: ((bytes: number, totalBytes: number | undefined) => void) | undefined;
}

/** Units of text that are read between two looks at the clock. */
const kUnitsPerTurn = 1 << 13;
const kPartTokens = 1 << 23;
/** The longest document that may not be cut. */
const kPartsPerDocument = 4;

/**
 * Reads a corpus into memory part by part; a part is gone when the next one is asked for. Sentences and documents without tokens are left out. Special tokens
 * in the text are text. A document longer than a part is cut; with `needsOthers` one longer than four parts is an error.
 *
 * Errors: those of the corpus, EMPTY_INPUT, INVALID_ARG (one document that needs others); the reason of the budget's signal.
 */
export async function* readDocuments(
  corpus: Corpus,
  tokenizer: Tokenizer,
  budget: Budget,
  options: ReadOptions,
): AsyncGenerator<Documents, void, undefined> {
  const { format, partTokens = kPartTokens, needsOthers, onProgress } = options;
  const part = new Part(tokenizer.vocabSize, partTokens, needsOthers);
  const longest = needsOthers ? kPartsPerDocument * partTokens : partTokens;
  let isEmpty = true;
  for await (const text of corpus.texts()) {
    onProgress?.(corpus.readBytes, corpus.totalBytes);
    if (format === 'sentences' && text.trim() === '') part.endDocument();
    for (const sentence of format === 'sentences' ? [text] : sentencesOf(text)) {
      const task = tokenizer.startEncoding(sentence, {
        truncation: false,
        addSpecialTokens: false,
        splitSpecialTokens: true,
        offsets: true,
      });
      while (!task.run(kUnitsPerTurn)) if (budget.isSpent) await budget.yield();
      const { ids, offsets } = task.finish();
      if (ids.length > 0) part.add(ids, offsets!);
      if (budget.isSpent) await budget.yield();
      if (part.openTokens > longest) {
        if (needsOthers) throw oneDocument(`one of more than ${longest} tokens`);
        part.endDocument();
      }
    }
    if (format === 'documents') part.endDocument();
    isEmpty &&= part.tokens.length === 0;
    const whole = part.takeWhole();
    if (whole !== undefined) yield whole;
  }
  part.endDocument();
  if (isEmpty && part.tokens.length === 0) throw unexpected('EMPTY_INPUT', 'words in the corpus', 'none');
  const rest = part.all();
  if (needsOthers && rest.documents.length < 3) throw oneDocument('one document');
  if (rest.documents.length > 1) yield rest;
}

function oneDocument(what: string): Error {
  return unexpected('INVALID_ARG', 'two or more documents for next sentences, with blank lines between them,', what, {
    hint: "objective 'mlm' needs no pairs.",
  });
}

/** What of a corpus is in memory. */
class Part {
  readonly tokens: TokenArena;
  readonly #most: number;
  /** Documents that are kept for the next part: of any document that follows there are others then. */
  readonly #kept: number;
  #sentences: number[] = [0];
  #documents: number[] = [0];
  #taken = 0;

  constructor(vocabSize: number, most: number, needsOthers: boolean) {
    this.tokens = new TokenArena(vocabSize);
    this.#most = most;
    this.#kept = needsOthers ? 2 : 0;
  }

  /** Tokens of the document that is being read. */
  get openTokens(): number {
    return this.tokens.length - this.#sentences[this.#documents.at(-1)!]!;
  }

  add(ids: Int32Array, offsets: Int32Array): void {
    this.tokens.add(ids, offsets);
    this.#sentences.push(this.tokens.length);
  }

  endDocument(): void {
    if (this.#sentences.length - 1 > this.#documents.at(-1)!) this.#documents.push(this.#sentences.length - 1);
  }

  /** The documents that make a part, until the next call; undefined as long as they are too few, or too short. */
  takeWhole(): Documents | undefined {
    this.#forgetTaken();
    const whole = this.#documents.length - 1 - this.#kept;
    if (whole < Math.max(1, this.#kept) || this.#sentences[this.#documents[whole]!]! < this.#most) return undefined;
    this.#taken = whole;
    const documents = this.#documents.slice(0, whole + 1);
    return { tokens: this.tokens, sentences: this.#sentences.slice(0, documents[whole]! + 1), documents };
  }

  all(): Documents {
    this.#forgetTaken();
    return { tokens: this.tokens, sentences: this.#sentences, documents: this.#documents };
  }

  #forgetTaken(): void {
    if (this.#taken === 0) return;
    const sentence = this.#documents[this.#taken]!;
    const token = this.#sentences[sentence]!;
    this.tokens.forget(token);
    this.#sentences = this.#sentences.slice(sentence).map((each) => each - token);
    this.#documents = this.#documents.slice(this.#taken).map((each) => each - sentence);
    this.#taken = 0;
  }
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' });

function* sentencesOf(text: string): Generator<string> {
  for (const { segment } of segmenter.segment(text)) yield segment;
}
