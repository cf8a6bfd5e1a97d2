import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { differentCases, type CollatorCases } from '../support/collator-cases.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('collator cases');
const weights = new URL('../../weights/all-MiniLM-L6-v2/', import.meta.url);
const tokenizer = createTokenizer({ tokenizerJson: readFileSync(new URL('tokenizer.json', weights), 'utf8') });
const model = { tokenizer, maxTokens: 512, config: { maxSequenceLength: 512 } };
const stored = JSON.parse(readFileSync(golden('collators', 'cases.json'), 'utf8')) as CollatorCases;

t("windows, labels and spans are those of transformers' examples", () => {
  assert.ok(stored.cases.length > 90);
  assert.equal(differentCases(model, stored), []);
});

t.run();
