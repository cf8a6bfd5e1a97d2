// Whether a model gets the template's token types: by model_input_names, else by the class, as transformers 5 decides.
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('token types');
const tokenizerJson = readFileSync(golden('tiny', 'bert-nli', 'tokenizer.json'), 'utf8');

/** The types of a pair's tokens. */
function typesWith(config: Readonly<Record<string, unknown>>): number[] {
  const { typeIds } = createTokenizer({ tokenizerJson, tokenizerConfig: JSON.stringify(config) }).encode('a', { pair: 'a' });
  return [...new Set(typeIds)];
}

t('are those of the template, unless the files say that the model gets none', () => {
  assert.equal(typesWith({}), [0, 1]);
  assert.equal(typesWith({ tokenizer_class: 'BertTokenizer' }), [0, 1]);
  assert.equal(typesWith({ model_input_names: ['input_ids', 'token_type_ids', 'attention_mask'] }), [0, 1]);
  assert.equal(typesWith({ model_input_names: ['input_ids', 'attention_mask'] }), [0]);
  assert.equal(typesWith({ tokenizer_class: 'AlbertTokenizerFast' }), [0]);
  assert.equal(typesWith({ tokenizer_class: 'AlbertTokenizer', model_input_names: ['input_ids', 'token_type_ids'] }), [0, 1]);
});

t.run();
