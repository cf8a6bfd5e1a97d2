import { readFilePath, type FilePath } from '../../file-path.js';
import { wrongArgument } from '../../expected.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { NativeCorpus, NativeCorpusReport } from '../../runtime/words/native-words.js';
import { decode } from '../../text-files/lines.js';
import { nativeWords, untilAborted } from '../native-words.js';
import { isThere, readChunks } from '../files/read-chunks.js';
import { unpackedChunks } from '../files/unpack.js';
import { abortable } from './abortable.js';
import { LineCutter } from './corpus-lines.js';

/** A sentence: its words, or a text for the option `tokenizer`. */
export type Sentence = string | readonly string[];

/**
 * Sentences to learn from: files (one sentence a line, words split at ASCII blanks, as word2vec.c and gensim's LineSentence read them; names
 * that end in `.gz` are unpacked), streams of such text (`process.stdin`), or anything that yields sentences. A list of strings names files,
 * unless one has a blank or, with a `tokenizer`, the first is no file. It is read once, and need not fit into memory.
 */
export type Corpus = FilePath | readonly FilePath[] | AsyncIterable<Sentence | Uint8Array> | Iterable<Sentence>;

/** How a corpus is read. */
export interface CorpusOptions {
  /** Words of a sentence that is given as text. Default: split at blanks. */
  readonly tokenizer?: ((text: string) => readonly string[]) | undefined;
  /** Folder of the temporary file, 4 bytes a word. Default: the system's. */
  readonly directory: string;
  readonly maxVocabSize: number;
  readonly signal?: AbortSignal | undefined;
  /** Told how many words were read. */
  readonly onRead?: ((words: number) => void) | undefined;
}

/** A corpus on disk, counted. */
export interface ReadCorpus {
  readonly handle: NativeCorpus;
  readonly report: NativeCorpusReport;
}

/** Bytes of words that go to the pool at once. */
const kBlockBytes = 1 << 16;

/**
 * Reads a corpus into a temporary file without a name, which is gone with the corpus or the process.
 *
 * Errors: IO, with the path; INVALID_ARG for what is no sentence, with its index; what an iterable or the tokenizer throws; the signal's reason.
 */
export async function readCorpus(corpus: Corpus, options: CorpusOptions): Promise<ReadCorpus> {
  const native = nativeWords();
  await native.removeAbandoned(options.directory);
  const writer = new CorpusWriter(options);
  const paths = pathsOf(corpus, options.tokenizer !== undefined);
  if (paths !== undefined && options.tokenizer === undefined) {
    for (const path of paths) {
      if (path.endsWith('.gz')) await writer.addTextOf(unpackedChunks(path));
      else await writer.add(() => native.addFile(writer.handle, path));
    }
  } else if (paths !== undefined) {
    for (const path of paths) await writer.addSentencesOf(linesOf(path.endsWith('.gz') ? unpackedChunks(path) : readChunks(path)));
  } else if (isIterable(corpus)) {
    const items = corpus as AsyncIterable<Sentence | Uint8Array>;
    await writer.addSentencesOf(isEncodedStream(corpus) ? bytesOf(items as AsyncIterable<string>) : items);
  } else {
    throw wrongArgument('paths, or an iterable of sentences, for the corpus', corpus);
  }
  await writer.add(() => native.finishCorpus(writer.handle));
  return { handle: writer.handle, report: native.corpusReport(writer.handle) };
}

/**
 * The paths that a corpus names, or undefined where it holds sentences. A list of strings holds sentences where one of them has a blank,
 * and, for a tokenizer, where the first names no file.
 */
function pathsOf(corpus: Corpus, hasTokenizer: boolean): string[] | undefined {
  const one = readFilePath(corpus);
  if (one !== undefined) return [one];
  if (!Array.isArray(corpus) || corpus.length === 0) return undefined;
  const paths = corpus.map((item) => (typeof item === 'string' && /[ \n]/.test(item) ? undefined : readFilePath(item)));
  if (!paths.every((path) => path !== undefined)) return undefined;
  return hasTokenizer && !isThere(paths[0]!) ? undefined : paths;
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** Whether a stream gives its bytes as strings, which end anywhere: `createReadStream(path, 'utf8')`. */
function isEncodedStream(corpus: Corpus): boolean {
  const { readableEncoding, readableObjectMode } = corpus as { readonly readableEncoding?: unknown; readonly readableObjectMode?: unknown };
  return typeof readableEncoding === 'string' && readableObjectMode !== true;
}

async function* bytesOf(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const cutter = new LineCutter();
  for await (const text of decode(chunks)) yield* cutter.add(text);
  yield* cutter.end();
}

/** Words on their way to native memory, a block at a time. */
class CorpusWriter {
  readonly handle: NativeCorpus;
  readonly #options: CorpusOptions;
  readonly #budget: Budget;
  readonly #encoder = new TextEncoder();
  #bytes = new Uint8Array(2 * kBlockBytes);
  #size = 0;
  #lengths: number[] = [];
  #index = 0;
  /** For a tokenizer: the lines of a stream of bytes. */
  readonly #decoder = new TextDecoder();
  readonly #cutter = new LineCutter();

  constructor(options: CorpusOptions) {
    this.#options = options;
    this.#budget = new Budget(options.signal, 'bulk');
    this.handle = nativeWords().newCorpus(options.directory, options.maxVocabSize);
  }

  async add(start: () => Promise<void>): Promise<void> {
    await untilAborted(this.#options.signal, () => nativeWords().cancelCorpus(this.handle), start);
    this.#options.onRead?.(nativeWords().corpusReport(this.handle).words);
  }

  async addTextOf(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of abortable(chunks, this.#options.signal)) await this.#addText(chunk, false);
    await this.#addText(new Uint8Array(0), true);
  }

  async addSentencesOf(sentences: AsyncIterable<Sentence | Uint8Array>): Promise<void> {
    let hasText = false;
    for await (const sentence of abortable(sentences, this.#options.signal)) {
      if (ArrayBuffer.isView(sentence)) {
        hasText = true;
        if (this.#options.tokenizer === undefined) await this.#addText(sentence as Uint8Array, false);
        else await this.#addLines(this.#cutter.add(this.#decoder.decode(sentence as Uint8Array, { stream: true })));
      } else {
        this.#addSentence(this.#wordsOf(sentence));
      }
      await this.#flushFull();
    }
    if (hasText && this.#options.tokenizer !== undefined) {
      await this.#addLines([...this.#cutter.add(this.#decoder.decode()), ...this.#cutter.end()]);
    }
    await this.#flush();
    if (hasText) await this.#addText(new Uint8Array(0), true);
  }

  async #addLines(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      this.#addSentence(this.#wordsOf(line));
      await this.#flushFull();
    }
  }

  /** Gives words to the pool where there are enough, and the turn to others where it is spent. */
  async #flushFull(): Promise<void> {
    if (this.#size >= kBlockBytes || this.#lengths.length >= kBlockBytes) await this.#flush();
    if (this.#budget.isSpent) await this.#budget.yield();
  }

  #wordsOf(sentence: unknown): readonly unknown[] {
    const index = this.#index++;
    if (typeof sentence === 'string') {
      const { tokenizer } = this.#options;
      return tokenizer === undefined ? sentence.split(/[\t-\r ]+/) : tokenizer(sentence);
    }
    if (Array.isArray(sentence)) return sentence as readonly unknown[];
    throw wrongArgument(`a text or a list of words for sentence ${index} of the corpus`, sentence);
  }

  #addSentence(words: readonly unknown[]): void {
    for (const word of words) {
      if (typeof word !== 'string') throw wrongArgument(`a string for a word of sentence ${this.#index - 1} of the corpus`, word);
      const needed = this.#size + 3 * word.length;
      if (needed > this.#bytes.length) {
        const wider = new Uint8Array(2 * needed);
        wider.set(this.#bytes.subarray(0, this.#size));
        this.#bytes = wider;
      }
      const { written } = this.#encoder.encodeInto(word, this.#bytes.subarray(this.#size));
      this.#size += written;
      this.#lengths.push(written);
    }
    this.#lengths.push(-1);
  }

  async #flush(): Promise<void> {
    if (this.#lengths.length === 0) return;
    const [bytes, lengths] = [this.#bytes.subarray(0, this.#size), Int32Array.from(this.#lengths)];
    await this.add(() => nativeWords().addWords(this.handle, bytes, lengths));
    this.#size = 0;
    this.#lengths = [];
  }

  async #addText(chunk: Uint8Array, isEnd: boolean): Promise<void> {
    for (let begin = 0; begin < chunk.length || (isEnd && begin === 0); begin += kBlockBytes) {
      const piece = new Uint8Array(chunk.buffer, chunk.byteOffset + begin, Math.min(kBlockBytes, chunk.length - begin));
      await this.add(() => nativeWords().addText(this.handle, piece, isEnd));
    }
  }
}
