import { requireString } from '../../calls/inputs.js';
import type { CallOptions, PromptOptions } from '../../calls/options.js';
import { asEncoding, encodeSlices, inSlices, TextReader } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { readOptions } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { boundaryKinds, chunkSchema, type Boundary } from '../schemas.js';
import { bestCut, isWordStart } from './boundaries.js';
import { textModel, type Chunk } from './embed-windows.js';

/** Options of `chunkText`; room is left for the prompt that will stand before each chunk. */
export interface ChunkOptions extends PromptOptions, Pick<CallOptions, 'signal'> {
  /** Longest chunk in tokens, special tokens and the prompt included. Default: the model's limit. */
  readonly maxTokens?: number | undefined;
  /** Most tokens that neighbouring chunks share; what is shared begins at a word. Default 0. */
  readonly overlap?: number | undefined;
  /**
   * Where chunks may begin. Default: at Markdown headings, paragraphs, sentences and words, the first of these that makes chunks of a fair
   * length. `[]`: after exactly so many tokens, whatever is there.
   */
  readonly boundaries?: readonly Boundary[] | undefined;
}

/**
 * Cuts a text into chunks that fit a model: each, read again alone, has at most `maxTokens` tokens. Together they hold every token. A word
 * is cut only if it alone is longer. A text without tokens has no chunk.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH (no room between special tokens and overlap), INPUT_TOO_LARGE, the signal's reason.
 *
 * @example
 * const tokenizer = await loadTokenizer();
 * for (const { text, start, end } of await chunkText(tokenizer, document, { maxTokens: 128, overlap: 16 })) index(text, start, end);
 */
export async function chunkText(source: Tokenizer | Model, text: string, options?: ChunkOptions): Promise<Chunk[]> {
  const { maxTokens, overlap = 0, boundaries, prompt, promptName, signal } = readOptions('chunkText', options, chunkSchema);
  const model = textModel(source);
  requireString(text, 'the text of chunkText');
  signal?.throwIfAborted();
  const budget = new Budget(signal);
  const reader = new TextReader('chunkText', model, { maxLength: maxTokens, prompt, promptName });
  const limit = reader.maxLength ?? Infinity;
  const special = (await inSlices(reader.read('', 0, asEncoding), budget)).length;
  const cutting: Cutting = {
    tokenizer: model.tokenizer,
    reader,
    budget,
    limit,
    special,
    room: limit - special,
    overlap,
    kinds: boundaries ?? new Set(boundaryKinds),
  };
  const chunks: Chunk[] = [];
  const blockUnits = Math.max(kBlockUnits, kUnitsPerToken * cutting.room);
  for (let begin = 0; begin < text.length;) {
    const end = begin + blockUnits < text.length ? bestCut(text, begin, begin + blockUnits, new Set(['word'])) : text.length;
    const found = await chunksOf(text.slice(begin, end), cutting);
    // The last one was cut by the end of the block: it is cut again in the next.
    const open = end < text.length && found.length > 1 ? found.pop() : undefined;
    for (const chunk of found) chunks.push({ ...chunk, start: begin + chunk.start, end: begin + chunk.end });
    begin = open === undefined ? end : begin + open.start;
  }
  return chunks;
}

/** What is cut in one go, in UTF-16 units: the event loop must not wait for the tokens of a whole book. */
const kBlockUnits = 1 << 15;
/** Units of a token at most, as a rule; where tokens are longer, chunks of very many tokens are shorter than they might be. */
const kUnitsPerToken = 16;

/** How a text is cut. */
interface Cutting {
  readonly tokenizer: Tokenizer;
  readonly reader: TextReader;
  readonly budget: Budget;
  readonly limit: number;
  /** Special tokens and those of the prompt. */
  readonly special: number;
  /** Tokens of a chunk beside them. */
  readonly room: number;
  readonly overlap: number;
  readonly kinds: ReadonlySet<Boundary>;
}

/** The chunks of a text that is not too long. Errors: MAX_LENGTH. */
async function chunksOf(text: string, { tokenizer, reader, budget, limit, special, room, overlap, kinds }: Cutting): Promise<Chunk[]> {
  const whole = await inSlices(encodeSlices(tokenizer, text, { addSpecialTokens: false, offsets: true, truncation: false }), budget);
  if (whole.length > 0 && (room < 1 || overlap >= room)) {
    throw unexpected(
      'MAX_LENGTH',
      'room for the text between special tokens, prompt and overlap',
      `a limit of ${limit} tokens with an overlap of ${overlap}`,
    );
  }
  const cutter = new Cutter(text, whole.offsets!, whole.length, kinds);
  if (whole.length > 0 && whole.length <= room && reader.readsPlain) {
    const { start, end } = cutter.cut(0, 0, room);
    // Read alone it would be the same text once more.
    if (start === 0 && end === text.length) return [{ text, start, end, tokens: special + whole.length }];
  }
  const chunks: Chunk[] = [];
  let first = 0;
  let done = 0;
  while (done < whole.length) {
    const chunk = await fitted(cutter, reader, { first, done, room }, budget);
    // Where what is shared leaves no room for anything new, nothing is shared.
    if (chunk.last <= done && first < done) {
      first = done;
      continue;
    }
    chunks.push({ text: text.slice(chunk.start, chunk.end), start: chunk.start, end: chunk.end, tokens: chunk.tokens });
    done = chunk.last;
    first = overlap === 0 ? done : cutter.shared(first, done, overlap);
    if (budget.isSpent) await budget.yield();
  }
  return chunks;
}

/** Tokens first..last of the text, and how many they are when they are read alone. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly last: number;
  readonly tokens: number;
}

/** The longest piece from token `first` on that has room: fewer tokens are tried until what is read alone fits. */
async function fitted(
  cutter: Cutter,
  reader: TextReader,
  { first, done, room }: { readonly first: number; readonly done: number; readonly room: number },
  budget: Budget,
): Promise<Piece> {
  for (let tokens = room; ;) {
    const { start, end, last } = cutter.cut(first, done, tokens);
    const { length, truncated } = await inSlices(reader.read(cutter.text.slice(start, end), 0, asEncoding), budget);
    if (!truncated || last === first + 1) return { start, end, last, tokens: length };
    tokens = Math.min(tokens, last - first) - 1;
  }
}

/** The tokens of a text and where it may be cut. */
class Cutter {
  readonly text: string;
  /** [tokens, 2] */
  readonly #offsets: Int32Array;
  readonly #length: number;
  readonly #kinds: ReadonlySet<Boundary>;

  constructor(text: string, offsets: Int32Array, length: number, kinds: ReadonlySet<Boundary>) {
    this.text = text;
    this.#offsets = offsets;
    this.#length = length;
    this.#kinds = kinds;
  }

  /** At most `most` tokens from token `first` on, ending where a chunk may end, if possible behind the first `done`; at least one token. */
  cut(first: number, done: number, most: number): { start: number; end: number; last: number } {
    const start = this.#offsets[2 * first]!;
    let last = Math.min(this.#length, first + most);
    if (last < this.#length) {
      const cut = bestCut(
        this.text,
        last > done ? this.#offsets[2 * Math.max(first, done)]! : start,
        this.#offsets[2 * last]!,
        this.#kinds,
      );
      while (last > first + 1 && this.#offsets[2 * last - 1]! > cut) last--;
    }
    return { start, end: this.#offsets[2 * last - 1]!, last };
  }

  /** The first token that the chunk after tokens first..last begins with, at most `overlap` before its end. */
  shared(first: number, last: number, overlap: number): number {
    let token = Math.max(first + 1, last - overlap);
    if (this.#kinds.size === 0) return token;
    while (token < last && !isWordStart(this.text, this.#offsets[2 * token]!)) token++;
    return token;
  }
}
