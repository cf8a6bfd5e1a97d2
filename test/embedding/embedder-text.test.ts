import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { chunkText, loadEmbedder, loadModel, loadTokenizer } from '../../src/index.js';
import { editJson, golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('what an embedder knows of texts');
const directory = golden('sentence', 'normalize');
const long = 'The cat sat on the mat. It was a good mat. '.repeat(40);

t('has the model’s tokenizer', async () => {
  const embedder = await loadEmbedder(directory);
  const tokenizer = await loadTokenizer(directory);
  assert.equal(embedder.tokenizer.encode('The cat sat.').ids, tokenizer.encode('The cat sat.').ids);
  embedder.dispose();
});

t('counts the tokens that embed reads, and those beyond its limit', async () => {
  const embedder = await loadEmbedder(directory);
  for (const text of ['', 'a', 'The cat sat on the mat.', 'x'.repeat(9000)]) {
    const { tokens, truncated } = await embedder.embed(text);
    assert.is(embedder.countTokens(text), truncated ? embedder.tokenizer.encode(text).length : tokens, text);
  }
  const count = embedder.countTokens(long);
  assert.ok(count > embedder.maxTokens);
  assert.is(count, embedder.tokenizer.encode(long).length);
  const options = { prompt: 'query: ' };
  assert.is(embedder.countTokens('the cat', options), (await embedder.embed('the cat', options)).tokens);
  assert.is((await rejection(async () => embedder.countTokens(3 as unknown as string))).code, 'INVALID_ARG');
  assert.is((await rejection(async () => embedder.countTokens('a', { prompts: 'a' } as object))).code, 'INVALID_OPTION');
  embedder.dispose();
});

t('counts the default prompt', async () => {
  const copy = temporaryFolder(directory);
  editJson(`${copy}/config_sentence_transformers.json`, { prompts: { query: 'query: ' }, default_prompt_name: 'query' });
  const embedder = await loadEmbedder(copy);
  assert.is(embedder.countTokens('the cat'), (await embedder.embed('the cat')).tokens);
  assert.ok(embedder.countTokens('the cat') > embedder.countTokens('the cat', { prompt: '' }));
  embedder.dispose();
});

t('cuts texts into chunks as chunkText does, none of them above the limit', async () => {
  const [embedder, model] = [await loadEmbedder(directory), await loadModel(directory)];
  const chunks = await embedder.chunk(long, { overlap: 2 });
  assert.ok(chunks.length > 1);
  assert.equal(chunks, await chunkText(model, long, { overlap: 2 }));
  assert.ok(chunks.every(({ text }) => embedder.countTokens(text) <= embedder.maxTokens));
  embedder.dispose();
  model.dispose();
});

t.run();
