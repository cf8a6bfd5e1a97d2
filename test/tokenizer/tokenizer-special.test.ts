// Special tokens that only tokenizer_config.json or special_tokens_map.json name, with ids that transformers gave them.
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { BerthaError } from '../../src/errors.js';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { TokenizerFiles } from '../../src/tokenizer/index.js';
import { suite } from '../support/suite.js';
import { bertNormalizer } from '../support/tokenizer-variants.js';

interface Case {
  readonly tokenizer_config: object;
  readonly special_tokens_map: object | null;
  readonly tokenizer_json: { readonly added_tokens: readonly object[]; readonly lowercase: boolean } | null;
  readonly ids: readonly (readonly number[])[];
}

interface Cases {
  readonly vocab: readonly string[];
  readonly texts: readonly string[];
  readonly cases: readonly Case[];
}

const t = suite('special tokens');
const url = new URL('../golden/tokenizer/special-tokens.json', import.meta.url);
const { vocab, texts, cases } = JSON.parse(readFileSync(url, 'utf8')) as Cases;

function filesOf({ tokenizer_config: config, special_tokens_map: map, tokenizer_json: json }: Case): TokenizerFiles {
  const files = { tokenizerConfig: JSON.stringify(config), ...(map === null ? {} : { specialTokensMap: JSON.stringify(map) }) };
  if (json === null) return { ...files, vocab: `${vocab.join('\n')}\n` };
  const tokenizerJson = JSON.stringify({
    version: '1.0',
    added_tokens: json.added_tokens,
    normalizer: { ...bertNormalizer(), lowercase: json.lowercase, strip_accents: null },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
    decoder: null,
    model: { type: 'WordPiece', unk_token: '[UNK]', vocab: Object.fromEntries(vocab.map((token, id) => [token, id])) },
  });
  return { ...files, tokenizerJson };
}

t('every one has the id and the properties that transformers gives it', () => {
  assert.is(cases.length, 100);
  for (const each of cases) {
    const tokenizer = createTokenizer(filesOf(each));
    texts.forEach((text, i) => {
      const ids = Array.from(tokenizer.encode(text).ids);
      assert.equal(ids, each.ids[i], `${text}: ${JSON.stringify(each.tokenizer_config)} ${JSON.stringify(each.special_tokens_map)}`);
      assert.equal(Array.from(tokenizer.encodeIds(text).ids), ids);
    });
  }
});

t('one that the model has no row for does not keep the model from loading', () => {
  const files = { vocab: `${vocab.join('\n')}\n`, tokenizerConfig: '{"additional_special_tokens":["<new>"]}' };
  const tokenizer = createTokenizer(files, { vocabSize: vocab.length });
  assert.equal(Array.from(tokenizer.encode('bob <new>').ids), [2, 15, vocab.length, 3]);
  assert.is(tokenizer.decode([15, vocab.length]), 'bob <new>');
  assert.is(tokenizer.decode([15, vocab.length], { skipSpecialTokens: true }), 'bob');
  assert.throws(
    () => createTokenizer({ vocab: `${vocab.join('\n')}\nmore\n` }, { vocabSize: vocab.length }),
    (error: unknown) => error instanceof BerthaError && error.code === 'VOCAB',
  );
});

t('a list of another shape is refused by name', () => {
  for (const value of [5, 'cat', [5], [[1]]]) {
    const tokenizerConfig = JSON.stringify({ additional_special_tokens: value });
    assert.throws(
      () => createTokenizer({ vocab: `${vocab.join('\n')}\n`, tokenizerConfig }),
      (error: unknown) => error instanceof BerthaError && error.code === 'TOKENIZER' && error.message.includes('additional_special_tokens'),
      JSON.stringify(value),
    );
  }
});

t.run();
