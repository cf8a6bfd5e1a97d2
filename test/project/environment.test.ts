// docs/environment.md lists the variables that the sources read, and no others.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';

const t = suite('variables of the environment');
const root = fileURLToPath(new URL('../..', import.meta.url));
const table = readFileSync(path.join(root, 'docs/environment.md'), 'utf8');
const listed = new Set(
  Array.from(table.matchAll(/^\| (`.*?`) \|/gm), (row) => Array.from(row[1]!.matchAll(/`([A-Z0-9_]+)`/g), (m) => m[1]!)).flat(),
);

/** The text of every source below the folders. */
function sourcesOf(...folders: string[]): string {
  return folders
    .flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.parentPath.includes('node_modules') && entry.isFile() && /\.(ts|mjs|cc|sh)$/.test(entry.name))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

t('every variable of Bertha’s own that a source reads is in the table', () => {
  const sources = sourcesOf('src', 'native', 'scripts', 'test', 'bench');
  const pattern = /(?:\benv(?:\.|\[')|getenv\("|\$\{?)(BERTHA_[A-Z0-9_]+)/g;
  const read = new Set(Array.from(sources.matchAll(pattern), (match) => match[1]!));
  assert.ok(read.size >= 8, [...read].join(' '));
  assert.equal(
    [...read].filter((name) => !listed.has(name)),
    [],
  );
});

t('every variable of the Hub that the library reads is in the table', () => {
  const read = new Set(Array.from(sourcesOf('src').matchAll(/'((?:HF|HUGGING_?FACE|TRANSFORMERS|XDG)_[A-Z_]+)'/g), (match) => match[1]!));
  assert.ok(read.size >= 10, [...read].join(' '));
  assert.equal(
    [...read].filter((name) => !listed.has(name)),
    [],
  );
});

t('the table names no variable that nothing reads', () => {
  const sources = sourcesOf('src', 'packages/server/src', 'native', 'scripts', 'test', 'bench');
  const ofTools = ['NO_COLOR', 'FORCE_COLOR', 'COLORTERM', 'CC', 'CFLAGS', 'CPPFLAGS', 'LDFLAGS'];
  assert.equal(
    [...listed].filter((name) => !ofTools.includes(name) && !sources.includes(name)),
    [],
  );
});

t.run();
