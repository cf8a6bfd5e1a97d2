// Articles of the English Wikipedia (2016, CC BY-SA 3.0): a sentence a line, a blank line between articles; every twentieth article is held out.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../pretraining/wikipedia_text.py', import.meta.url));

/** The file with the articles to learn from, and that with those held out; they are made beside `work` where they are not there yet. Needs Python. */
export function wikipedia(shared: string, work: string): { readonly train: string; readonly heldOut: string } {
  const folder = join(dirname(work), 'text');
  const files = { train: join(folder, 'articles.txt'), heldOut: join(folder, 'held-out.txt') };
  if (existsSync(files.train) && existsSync(files.heldOut)) return files;
  mkdirSync(folder, { recursive: true });
  const source = join(shared, 'text/enwiki-shortened.xml.bz2');
  const { status, stderr } = spawnSync('python3', [script, files.train, '--held-out', files.heldOut, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Expected python3 ${script} to make text of ${source} but it failed:\n${stderr}`);
  return files;
}

/** The articles of such a file, as lists of their sentences. */
export function articlesOf(file: string): string[][] {
  return readFileSync(file, 'utf8')
    .split('\n\n')
    .map((article) => article.split('\n').filter(Boolean))
    .filter((sentences) => sentences.length > 1);
}
