// The texts that precisions are measured and calibrated with, drawn with a fixed seed from the folder text/ of BERTHA_SHARED (../shared):
// nltk9.txt.gz (corpus sentences, one a line), nltk_udhr2.zip (Universal Declaration of Human Rights in 389 languages and scripts),
// wikitext-2.test.txt, tinyshakespeare.txt. No text is in both sets: they use different languages, different articles.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Random } from '../../test/support/random.js';
import { unzip } from '../../test/support/unzip.js';

/** The folder of optional data. */
export const sharedFolder = resolve(fileURLToPath(new URL('../..', import.meta.url)), process.env['BERTHA_SHARED'] ?? '../shared');

const file = (name: string) => readFileSync(join(sharedFolder, 'text', name));

/** A thousand texts, of four kinds. */
export function evaluationTexts(): { readonly kind: string; readonly text: string }[] {
  const random = new Random(20_000);
  const sentences = gunzipSync(file('nltk9.txt.gz')).toString('utf8').split('\n');
  const counted = sentences.map((text) => ({ text, words: text.split(' ').length }));
  const lengths = [
    [3, 8],
    [9, 17],
    [18, 31],
    [32, Infinity],
  ] as const;
  const nltk = lengths.flatMap(([least, most]) => {
    const fitting = counted.filter(({ words }) => words >= least && words <= most);
    return draw(random, fitting, 150).map(({ text }) => text);
  });
  const udhr = draw(
    random,
    udhrLanguages((i) => i % 3 < 2),
    200,
  ).map((lines) => random.pick(lines));
  const long = draw(random, paragraphs(0), 100);
  const short = draw(random, counted, 100).map(({ text }) => {
    const words = text.split(' ');
    const length = Math.min(words.length, 1 + Math.floor(random.next() * 5));
    const start = Math.floor(random.next() * (words.length - length + 1));
    return words.slice(start, start + length).join(' ');
  });
  return Object.entries({ nltk, udhr, long, short }).flatMap(([kind, texts]) => texts.map((text) => ({ kind, text })));
}

/**
 * Two hundred texts whose licences allow statistics of them to be published: UDHR (public domain), tinyshakespeare (public domain) and
 * WikiText-2 (CC BY-SA).
 */
export function calibrationTexts(): { readonly corpus: string; readonly texts: readonly string[] } {
  const random = new Random(30_000);
  const udhr = draw(
    random,
    udhrLanguages((i) => i % 3 === 2),
    100,
  ).map((lines) => random.pick(lines));
  const speeches = file('tinyshakespeare.txt').toString('utf8').split('\n\n');
  const shakespeare = draw(random, speeches, 60).map((speech) => speech.split('\n').slice(1).join(' ').slice(0, 400));
  const texts = [...udhr, ...shakespeare.filter(Boolean), ...draw(random, paragraphs(1), 40)];
  return { corpus: 'UDHR, tinyshakespeare and WikiText-2', texts };
}

/** Lines of each declaration, of the languages whose place in the archive is wanted. */
function udhrLanguages(isWanted: (place: number) => boolean): string[][] {
  const archive = [...unzip(file('nltk_udhr2.zip'))].sort(([a], [b]) => (a < b ? -1 : 1));
  const languages = archive.map(([, bytes]) =>
    bytes
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.length > 20 && line.length < 600),
  );
  return languages.filter((lines, i) => lines.length > 5 && isWanted(i));
}

/** Paragraphs of articles; half of the file. */
function paragraphs(half: number): string[] {
  const lines = file('wikitext-2.test.txt').toString('utf8').split('\n');
  const middle = lines.length / 2;
  return (half === 0 ? lines.slice(0, middle) : lines.slice(middle))
    .map((line) => line.trim())
    .filter((line) => line.length > 600 && line.length < 1100);
}

/** So many different items. */
export function draw<T>(random: Random, items: readonly T[], count: number): T[] {
  if (items.length < count) throw new Error(`Expected at least ${count} texts to draw from but received ${items.length}.`);
  const rest = [...items];
  return Array.from({ length: count }, () => {
    const at = Math.floor(random.next() * rest.length);
    const [chosen] = rest.splice(at, 1, rest.at(-1)!);
    rest.pop();
    return chosen!;
  });
}
