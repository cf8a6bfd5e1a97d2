import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from './support/suite.js';
import * as assert from 'uvu/assert';
import { checkout } from './support/mini-checkout.js';

const t = suite('error codes');
const read = (name: string): string => readFileSync(join(checkout, name), 'utf8');
const sources = (folder: string, pattern: RegExp): string[] =>
  readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => pattern.test(file))
    .map((file) => read(join(folder, file)));

function codesOfUnion(): string[] {
  const source = read('src/errors.ts');
  const union = source.slice(source.indexOf('export type ErrorCode'), source.indexOf(';', source.indexOf('export type ErrorCode')));
  return [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code!);
}

function codesOfDocument(): string[] {
  const cells = read('docs/errors.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|')[1]!);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, code]) => code!));
}

t('docs/errors.md says of each code of the union, and of no other, what happened, once', () => {
  assert.ok(codesOfUnion().length > 50);
  assert.equal(codesOfDocument(), codesOfUnion());
});

t('the union has every code that the addon gives', () => {
  const given = sources('native', /\.(?:cc|h|cu|cuh)$/).flatMap((source) => [...source.matchAll(/"([A-Z]+(?:_[A-Z]+)*)"/g)]);
  const codes = new Set(given.map(([, code]) => code!).filter((code) => !code.startsWith('BERTHA_')));
  assert.ok(codes.has('DEVICE_OOM') && codes.has('INVALID_ARG'));
  const union = codesOfUnion();
  assert.equal(
    [...codes].filter((code) => !union.includes(code)),
    [],
  );
});

t('the union has no code that nothing gives', () => {
  const all = [...sources('src', /(?<!errors)\.ts$/), ...sources('native', /\.(?:cc|h|cu|cuh)$/)].join('\n');
  assert.equal(
    codesOfUnion().filter((code) => !all.includes(`'${code}'`) && !all.includes(`"${code}"`)),
    [],
  );
});

t('the README names only codes of the union', () => {
  const readme = read('README.md');
  const table = readme.slice(readme.indexOf('Every error is a `BerthaError`'), readme.indexOf('[docs/errors.md]'));
  const named = [...table.matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(([, code]) => code!);
  assert.ok(named.length > 10);
  assert.equal(
    named.filter((code) => !codesOfUnion().includes(code)),
    [],
  );
});

t.run();
