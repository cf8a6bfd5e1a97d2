// Questions made from sentences, after Lewis, Denoyer, Riedel (2019): a sentence loses a few of its words, which are the answer, and gets a question word in front.
import { englishStopWords } from '../../../src/learn/text/stop-words.js';
import { Random } from '../../../src/training/datasets/random.js';
import type { QuestionRow } from '../../../src/training/datasets/read-squad.js';
import type { Article } from './wikipedia.js';

/** Words of a text around a sentence that is asked about. */
const kContextWords = 60;
/** Words of the sentence that a question has, on each side of the answer. */
const kSide = 8;
const kLongestAnswer = 4;
/** Shares of words that a question leaves out, and that change places with the next. */
const kLeftOut = 0.15;
const kSwapped = 0.15;
const kAsks = {
  number: ['how many', 'how much'],
  year: ['when', 'in what year'],
  name: ['who', 'what', 'which', 'where'],
  other: ['what', 'which'],
};

/** A word of a sentence without the punctuation around it; it ends a phrase where punctuation follows. */
interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly endsPhrase: boolean;
}

/** `count` questions on short passages of articles: a function of the articles, the count and the seed. */
export function practiceQuestions(articles: readonly Article[], count: number, seed: number): QuestionRow[] {
  const random = new Random(seed);
  const rows: QuestionRow[] = [];
  while (rows.length < count) {
    const article = articles[random.below(articles.length)]!;
    const row = questionOn(article, random.below(article.length), String(rows.length), random);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

function questionOn(article: Article, place: number, id: string, random: Random): QuestionRow | undefined {
  const words = wordsOf(article[place]!);
  const answers = answersIn(words);
  if (answers.length === 0 || words.length < 8 || words.length > kContextWords) return undefined;
  const [first, last] = pick(answers, random);
  const { before, context } = passage(article, place, random);
  const [start, end] = [words[first]!.start, words[last]!.end];
  const text = article[place]!.slice(start, end);
  const left = words.slice(Math.max(0, first - kSide), first);
  const right = words.slice(last + 1, last + 1 + kSide);
  const rest = disturbed(
    [...left, ...right].map((word) => word.text),
    random,
  );
  const question = `${pick(kAsks[kindOf(text)], random)} ${rest.join(' ')}?`;
  return { id, question, context, answers: { text: [text], answerStart: [before + start] } };
}

function wordsOf(sentence: string): Word[] {
  return [...sentence.matchAll(/\S+/g)].flatMap(({ 0: token, index }) => {
    const found = /[\p{L}\p{N}](?:.*[\p{L}\p{N}])?/u.exec(token);
    if (found === null) return [];
    const start = index + found.index;
    const end = start + found[0].length;
    return [{ text: found[0], start, end, endsPhrase: end < index + token.length || /^\s*[^\p{L}\p{N}\s]/u.test(sentence.slice(end)) }];
  });
}

/** First and last words of all runs of words that say something. Those with names or numbers count three times, as more is asked about them. */
function answersIn(words: readonly Word[]): [number, number][] {
  const found: [number, number][] = [];
  for (let first = 0; first < words.length; first++) {
    if (!isTelling(words[first]!) || (first > 0 && isTelling(words[first - 1]!) && !words[first - 1]!.endsPhrase)) continue;
    let last = first;
    while (last + 1 < words.length && !words[last]!.endsPhrase && isTelling(words[last + 1]!)) last++;
    if (last - first >= kLongestAnswer) continue;
    const isName = first > 0 && words.slice(first, last + 1).some(({ text }) => /^[\p{Lu}\p{N}]/u.test(text));
    found.push(...Array.from({ length: isName ? 3 : 1 }, (): [number, number] => [first, last]));
  }
  return found;
}

function isTelling({ text }: Word): boolean {
  return text.length > 1 && !englishStopWords.has(text.toLowerCase());
}

function kindOf(answer: string): keyof typeof kAsks {
  if (/\b[12]\d{3}\b/.test(answer)) return 'year';
  if (/\d/.test(answer)) return 'number';
  return /^\p{Lu}/u.test(answer) ? 'name' : 'other';
}

/** Sentences around one, and where it begins among them. */
function passage(article: Article, place: number, random: Random): { readonly before: number; readonly context: string } {
  let [first, last] = [place, place];
  const count = (): number =>
    article
      .slice(first, last + 1)
      .join(' ')
      .split(' ').length;
  while (count() < kContextWords && (first > 0 || last + 1 < article.length)) {
    if (last + 1 === article.length || (first > 0 && random.uniform() < 0.5)) first--;
    else last++;
  }
  const before = article.slice(first, place).reduce((sum, sentence) => sum + sentence.length + 1, 0);
  return { before, context: article.slice(first, last + 1).join(' ') };
}

/** Words as somebody else might put them: some are missing, some have changed places. */
function disturbed(words: readonly string[], random: Random): string[] {
  const kept = words.filter(() => random.uniform() >= kLeftOut);
  for (let i = 0; i + 1 < kept.length; i++) {
    if (random.uniform() < kSwapped) [kept[i], kept[i + 1]] = [kept[i + 1]!, kept[i]!];
  }
  return kept;
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random.below(list.length)]!;
}

/** A question on the sentences around its answer alone, as many as `kContextWords` need. */
export function shortened(row: QuestionRow, random: Random): QuestionRow {
  const sentences = row.context.split(/(?<=[.!?]) (?=[\p{Lu}\p{N}"])/u);
  const [start] = row.answers.answerStart;
  let begin = 0;
  const place = sentences.findIndex((sentence) => start! < (begin += sentence.length + 1));
  begin -= sentences[place]!.length + 1;
  const { before, context } = passage(sentences, place, random);
  const answerStart = [before + start! - begin];
  return context.startsWith(row.answers.text[0]!, answerStart[0])
    ? { ...row, context, answers: { text: row.answers.text, answerStart } }
    : row;
}
