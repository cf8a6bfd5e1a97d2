import { JSONParser } from '@streamparser/json';
import { unexpected } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { errorMessage } from '../../realms.js';
import { decode } from '../../text-files/lines.js';
import { fileDataset, type FileDataset, type ReadRows } from './file-dataset.js';
import { notePlace, type Row } from './row.js';

/** A question on a text. */
export interface QuestionRow extends Row {
  readonly id: string;
  readonly question: string;
  readonly context: string;
  /** The right answers, and where they begin in the context, in UTF-16 units; none for a question that the context does not answer. */
  readonly answers: { readonly text: readonly string[]; readonly answerStart: readonly number[] };
}

/**
 * Questions of a file in the form of SQuAD 1.1 or 2.0, in which answers begin at code points: `answerStart` counts UTF-16 units.
 *
 * Errors: while reading: DATASET (names file and line), EMPTY_INPUT, IO.
 */
export function readSquad(file: FilePath): FileDataset<QuestionRow> {
  return fileDataset('readSquad', file, squadRows);
}

/** Reads SQuAD's JSON a paragraph at a time. */
export const squadRows: ReadRows<QuestionRow> = async function* (chunks, name) {
  for await (const values of jsonValues(chunks, name, '$.data.*.paragraphs.*')) {
    yield values.flatMap(({ value, line }) => questionsOf(value, name, line));
  }
};

/** Reads the objects of one large array of JSON. */
export const jsonArrayRows: ReadRows<Row> = async function* (chunks, name) {
  for await (const values of jsonValues(chunks, name, '$.*')) {
    yield values.map(({ value, line }) => {
      if (isObject(value)) return notePlace(value, name, line);
      throw unexpected('DATASET', `an object that ends in line ${line} of ${name}`, JSON.stringify(value).slice(0, 60));
    });
  }
};

/** Pieces of text that are parsed at once; between them others may have the thread. */
const kPieceUnits = 1 << 14;

/** What stands at a path in a stream of JSON, with the line that it ends in. */
async function* jsonValues(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  path: string,
): AsyncGenerator<{ readonly value: unknown; readonly line: number }[]> {
  const parser = new JSONParser({ paths: [path], keepStack: false });
  let found: { readonly value: unknown; readonly line: number }[] = [];
  let line = 1;
  const fail = (error: unknown): never => {
    throw unexpected('DATASET', `JSON in line ${line} of ${name}`, errorMessage(error), { cause: error });
  };
  parser.onValue = ({ value }) => void found.push({ value, line });
  parser.onError = fail;
  let isBlank = true;
  for await (const text of decode(chunks)) {
    isBlank &&= text.trim() === '';
    for (const piece of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      for (let begin = 0; begin < piece.length; begin += kPieceUnits) parser.write(piece.slice(begin, begin + kPieceUnits));
      if (piece.endsWith('\n')) line++;
    }
    yield found;
    found = [];
  }
  if (!parser.isEnded && !isBlank) fail(new Error('the file ends before its last bracket'));
}

function questionsOf(paragraph: unknown, name: string, line: number): QuestionRow[] {
  const place = `the paragraph that ends in line ${line} of ${name}`;
  const { context, qas } = isObject(paragraph) ? paragraph : {};
  if (typeof context !== 'string' || !Array.isArray(qas)) {
    throw unexpected('DATASET', `context and qas, as SQuAD has them, in ${place}`, 'something else');
  }
  const unitsBefore = unitCounter(context);
  return qas.map((qa: unknown, i) => {
    const { id, question, answers = [] } = isObject(qa) ? qa : {};
    if (typeof question !== 'string' || !Array.isArray(answers)) {
      throw unexpected('DATASET', `a question and answers in entry ${i} of qas of ${place}`, 'something else');
    }
    const texts: string[] = [];
    const starts: number[] = [];
    for (const answer of answers as unknown[]) {
      const { text, answer_start: start } = isObject(answer) ? answer : {};
      if (typeof text !== 'string' || !Number.isInteger(start)) {
        throw unexpected('DATASET', `text and answer_start of each answer in entry ${i} of qas of ${place}`, 'something else');
      }
      texts.push(text);
      starts.push(unitsBefore(start as number));
    }
    return notePlace({ id: String(id ?? ''), question, context, answers: { text: texts, answerStart: starts } }, name, line);
  });
}

/** How many UTF-16 units stand before a code point. */
export function unitCounter(text: string): (codePoint: number) => number {
  if (!/[\ud800-\udfff]/.test(text)) return (codePoint) => codePoint;
  const begins: number[] = [];
  for (let unit = 0; unit < text.length; unit += text.codePointAt(unit)! > 0xffff ? 2 : 1) begins.push(unit);
  return (codePoint) => begins[codePoint] ?? text.length;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
