// Articles of the English Wikipedia: a sentence a line, a blank line between articles; every twentieth article is held out.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Source } from '../recipe.js';

const script = fileURLToPath(new URL('../../pretraining/wikipedia_text.py', import.meta.url));

/** What the articles are taken from. */
export const wikipediaSources: readonly Source[] = [
  { file: 'text/enwiki-shortened.xml.bz2', what: 'articles of the English Wikipedia (2016), by their authors', licence: 'CC BY-SA 3.0' },
  {
    file: 'text/wikitext-2.valid.txt',
    what: 'WikiText-2 (Merity et al., 2016): articles of the English Wikipedia',
    licence: 'CC BY-SA 3.0',
  },
  { file: 'text/wikitext-2.test.txt', what: 'WikiText-2, test set', licence: 'CC BY-SA 3.0' },
];

/** The file with the articles to learn from, and that with those held out; they are made beside `work` where they are not there yet. Needs Python. */
function wikipedia(shared: string, work: string): { readonly train: string; readonly heldOut: string } {
  const folder = join(dirname(work), 'text');
  const files = { train: join(folder, 'articles.txt'), heldOut: join(folder, 'held-out.txt') };
  if (existsSync(files.train) && existsSync(files.heldOut)) return files;
  mkdirSync(folder, { recursive: true });
  const sources = wikipediaSources.map(({ file }) => join(shared, file));
  const { status, stderr } = spawnSync('python3', [script, files.train, '--held-out', files.heldOut, ...sources], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Expected python3 ${script} to make text of ${sources.join(', ')} but it failed:\n${stderr}`);
  return files;
}

/** Articles, each a list of its sentences: to learn from, to choose arguments by, and to measure with. */
export interface Articles {
  readonly train: readonly Article[];
  /** Every twentieth of those that are not held out. */
  readonly choosing: readonly Article[];
  readonly heldOut: readonly Article[];
}

/** The sentences of an article. */
export type Article = readonly string[];

/** The articles of `wikipedia`. */
export function articles(shared: string, work: string): Articles {
  const { train, heldOut } = wikipedia(shared, work);
  const learned = articlesOf(train);
  const isChosenBy = (_: Article, i: number): boolean => i % 20 === 19;
  return {
    train: learned.filter((article, i) => !isChosenBy(article, i)),
    choosing: learned.filter(isChosenBy),
    heldOut: articlesOf(heldOut),
  };
}

function articlesOf(file: string): Article[] {
  return readFileSync(file, 'utf8')
    .split('\n\n')
    .map((article) => article.split('\n').filter(Boolean))
    .filter((sentences) => sentences.length > 1);
}
