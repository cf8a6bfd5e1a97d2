import { type FilePath, readFilePath } from '../../file-path.js';
import { unexpected, wrongArgument } from '../../expected.js';
import { abortSignal, flag, integer, readOptions, text } from '../../options.js';
import { pearson, spearman } from '../../metrics/index.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { readLines } from '../../text-files/lines.js';
import { similarity } from '../../vectors/similarity.js';
import { readChunks } from '../files/read-chunks.js';
import { searchRows } from './most-similar.js';
import { unitOf, weightedSum, type WordMatrix } from './word-matrix.js';

/** Options of the evaluations; names and defaults are gensim's. */
export interface EvaluationOptions {
  /** Evaluate so many words from the front. Default 300,000. */
  readonly restrictVocab?: number | undefined;
  /** Compare words in capital letters; of equal ones the first counts. Default true. */
  readonly caseInsensitive?: boolean | undefined;
  /** Count what has an unknown word as similarity 0, or as wrong, instead of leaving it out. Default false. */
  readonly zeroForUnknown?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `evaluateWordPairs`. */
export interface WordPairOptions extends EvaluationOptions {
  /** What stands between the fields of a line. Default a tab. */
  readonly delimiter?: string | undefined;
}

/** How well similarities follow people's. */
export interface WordPairScores {
  readonly pearson: number;
  readonly spearman: number;
  /** Pairs that were compared. */
  readonly pairs: number;
  /** Percent of pairs with an unknown word. */
  readonly outOfVocabularyPercent: number;
}

/** Four words: a is to b as c is to the fourth. */
export type Analogy = readonly [a: string, b: string, c: string, expected: string];

/** The questions of a section that were answered right and wrong. */
export interface AnalogySection {
  readonly section: string;
  readonly correct: readonly Analogy[];
  readonly incorrect: readonly Analogy[];
}

/** Answers to analogy questions. */
export interface AnalogyScores {
  /** Share of right answers, 0 to 1. */
  readonly accuracy: number;
  /** In the file's order; the last one, `Total accuracy`, holds all. */
  readonly sections: readonly AnalogySection[];
  readonly outOfVocabularyPercent: number;
}

const schema = { restrictVocab: integer(1, 2 ** 31), caseInsensitive: flag, zeroForUnknown: flag, signal: abortSignal };
const pairSchema = { ...schema, delimiter: text };
const kWordsAtOnce = 1 << 12;
const kQuestionsAtOnce = 64;

/** Rows by words, in capitals or not. */
class EvaluatedWords {
  readonly #rows = new Map<string, number>();

  private constructor(readonly fold: (word: string) => string) {}

  static async of(matrix: WordMatrix, most: number, ignoresCase: boolean, budget: Budget): Promise<EvaluatedWords> {
    const words = new EvaluatedWords(ignoresCase ? (word) => word.toUpperCase() : (word) => word);
    const size = Math.min(most, matrix.size);
    for (let begin = 0; begin < size; begin += kWordsAtOnce) {
      const own = matrix.words(begin, Math.min(size, begin + kWordsAtOnce)).map(words.fold);
      own.forEach((word, i) => !words.#rows.has(word) && words.#rows.set(word, begin + i));
      if (budget.isSpent) await budget.yield();
    }
    return words;
  }

  row(word: string): number | undefined {
    return this.#rows.get(word);
  }
}

/**
 * Compares similarities with people's: a line holds two words and a number; comments begin with `#`, and what is no such line is left out.
 *
 * Errors: IO, INVALID_ARG, INVALID_OPTION, EMPTY_INPUT where no pair is known, the signal's reason.
 */
export async function evaluateWordPairs(matrix: WordMatrix, file: FilePath, options?: WordPairOptions): Promise<WordPairScores> {
  const read = readOptions('evaluateWordPairs', options, pairSchema);
  const { restrictVocab = 300_000, caseInsensitive = true, zeroForUnknown = false, signal, delimiter = '\t' } = read;
  const budget = new Budget(signal);
  const words = await EvaluatedWords.of(matrix, restrictVocab, caseInsensitive, budget);
  const [gold, ours]: [number[], number[]] = [[], []];
  let unknown = 0;
  for await (const line of linesOf(file, 'evaluateWordPairs')) {
    if (budget.isSpent) await budget.yield();
    const [a, b, score] = pairOf(line, delimiter, words.fold);
    if (score === undefined) continue;
    const [first, second] = [words.row(a!), words.row(b!)];
    const isKnown = first !== undefined && second !== undefined;
    if (!isKnown) unknown++;
    if (!isKnown && !zeroForUnknown) continue;
    gold.push(score);
    ours.push(isKnown ? similarity(matrix.row(first), matrix.row(second)) : 0);
  }
  if (gold.length === 0)
    throw unexpected('EMPTY_INPUT', 'a pair of known words for evaluateWordPairs', `${unknown} pairs with unknown ones`);
  const all = gold.length + (zeroForUnknown ? 0 : unknown);
  return {
    pearson: pearson(ours, gold),
    spearman: spearman(ours, gold),
    pairs: gold.length,
    outOfVocabularyPercent: (100 * unknown) / all,
  };
}

function pairOf(line: string, delimiter: string, fold: (word: string) => string): [a?: string, b?: string, score?: number] {
  if (line.startsWith('#')) return [];
  const fields = line.split(delimiter);
  const number = fields[2]?.trim() ?? '';
  if (fields.length !== 3 || number === '' || Number.isNaN(Number(number))) return [];
  return [fold(fields[0]!), fold(fields[1]!), Number(number)];
}

interface Question {
  readonly words: Analogy;
  readonly rows: readonly number[] | undefined;
  readonly section: number;
}

/**
 * Answers analogy questions by 3CosAdd: lines of four words below lines `: section`. The answer is the first of the five best words
 * that is none of the question's.
 *
 * Errors: IO, DATASET for questions before the first section, INVALID_ARG, INVALID_OPTION, the signal's reason.
 */
export async function evaluateWordAnalogies(matrix: WordMatrix, file: FilePath, options?: EvaluationOptions): Promise<AnalogyScores> {
  const read = readOptions('evaluateWordAnalogies', options, schema);
  const { restrictVocab = 300_000, caseInsensitive = true, zeroForUnknown = false, signal } = read;
  const budget = new Budget(signal);
  const words = await EvaluatedWords.of(matrix, restrictVocab, caseInsensitive, budget);
  const { names, questions } = await questionsOf(file, words);
  const sections = names.map((section) => ({ section, correct: [] as Analogy[], incorrect: [] as Analogy[] }));
  const asked = questions.filter(({ rows }) => rows !== undefined);
  for (const { words: own, rows, section } of questions) if (rows === undefined && zeroForUnknown) sections[section]!.incorrect.push(own);
  for (let begin = 0; begin < asked.length; begin += kQuestionsAtOnce) {
    const group = asked.slice(begin, begin + kQuestionsAtOnce);
    const answers = await answer(matrix, group, words, { rows: Math.min(restrictVocab, matrix.size), signal });
    group.forEach(({ words: own, section }, i) => sections[section]![answers[i] === own[3] ? 'correct' : 'incorrect'].push(own));
    if (budget.isSpent) await budget.yield();
  }
  const correct = sections.flatMap((section) => section.correct);
  const incorrect = sections.flatMap((section) => section.incorrect);
  const answered = correct.length + incorrect.length;
  return {
    accuracy: answered === 0 ? 0 : correct.length / answered,
    sections: [...sections, { section: 'Total accuracy', correct, incorrect }],
    outOfVocabularyPercent: questions.length === 0 ? 0 : (100 * (questions.length - asked.length)) / questions.length,
  };
}

async function questionsOf(file: FilePath, words: EvaluatedWords): Promise<{ names: string[]; questions: Question[] }> {
  const names: string[] = [];
  const questions: Question[] = [];
  let number = 0;
  for await (const line of linesOf(file, 'evaluateWordAnalogies')) {
    number++;
    if (line.startsWith(': ')) {
      names.push(line.replace(/^[: ]+/, '').trim());
      continue;
    }
    if (names.length === 0) throw unexpected('DATASET', `a line ": section" before line ${number} of the analogies`, JSON.stringify(line));
    const own = line.split(/\s+/).filter((word) => word !== '');
    if (own.length !== 4) continue;
    const folded = own.map(words.fold) as unknown as Analogy;
    const rows = folded.map((word) => words.row(word));
    const areKnown = rows.every((row) => row !== undefined);
    questions.push({ words: folded, rows: areKnown ? rows : undefined, section: names.length - 1 });
  }
  return { names, questions };
}

const kCandidates = 5;

/** For each question the word, folded, that 3CosAdd answers. */
async function answer(
  matrix: WordMatrix,
  group: readonly Question[],
  words: EvaluatedWords,
  { rows, signal }: { readonly rows: number; readonly signal: AbortSignal | undefined },
): Promise<(string | undefined)[]> {
  const { dimensions } = matrix;
  const queries = new Float64Array(group.length * dimensions);
  group.forEach(({ rows: own }, i) => {
    const units = own!.slice(0, 3).map((row) => unitOf(matrix.row(row)));
    queries.set(weightedSum(units, [-1, 1, 1], dimensions), i * dimensions);
  });
  const found = await searchRows(matrix, queries, { topN: kCandidates + 3, rows, excluded: [], signal });
  return group.map(({ words: [a, b, c], rows: own }, i) => {
    const near = Array.from(found[i]!.rows.filter((row) => !own!.slice(0, 3).includes(row)).subarray(0, kCandidates));
    const answers = near.map((row) => words.fold(matrix.words(row, row + 1)[0]!));
    return answers.find((word) => word !== a && word !== b && word !== c) ?? answers.at(-1);
  });
}

async function* linesOf(file: FilePath, name: string): AsyncGenerator<string> {
  const path = readFilePath(file);
  if (path === undefined) throw wrongArgument(`a path or a file URL for ${name}`, file);
  for await (const lines of readLines(readChunks(path), path)) yield* lines.map((line) => line.text);
}
