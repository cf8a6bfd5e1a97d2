import type { TextModel } from '../../calls/text-reader.js';
import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { bestSlices, spanProbabilities } from '../../tasks/spans/answer-spans.js';
import type { Encoding } from '../../tokenizer/index.js';
import { unitCounter } from '../datasets/read-squad.js';
import { describeRow, type Row } from '../datasets/row.js';
import type { CollatedBatch, Collator, Example } from './collator.js';
import { countTokens, packExamples, sumOf } from './pack.js';
import { RowReader, sequenceOf, type RowOptions } from './row-reader.js';

/** Options of `QuestionAnsweringCollator`. */
export interface QuestionAnsweringOptions extends RowOptions {
  /** Tokens that neighbouring windows of a long context share. Default: half a window, at most 128. */
  readonly docStride?: number | undefined;
  /** Longest answer in tokens that is predicted. Default 30. */
  readonly maxAnswerLen?: number | undefined;
  /** Whether "no answer" may be predicted, as SQuAD 2.0 asks. Default false. */
  readonly handleImpossibleAnswer?: boolean | undefined;
}

/** A question and its context, in as many windows as that needs. */
export interface AnswerExample extends Example {
  readonly windows: readonly Encoding[];
  /** First and last token of the answer, [windows, 2]; both 0, [CLS], in a window without it. */
  readonly spans: Int32Array | undefined;
  readonly context: string;
  readonly answers: readonly string[];
}

/** Where an answer stands in its context, in UTF-16 units. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Questions on texts of any length, which are read in overlapping windows; a row is all windows of one question. Rows are { question, context, answers: { text,
 * answer_start or answerStart } }; positions count UTF-16 units, or code points where only so the answer is found. A row whose answer does not
 * stand there, or whose question leaves no room for the context, is left out, with a warning. Predictions are the texts of answers, labels lists of right ones.
 *
 * Errors of `encode`: DATASET.
 */
export class QuestionAnsweringCollator implements Collator<Row, AnswerExample> {
  readonly #reader: RowReader;
  readonly #longest: number;
  readonly #canBeImpossible: boolean;

  constructor(model: TextModel, options: QuestionAnsweringOptions) {
    const maxLength = options.maxLength ?? Math.min(model.maxTokens ?? 384, 384);
    const stride = options.docStride ?? Math.min(Math.floor(maxLength / 2), 128);
    // [CLS], two [SEP], and at least one token each of the question and beyond what windows share.
    if (stride > maxLength - 5)
      throw unexpected('INVALID_OPTION', `at most ${maxLength - 5} for docStride with maxLength ${maxLength}`, stride);
    const encode = { truncation: 'only_second', stride, offsets: true } as const;
    this.#reader = new RowReader(model, { ...options, maxLength }, encode);
    this.#longest = options.maxAnswerLen ?? 30;
    this.#canBeImpossible = options.handleImpossibleAnswer ?? false;
  }

  *encode(row: Row, index: number): Generator<void, AnswerExample | undefined> {
    const { columns } = this.#reader;
    const question = columns.text(row, 'question', index).trimStart();
    const context = columns.text(row, 'context', index);
    const answers = readAnswers(columns.get(row, 'answers'), () => describeRow(row, index));
    const place = answers === undefined || answers.texts.length === 0 ? undefined : placeOf(context, answers);
    if (place === null) {
      this.#reader.note('were left out: their answers do not stand in the context where they should', row, index);
      return undefined;
    }
    const encoding = yield* this.#windows(question, context, row, index);
    if (encoding === undefined) return undefined;
    const windows = [encoding, ...encoding.overflowing];
    const sequences = windows.map(sequenceOf);
    const spans = answers === undefined ? undefined : Int32Array.from(windows.flatMap((window) => spanIn(window, place)));
    return { index, sequences, tokens: countTokens(sequences), windows, spans, context, answers: answers?.texts ?? [] };
  }

  collate(examples: readonly AnswerExample[]): CollatedBatch {
    const packed = packExamples(examples);
    const numItems = sumOf(examples, ({ spans }) => (spans === undefined ? 0 : spans.length / 2));
    // Positions before the first token do not count.
    const spans = examples.flatMap(({ spans: own, windows }) => (own === undefined ? windows.flatMap(() => [-100, -100]) : [...own]));
    return {
      rows: examples.length,
      tokens: packed.inputIds.length,
      numItems: [numItems],
      batch: { ...packed, spans: Int32Array.from(spans) },
      read: (logits) => {
        let begin = 0;
        const predictions = examples.map(({ windows, context }) => {
          const rows = windows.map(({ length }) => logits.subarray(2 * begin, 2 * (begin += length)));
          return this.#bestAnswer(context, windows, rows);
        });
        return { predictions, labels: examples.some(({ spans: own }) => own === undefined) ? [] : examples.map(({ answers }) => answers) };
      },
    };
  }

  warn(): void {
    this.#reader.warn();
  }

  /** A question with its context; undefined for one that leaves no room for the context, of which transformers makes no windows either. */
  *#windows(text: string, textPair: string, row: Row, index: number): Generator<void, Encoding | undefined> {
    try {
      return yield* this.#reader.encode({ text, textPair }, row, index);
    } catch (error) {
      const isTooLong = error instanceof BerthaError && (error.code === 'MAX_LENGTH' || error.code === 'INVALID_ARG');
      if (!isTooLong) throw error;
      this.#reader.note('were left out: their questions leave too little room for the context', row, index);
      return undefined;
    }
  }

  /** The likeliest slice of the context in any window; '' where "no answer" is likelier in each of them. */
  #bestAnswer(context: string, windows: readonly Encoding[], rows: readonly Float32Array[]): string {
    const choice = { longest: this.#longest, count: 1, alignToWords: true, distinct: true };
    let best = { start: 0, end: 0, score: -Infinity };
    let none = Infinity;
    windows.forEach((window, w) => {
      const probabilities = spanProbabilities(window, rows[w]!);
      none = Math.min(none, probabilities.none);
      for (const slice of bestSlices(window, probabilities, choice)) if (slice.score > best.score) best = slice;
    });
    return this.#canBeImpossible && none > best.score ? '' : context.slice(best.start, best.end);
  }
}

interface Answers {
  readonly texts: readonly string[];
  readonly starts: readonly number[];
}

/** Answers as SQuAD's JSON, Hugging Face's columns or a plain list of places have them. Errors: DATASET. */
function readAnswers(value: unknown, where: () => string): Answers | undefined {
  if (value === undefined) return undefined;
  const wrong = (): Error =>
    unexpected('DATASET', `answers with text and answer_start of the same length in ${where()}`, JSON.stringify(value).slice(0, 80));
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const texts: string[] = [];
  const starts: number[] = [];
  for (const each of list as Partial<Record<string, unknown>>[]) {
    if (typeof each !== 'object' || each === null) throw wrong();
    const ownTexts = [each['text']].flat();
    const ownStarts = [each['answer_start'] ?? each['answerStart']].flat();
    if (ownTexts.length !== ownStarts.length) throw wrong();
    if (!ownTexts.every((text) => typeof text === 'string') || !ownStarts.every((start) => Number.isInteger(start))) throw wrong();
    texts.push(...(ownTexts as string[]));
    starts.push(...(ownStarts as number[]));
  }
  return { texts, starts };
}

/** Where the first answer stands, counted in UTF-16 units or else in code points; null where it does not stand there. */
function placeOf(context: string, { texts, starts }: Answers): Place | null {
  const [text, start] = [texts[0]!, starts[0]!];
  if (text === '') return null;
  const found = [start, unitCounter(context)(start)].find((unit) => context.startsWith(text, unit) && unit >= 0);
  return found === undefined ? null : { start: found, end: found + text.length };
}

/** First and last token of an answer; [CLS] twice in a window that does not hold all of it. */
function spanIn({ offsets, sequenceIds, length }: Encoding, place: Place | undefined): [number, number] {
  if (place === undefined) return [0, 0];
  let [first, last] = [-1, -1];
  let [begin, end] = [Infinity, -Infinity];
  for (let token = 0; token < length; token++) {
    if (sequenceIds[token] !== 1) continue;
    const [tokenStart, tokenEnd] = [offsets![2 * token]!, offsets![2 * token + 1]!];
    begin = Math.min(begin, tokenStart);
    end = Math.max(end, tokenEnd);
    if (first < 0 && tokenEnd > place.start) first = token;
    if (tokenStart < place.end) last = token;
  }
  const isWhole = begin <= place.start && end >= place.end && first >= 0 && last >= first;
  return isWhole ? [first, last] : [0, 0];
}
