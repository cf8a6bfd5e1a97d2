import { readFileSync } from 'node:fs';
import tokenizers from 'tokenizers';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { deriveTables, formatTables } from '../../scripts/make-unicode-tables.js';
import { characterTable, Kind, KIND_SHIFT } from '../../src/tokenizer/scanning/character-table.js';
import { normalizeString } from '../../src/tokenizer/normalizers/steps.js';
import type { NormalizerOptions } from '../../src/tokenizer/normalizers/options.js';
import { punctuation, whitespace } from '../../src/tokenizer/unicode/characters.js';
import { reorderedMarks } from '../../src/tokenizer/unicode/normal-forms.js';
import { isFull } from '../support/full.js';
import { skip } from '../support/skip.js';
import { scalarBlocks } from '../support/tokenizer-strings.js';

const t = suite('tokenizer-unicode');

const all: NormalizerOptions[] = [];
for (let bits = 0; bits < 16; bits++) {
  all.push({ cleanText: (bits & 1) > 0, handleChineseChars: (bits & 2) > 0, stripAccents: (bits & 4) > 0, lowercase: (bits & 8) > 0 });
}

t('finds the checked-in tables to be what the reference says about every scalar value', async () => {
  if (!isFull) return skip('only with BERTHA_TEST_FULL=1');
  const path = new URL('../../src/tokenizer/unicode/unicode-tables.ts', import.meta.url);
  assert.ok(readFileSync(path, 'utf8') === formatTables(await deriveTables()), 'run scripts/make-unicode-tables.ts');
});

for (const options of all) {
  const name = Object.entries(options)
    .filter(([, isOn]) => isOn)
    .map(([step]) => step)
    .join(' ');
  t(`normalizes scalar values as the reference with ${name || 'nothing'} on`, () => {
    const reference = tokenizers.bertNormalizer(options);
    for (const start of scalarBlocks()) {
      let text = '';
      for (let c = start; c < start + 64; c++) text += `x${String.fromCodePoint(c)}`;
      const expected = reference.normalizeString(text);
      const received = normalizeString(text, [{ type: 'BertNormalizer', ...options }]);
      if (received !== expected) assert.is(received, expected, `near U+${start.toString(16)}`);
    }
  });
}

const forms = {
  NFC: tokenizers.nfcNormalizer(),
  NFD: tokenizers.nfdNormalizer(),
  NFKC: tokenizers.nfkcNormalizer(),
  NFKD: tokenizers.nfkdNormalizer(),
};
for (const [form, reference] of Object.entries(forms)) {
  t(`normalizes scalar values as the reference in ${form}`, () => {
    for (const start of scalarBlocks()) {
      const text = Array.from({ length: 64 }, (_, i) => `x${String.fromCodePoint(start + i)}\u0301`).join('');
      const [expected, received] = [reference.normalizeString(text), normalizeString(text, [{ type: form as keyof typeof forms }])];
      if (received !== expected) assert.is(received, expected, `near U+${start.toString(16)}`);
    }
  });
}

t('keeps white space and punctuation out of the marks that reordering may move', () => {
  for (const c of reorderedMarks) assert.not(whitespace.has(c) || punctuation.has(c), `U+${c.toString(16)}`);
});

t('shares one character table between tokenizers of the same options', () => {
  const [options] = all as [NormalizerOptions];
  const table = characterTable(options, new Set([0x5b]));
  assert.is(characterTable({ ...options }, new Set([0x5b])), table);
  assert.is.not(characterTable(options, new Set([0x3c])), table);
  assert.is(table.entries[0x5b], Kind.Trigger << KIND_SHIFT);
  assert.is(table.untriggered(0x5b), (Kind.Isolated << KIND_SHIFT) | 0x5b);
});

t.run();
