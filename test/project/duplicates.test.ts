import * as assert from 'uvu/assert';
import { duplicateBreaches, duplicates } from '../../scripts/rules/duplicates.mjs';
import { suite } from '../support/suite.js';

const t = suite('duplicates');

const passage = (name: string): string =>
  [1, 2, 3, 4, 5, 6].map((i) => `  const ${name}${i} = ${name}Of(${'argument, '.repeat(i)}${i});`).join('\n');
const files: Readonly<Record<string, string>> = {
  'src/a.ts': `export function a() {\n${passage('price')}\n}\n`,
  'src/b.ts': `// says something else\nexport function b() {\n\n${passage('price').replaceAll('\n', '\n\n  // between\n')}\n}\n`,
  'src/c.ts': `export function c() {\n${passage('weight')}\n}\n`,
  'src/d.ts': `export function d() {\n${passage('price').split('\n').slice(1).join('\n')}\n}\n`,
};
const read = (file: string): string => files[file] ?? '';

t('finds six lines that stand in two files, whatever comments and blank lines lie between them', () => {
  assert.equal(duplicateBreaches(['src/a.ts', 'src/b.ts', 'src/d.ts'], read), ['src/b.ts:4: 6 lines stand in src/a.ts:2 as well']);
});

t('finds them with other names and numbers as well', () => {
  const some = ['src/a.ts', 'src/c.ts', 'src/d.ts'];
  assert.equal(duplicates(some, { byShape: true, read }), [{ first: 'src/a.ts:1', second: 'src/c.ts:1', lines: 7 }]);
  assert.equal(duplicateBreaches(some, read), ['src/c.ts:1: 7 lines stand in src/a.ts:1 as well, with other names']);
});

t('allows a pair by both of its names alone', () => {
  const kernels = ['native/cuda/kernels/linear_mma.cu', 'native/cuda/kernels/linear_bulk.cu'];
  assert.is(duplicateBreaches(kernels, () => passage('slab')).length, 1);
});

t('does not count lines that list fields', () => {
  const members = (op: string) =>
    ['input', 'output', 'bias', 'scale', 'residual', 'mask', 'site'].map((name) => `int32_t ${op}_${name} = kNoIndex;`);
  const visits = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `visit.reads("${name}", op.${name});`);
  const text = (op: string) => [...members(op), ...visits].join('\n');
  const both: Readonly<Record<string, string>> = {
    'native/a.h': text('linear'),
    'native/b.h': text('slice').replaceAll('visit.reads("', 'visit.reads("other_'),
  };
  assert.equal(
    duplicateBreaches(Object.keys(both), (file) => both[file] ?? ''),
    [],
  );
});

t('leaves alone what is alike by its nature: imports, and kernels whose loops argue for themselves', () => {
  const imports = Array.from({ length: 8 }, (_, i) => `import { name${i} } from './file-${i}.js';`).join('\n');
  assert.equal(
    duplicateBreaches(['src/a.ts', 'src/b.ts'], () => imports),
    [],
  );
  const kernels = ['native/cuda/kernels/linear_mma.cu', 'native/cuda/kernels/linear_small.cu'];
  assert.equal(
    duplicateBreaches(kernels, () => passage('slab')),
    [],
  );
  assert.is(duplicates(kernels, { read: () => passage('slab') }).length, 1);
});

t.run();
