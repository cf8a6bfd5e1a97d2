// The rules that scripts/rules/imports.mjs holds src to find what they are for.
import * as assert from 'uvu/assert';
import { importBreaches } from '../../scripts/rules/imports.mjs';
import { suite } from '../support/suite.js';

const t = suite('import graph');

function breaches(sources: Readonly<Record<string, string>>): string[] {
  return importBreaches(Object.keys(sources), (file: string) => sources[file]!);
}

t('takes imports of lower floors and of the same folder', () => {
  const sources = {
    'src/cli/main.ts': "import { run } from './run.js';\nimport {\n  a,\n  type B,\n} from '../tasks/a.js';",
    'src/cli/run.ts': '',
    'src/tasks/a.ts': "import type { D } from '../models/program/program.js';",
    'src/models/program/program.ts': '',
  };
  assert.equal(breaches(sources), []);
});

t('refuses an arrow upward or sideways, of a type as well', () => {
  const sources = {
    'src/tasks/a.ts': "import type { B } from '../embedding/b.js';",
    'src/embedding/b.ts': '',
    'src/models/program/p.ts': "export { c } from '../c.js';",
    'src/models/c.ts': '',
    'src/tokenizer/unicode/u.ts': "import { d } from '../d.js';",
    'src/tokenizer/d.ts': '',
  };
  const found = breaches(sources);
  assert.is(found.length, 3);
  for (const [i, from] of ['src/tasks/a.ts', 'src/models/program/p.ts', 'src/tokenizer/unicode/u.ts'].entries()) {
    assert.ok(found[i]!.startsWith(`${from}: imports `), found[i]);
  }
});

t('refuses a circle, of types as well, a folder without a floor, and a crowded folder', () => {
  const circle = { 'src/hub/a.ts': "import { b } from './b.js';", 'src/hub/b.ts': "import type { A } from './a.js';" };
  assert.equal(breaches(circle), ['src/hub/a.ts → src/hub/b.ts → src/hub/a.ts: a circle of imports']);
  assert.is(breaches({ 'src/attic/a.ts': "import { b } from '../errors.js';", 'src/errors.ts': '' }).length, 1);
  const crowd = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`native/cpu/${i}.cc`, '']));
  assert.equal(breaches(crowd), ['native/cpu: 16 files, more than 15']);
});

t.run();
