// docs/faults.md names the tests that show what it says: they exist, in the files it says.
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';

const t = suite('table of faults');
const root = fileURLToPath(new URL('../..', import.meta.url));
const testFiles = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' });
const rows = readFileSync(`${root}docs/faults.md`, 'utf8')
  .split('\n')
  .filter((line) => /^\| (?!id |case |-)/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));

/** The titles of a file's tests and suites; of the engine's test programs, their functions' names. */
function titlesOf(file: string): string[] {
  if (file !== 'check:tsan') {
    const found = testFiles.find((path) => [`${file}.test.ts`, `${file}-cases.ts`].includes(basename(path)));
    if (found === undefined) return [];
    const source = readFileSync(`${root}test/${found}`, 'utf8');
    return Array.from(
      source.matchAll(/\(\s*(?:'((?:[^'\\]|\\.)+)'|`([^`]+)`|"([^"]+)")[,)]/g),
      (match) => match[1] ?? match[2] ?? match[3]!,
    );
  }
  const folder = `${root}test/native/engine`;
  const programs = readdirSync(folder).filter((name) => name.endsWith('_test.cc'));
  const source = programs.map((name) => readFileSync(`${folder}/${name}`, 'utf8')).join('\n');
  return Array.from(source.matchAll(/^void (\w+)\(\)/gm), (match) => match[1]!.replaceAll('_', ' '));
}

/** The tests that a cell names: `file: *title*`, where an ellipsis stands for any text; the file holds until the next. */
function* testsIn(cell: string, defaultFile: string): Generator<{ file: string; title: string }> {
  let file = defaultFile;
  for (const [, named, title] of cell.matchAll(/(?:^|[\s;])([a-z0-9:-]+):(?=\s)|\*([^*]+)\*/g)) {
    if (named !== undefined) file = named;
    else yield { file, title: title! };
  }
}

t('every test that it names exists in its file', () => {
  const missing: string[] = [];
  let count = 0;
  for (const row of rows) {
    for (const { file, title } of testsIn(row.at(-1)!, /^A\d\d$/.test(row[0]!) ? 'lifecycle' : '')) {
      const titles = titlesOf(file);
      const pattern = title.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').trim());
      const regExp = new RegExp(`^(?:[A-Z]\\d\\d(?:, [A-Z]\\d\\d)*: )?${pattern.join('.*')}$`, 's');
      if (!titles.some((each) => regExp.test(each))) missing.push(`${row[0]}: *${title}* in ${file}`);
      count++;
    }
  }
  assert.equal(missing, []);
  assert.ok(count > 100, `only ${count} names were read`);
});

t('every case of the addon’s lifecycle names its tests, or says why it has none', () => {
  const lifecycle = rows.filter((row) => /^A\d\d$/.test(row[0]!));
  assert.equal(
    lifecycle.map((row) => row[0]),
    Array.from({ length: 22 }, (_, i) => `A${String(i + 1).padStart(2, '0')}`),
  );
  for (const row of lifecycle) assert.ok(row.at(-1)!.length > 3, `${row[0]} says nothing about tests`);
});

t.run();
