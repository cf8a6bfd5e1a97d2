import type { TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { argmax } from '../../tasks/scoring/scores.js';
import type { Encoding } from '../../tokenizer/index.js';
import type { LabelSet } from '../datasets/label-set.js';
import { describeRow, type Row } from '../datasets/row.js';
import { readClass } from './classification.js';
import type { CollatedBatch, Collator, Example } from './collator.js';
import { packExamples, sumOf, tokenBounds } from './pack.js';
import { RowReader, sequenceOf, type RowOptions } from './row-reader.js';

/** Options of `TokenClassificationCollator`. */
export interface TokenClassificationOptions extends RowOptions {
  readonly labels: LabelSet;
  /** Labels every piece of a word; those behind the first get I- of its type. Default: the others do not count. */
  readonly labelAllTokens?: boolean | undefined;
}

/** A text whose words have labels. */
export interface TaggedExample extends Example {
  /** [tokens] -100 for what does not count. */
  readonly labels: Int32Array;
  /** Tokens that begin a word: what is predicted of the row. */
  readonly firsts: readonly number[];
  readonly hasLabels: boolean;
}

/** A stretch of a text in UTF-16 units, with the label of what it is, as an id. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly rest: number;
}

const kIgnored = -100;

/**
 * Rows of words with tags (tokens, ner_tags), or of a text with entities { start, end, label } in UTF-16 units. The first piece of a word has its label, the
 * others -100. Predictions and labels are tags, one a word.
 *
 * Errors of `encode`: DATASET (lists of different lengths, an unknown tag, a span outside the text), MAX_LENGTH.
 */
export class TokenClassificationCollator implements Collator<Row, TaggedExample> {
  readonly #reader: RowReader;
  readonly #labels: LabelSet;
  readonly #labelsAll: boolean;

  constructor(model: TextModel, options: TokenClassificationOptions) {
    this.#reader = new RowReader(model, options, { offsets: true });
    this.#labels = options.labels;
    this.#labelsAll = options.labelAllTokens ?? false;
  }

  *encode(row: Row, index: number): Generator<void, TaggedExample> {
    const { columns } = this.#reader;
    const words = columns.get(row, 'tokens');
    const isSpans = words === undefined;
    const text = isSpans ? columns.text(row, 'text', index) : this.#join(words, row, index);
    const encoding = yield* this.#reader.encode(text, row, index);
    const { stretches, hasLabels } = isSpans ? this.#spans(text, encoding, row, index) : this.#words(words as string[], row, index);
    const labels = new Int32Array(encoding.length).fill(kIgnored);
    const firsts: number[] = [];
    let at = 0;
    let last = -1;
    for (let token = 0; token < encoding.length; token++) {
      if (encoding.sequenceIds[token] !== 0) continue;
      const begin = encoding.offsets![2 * token]!;
      while (at < stretches.length && begin >= stretches[at]!.end) at++;
      const stretch = stretches[at];
      if (stretch === undefined || begin < stretch.start) continue;
      if (at !== last) firsts.push(token);
      if (at !== last || this.#labelsAll) labels[token] = at === last ? stretch.rest : stretch.first;
      last = at;
    }
    const sequence = sequenceOf(encoding);
    return { index, sequences: [sequence], tokens: encoding.length, labels, firsts, hasLabels };
  }

  collate(examples: readonly TaggedExample[]): CollatedBatch {
    const packed = packExamples(examples);
    const labels = new Int32Array(packed.inputIds.length);
    const bounds = tokenBounds(examples);
    examples.forEach((example, i) => labels.set(example.labels, bounds[i]));
    const { id2label } = this.#labels;
    const width = id2label.length;
    const nameAt = (logits: Float32Array, token: number): string => id2label[argmax(logits.subarray(token * width, (token + 1) * width))]!;
    const counted = examples.map(({ labels: own, firsts }) => firsts.filter((token) => own[token] !== kIgnored));
    const isLabelled = examples.every(({ hasLabels }) => hasLabels);
    return {
      rows: examples.length,
      tokens: packed.inputIds.length,
      numItems: [sumOf([...labels], (label) => (label === kIgnored ? 0 : 1))],
      batch: { ...packed, labels },
      read: (logits) => ({
        predictions: examples.map(({ firsts }, i) =>
          (isLabelled ? counted[i]! : firsts).map((token) => nameAt(logits, bounds[i]! + token)),
        ),
        labels: isLabelled ? examples.map(({ labels: own }, i) => counted[i]!.map((token) => id2label[own[token]!]!)) : [],
      }),
    };
  }

  warn(): void {
    this.#reader.warn();
  }

  #join(words: unknown, row: Row, index: number): string {
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words.join(' ');
    throw unexpected('DATASET', `a list of words in ${describeRow(row, index)}`, typeof words);
  }

  /** Words as they stand in the text that joins them, with their tags. */
  #words(words: readonly string[], row: Row, index: number): { stretches: Stretch[]; hasLabels: boolean } {
    const tags = this.#reader.columns.get(row, 'tags');
    const where = (): string => describeRow(row, index);
    if (tags !== undefined && (!Array.isArray(tags) || tags.length !== words.length)) {
      throw unexpected('DATASET', `${words.length} tags, one a word, in ${where()}`, Array.isArray(tags) ? tags.length : typeof tags);
    }
    let start = 0;
    const stretches = words.map((word, i) => {
      const first = tags === undefined ? kIgnored : readClass((tags as unknown[])[i], this.#labels, where);
      const stretch = { start, end: start + word.length, first, rest: this.#restOf(first) };
      start += word.length + 1;
      return stretch;
    });
    return { stretches, hasLabels: tags !== undefined };
  }

  /** The words of a text with the tags that its entities give them. */
  #spans(text: string, encoding: Encoding, row: Row, index: number): { stretches: Stretch[]; hasLabels: boolean } {
    const entities = this.#reader.columns.get(row, 'entities');
    const where = (): string => describeRow(row, index);
    const spans = entities === undefined ? [] : readSpans(entities, text, where);
    const covered = new Set<number>();
    const stretches = wordsOf(encoding).map(({ start, end }): Stretch => {
      const at = spans.findIndex((span) => span.start < end && start < span.end);
      const tag = at < 0 ? 'O' : `${covered.has(at) ? 'I' : 'B'}-${spans[at]!.label}`;
      if (at >= 0) covered.add(at);
      const first = entities === undefined ? kIgnored : readClass(tag, this.#labels, where);
      return { start, end, first, rest: this.#restOf(first) };
    });
    if (covered.size < spans.length) this.#reader.note('have entities without a token, or beyond the length limit', row, index);
    return { stretches, hasLabels: entities !== undefined };
  }

  /** The label of a word's further pieces: I- where the first has B-. */
  #restOf(label: number): number {
    const name = this.#labels.id2label[label];
    return name?.startsWith('B-') === true ? (this.#labels.label2id.get(`I-${name.slice(2)}`) ?? label) : label;
  }
}

/** Where the words of a text lie, as its tokens tell. */
function wordsOf({ offsets, wordIds, sequenceIds, length }: Encoding): { start: number; end: number }[] {
  const words: { start: number; end: number }[] = [];
  let last: number | null = null;
  for (let token = 0; token < length; token++) {
    if (sequenceIds[token] !== 0) continue;
    if (wordIds[token] === last) words.at(-1)!.end = offsets![2 * token + 1]!;
    else words.push({ start: offsets![2 * token]!, end: offsets![2 * token + 1]! });
    last = wordIds[token]!;
  }
  return words;
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** Entities in order. Errors: DATASET for what lies outside the text, is empty, or overlaps another. */
function readSpans(value: unknown, text: string, where: () => string): Span[] {
  if (!Array.isArray(value)) throw unexpected('DATASET', `a list of entities in ${where()}`, typeof value);
  const spans = (value as Partial<Record<string, unknown>>[]).map(({ start, end, label }) => {
    const isPlace = Number.isInteger(start) && Number.isInteger(end) && 0 <= (start as number) && (start as number) < (end as number);
    if (!isPlace || (end as number) > text.length || typeof label !== 'string') {
      const got = `start ${String(start)}, end ${String(end)}, label ${String(label)}`;
      throw unexpected('DATASET', `entities with a label, within the ${text.length} UTF-16 units of the text of ${where()}`, got);
    }
    return { start: start as number, end: end as number, label };
  });
  spans.sort((a, b) => a.start - b.start);
  const overlap = spans.findIndex((span, i) => i > 0 && span.start < spans[i - 1]!.end);
  if (overlap < 0) return spans;
  throw unexpected('DATASET', `entities that do not overlap in ${where()}`, `two at ${spans[overlap]!.start}`);
}
