// Prompt, lower case, the side that is cut, token types and the length limit are the same on every way from a text to a model.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  chunkText,
  compare,
  embedWindows,
  extractFeatures,
  loadEmbedder,
  loadModel,
  pipeline,
  type Embedder,
  type Model,
} from '../../src/index.js';
import { editJson, golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('text preparation');

interface Loaded {
  readonly embedder: Embedder;
  readonly model: Model;
  readonly directory: string;
}

/** The changes to a copy of a golden directory, by file. */
type Changes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

async function withModel(source: string, changes: Changes, use: (loaded: Loaded) => Promise<void>): Promise<void> {
  const directory = temporaryFolder(golden(source));
  for (const [file, change] of Object.entries(changes)) editJson(path.join(directory, file), change);
  const [embedder, model] = [await loadEmbedder(directory), await loadModel(directory)];
  try {
    await use({ embedder, model, directory });
  } finally {
    await embedder[Symbol.asyncDispose]();
    model.dispose();
  }
}

type Options = { readonly prompt?: string; readonly promptName?: string };

/** The vector of a text on every way that gives one, the text being short enough for one window. */
async function everyVector({ embedder, model }: Loaded, text: string, options: Options = {}): Promise<Map<string, Float32Array>> {
  const features = await extractFeatures(model, text, { ...options, pooling: 'model' });
  const extract = await pipeline('feature-extraction', model);
  const names = { prompt: options.prompt, prompt_name: options.promptName };
  const vectors = new Map([
    ['embed', (await embedder.embed(text, options)).vector],
    ['embed of many', (await embedder.embed(['x', text], options))[1]!.vector],
    ['embedSync', embedder.embedSync(text, options).vector],
    ['extractFeatures', features.data],
    ['pipeline', (await extract(text, { ...names, pooling: 'model' })).data],
    ['embedWindows', (await embedWindows(model, text, options)).windows[0]!.vector],
  ]);
  for await (const { vector } of embedder.embedMany([text], options)) vectors.set('embedMany', vector);
  return vectors;
}

async function expectVector(loaded: Loaded, text: string, options: Options, expected: Float32Array): Promise<void> {
  for (const [way, vector] of await everyVector(loaded, text, options)) assert.equal([...vector], [...expected], way);
}

const withoutCase: Changes = {
  'tokenizer.json': { normalizer: { type: 'BertNormalizer', lowercase: false, strip_accents: false } },
  'tokenizer_config.json': { do_lower_case: false, strip_accents: false },
};

t('lower-cases on every way where sentence_bert_config.json says so', () =>
  withModel('sentence/pooling-mean', { ...withoutCase, 'sentence_bert_config.json': { do_lower_case: true } }, async (loaded) => {
    const text = 'SHE bought THREE Apples';
    const { ids } = loaded.model.tokenizer.encode(text.toLowerCase());
    assert.not.equal(ids, loaded.model.tokenizer.encode(text).ids);
    const expected = (await loaded.embedder.embed(text.toLowerCase())).vector;
    await expectVector(loaded, text, {}, expected);
    // The prompt is part of the text.
    await expectVector(loaded, 'Apples', { prompt: 'SHE bought THREE ' }, expected);
    const { windows } = await embedWindows(loaded.model, `${text} İ ${text}`, { maxTokens: 6 });
    assert.ok(windows.length > 2);
    assert.is(windows.at(-1)!.text.slice(-6), 'Apples');
  }),
);

t('puts prompts before texts on every way, by name, by default or as given', () =>
  withModel('sentence/prompts', {}, async (loaded) => {
    const plain = async (text: string) => (await loaded.embedder.embed(text, { prompt: '' })).vector;
    await expectVector(loaded, 'hello', {}, await plain('query: hello'));
    await expectVector(loaded, 'hello', { promptName: 'passage' }, await plain('passage: hello'));
    await expectVector(loaded, 'hello', { prompt: 'she ' }, await plain('she hello'));
    // Where the prompt ends in a word it becomes one with the text.
    await expectVector(loaded, 'ing', { prompt: 'read' }, await plain('reading'));
    await expectVector(loaded, 'hello', { prompt: '' }, await plain('hello'));
  }),
);

t('leaves prompts out of pooling on every way where the files say so', () =>
  withModel('sentence/prompt-not-pooled', {}, async (loaded) => {
    const { vector } = await loaded.embedder.embed('hello');
    assert.not.equal(vector, (await loaded.embedder.embed('query: hello', { prompt: '' })).vector);
    await expectVector(loaded, 'hello', {}, vector);
    const { data } = await extractFeatures(loaded.model, 'hello', { pooling: 'mean' });
    vector.forEach((value, i) => assert.ok(Math.abs(value - data[i]!) < 1e-5));
  }),
);

t('cuts prompt and text together, and counts both', () =>
  withModel('sentence/prompts', {}, async ({ embedder, model }) => {
    const text = 'she bought three and two and a of for bread . '.repeat(40);
    const { tokens, truncated } = await embedder.embed(text);
    assert.equal([tokens, truncated], [embedder.maxTokens, true]);
    const prompt = 'query: '.repeat(9000);
    // In windows each of them has the prompt, and room for it.
    const { windows } = await embedWindows(model, text, { maxTokens: 20 });
    assert.ok(windows.every((window) => window.tokens <= 20));
    const chunks = await chunkText(model, text, { maxTokens: 20 });
    for (const [i, chunk] of chunks.entries()) {
      const read = await embedder.embed(chunk.text, { onTruncate: 'error', maxLength: 20 });
      assert.is(read.tokens, chunk.tokens, `chunk ${i}`);
    }
    const unprompted = await chunkText(model, text, { maxTokens: 20, prompt: '' });
    assert.ok(unprompted.length < chunks.length);
    for (const options of [{ prompt }, { prompt: 'query: she bought ', maxLength: 5 }]) {
      const { prompt: given, maxLength } = options as { prompt: string; maxLength?: number };
      const limit = maxLength === undefined ? {} : { maxTokens: maxLength };
      for (const call of [
        () => embedder.embed('hello', options),
        async () => embedder.embedSync('hello', options),
        () => extractFeatures(model, 'hello', options),
        () => embedWindows(model, 'hello', { prompt: given, ...limit }),
        () => chunkText(model, 'hello', { prompt: given, ...limit }),
      ]) {
        const error = await rejection(async () => call());
        assert.is(error.code, 'MAX_LENGTH');
        assert.match(error.message, /a prompt of at most \d+ tokens/);
      }
    }
    // A prompt that fills the window is none too long, but leaves windows without text.
    assert.is((await embedder.embed('hello', { prompt: 'query: ', maxLength: 4 })).tokens, 4);
    assert.is((await rejection(() => embedWindows(model, 'hello', { prompt: 'query: ', maxTokens: 4 }))).code, 'MAX_LENGTH');
  }),
);

t('cuts on the side that tokenizer_config.json says on every way, however long the text', () =>
  withModel('sentence/pooling-mean', { 'tokenizer_config.json': { truncation_side: 'left' } }, async ({ embedder, model }) => {
    for (const words of [40, 10_000]) {
      const text = `${'a '.repeat(words)}${'the '.repeat(words)}`;
      const end = (await embedder.embed('the the the the')).vector;
      const same = { maxLength: 6 };
      assert.equal((await embedder.embed(text, same)).vector, end);
      assert.equal(embedder.embedSync(text, same).vector, end);
      assert.equal((await extractFeatures(model, text, { ...same, pooling: 'model' })).data, end);
      for await (const { vector } of embedder.embedMany([text], same)) assert.equal(vector, end);
      assert.equal(model.tokenizer.encodeIds(text, 6), { ids: model.tokenizer.encode('the the the the').ids, truncated: true });
      const { windows } = await embedWindows(model, text, { maxTokens: 6 });
      assert.equal(windows[0]!.vector, end);
    }
  }),
);

t('reads the token types of the template on every way', () => {
  const piece = (name: string, id: string) => ({ [name]: { id, type_id: 1 } });
  const template = {
    type: 'TemplateProcessing',
    single: [piece('SpecialToken', '[CLS]'), piece('Sequence', 'A'), piece('SpecialToken', '[SEP]')],
    pair: [piece('Sequence', 'A'), piece('Sequence', 'B')],
    special_tokens: { '[CLS]': { id: '[CLS]', ids: [101], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [102], tokens: ['[SEP]'] } },
  };
  return withModel('sentence/pooling-mean', { 'tokenizer.json': { post_processor: template } }, async (loaded) => {
    const { lastHiddenState } = await loaded.model.forward(loaded.model.tokenizer.encode('hello'));
    const width = lastHiddenState.dims[1]!;
    const mean = Float64Array.from({ length: width }, (_, i) => {
      let sum = 0;
      for (let row = 0; row < 3; row++) sum += lastHiddenState.data[row * width + i]!;
      return sum / 3;
    });
    const { vector } = await loaded.embedder.embed('hello');
    vector.forEach((value, i) => assert.ok(Math.abs(value - mean[i]!) < 1e-5));
    await expectVector(loaded, 'hello', {}, vector);
  });
});

t('compares and chooses reference texts as embed reads them', () =>
  withModel('sentence/prompts', {}, async ({ embedder, directory }) => {
    const texts = ['hello', 'she bought three apples'];
    const file = path.join(directory, 'reference.jsonl');
    const lines = (await embedder.embed(texts)).map(({ vector }, index) =>
      JSON.stringify({ index, text: texts[index], embedding: [...vector] }),
    );
    writeFileSync(file, lines.join('\n'));
    const { within, worst } = await compare(directory, { reference: file });
    assert.ok(within, JSON.stringify(worst));
  }),
);

t.run();
