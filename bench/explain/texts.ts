import { readFile } from 'node:fs/promises';
import { topics } from '../../scripts/explain-pages/topics.js';
import { Random } from '../../test/support/random.js';

/** The first lines of a file that are not blank, each once; without a file, texts that are drawn: two sentences of a subject, without some of their words. */
export async function readTexts(file: string | undefined, count: number): Promise<string[]> {
  if (file === undefined) return drawnTexts(count);
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => line.trim() !== '');
  const texts = [...new Set(lines)].slice(0, count);
  if (texts.length < count) throw new Error(`Expected ${count} different lines in ${file}, not ${texts.length}`);
  return texts;
}

function drawnTexts(count: number): string[] {
  const random = new Random(21);
  const subjects = Object.values(topics);
  const some = (words: string): string[] => words.split(' ').filter(() => random.next() < 0.7);
  return Array.from({ length: count }, () => {
    const sentences = subjects[random.integer(0, subjects.length - 1)]!;
    const one = (): string => sentences[random.integer(0, sentences.length - 1)]!;
    return [...some(one()), ...some(one()), 'indeed'].join(' ');
  });
}
