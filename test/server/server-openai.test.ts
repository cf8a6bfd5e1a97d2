import * as assert from 'uvu/assert';
import { loadEmbedder } from '../../src/index.js';
import { fromBase64, golden, serve, serverSuite, tiny, toFloats, type Serving } from './support/serving.js';

interface List {
  readonly model: string;
  readonly data: readonly { readonly index: number; readonly embedding: unknown }[];
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

const t = serverSuite('server: OpenAI');
let server: Serving;
const embedder = await loadEmbedder(golden('sentence/normalize'));
t.before(
  async () => void (server = await serve({ models: [...tiny('embedder', 'classifier'), { name: 'broken', model: golden('missing') }] })),
);
t.after(async () => {
  await server.close();
  embedder.dispose();
});
const texts = ['hello', 'the guitar and the band', 'you'];
const list = async (body: object): Promise<List> => {
  const { status, text, json } = await server.post('/v1/embeddings', body);
  assert.is(status, 200, text);
  return json as List;
};

t('vectors are those of the library to the bit, as numbers and in base64, and usage counts tokens', async () => {
  const expected = await embedder.embed(texts);
  for (const encoding_format of ['float', 'base64', null, undefined]) {
    const { data, usage, model } = await list({ input: texts, model: 'gpt', encoding_format });
    const read = encoding_format === 'base64' ? (each: unknown) => fromBase64(each as string) : toFloats;
    assert.equal(
      data.map(({ embedding }) => read(embedding)),
      expected.map(({ vector }) => vector),
    );
    const tokens = expected.reduce((sum, each) => sum + each.tokens, 0);
    assert.equal([data.map(({ index }) => index), usage, model], [[0, 1, 2], { prompt_tokens: tokens, total_tokens: tokens }, 'embedder']);
  }
});

t('takes token ids, one list or many, and a number of dimensions', async () => {
  const ids = texts.map((text) => Array.from(embedder.tokenizer.encode(text).ids));
  const expected = await embedder.embed(texts, { dimensions: 5 });
  const many = await list({ input: ids, dimensions: 5 });
  const one = await list({ input: ids[0], dimensions: 5, encoding_format: 'base64' });
  assert.equal(
    many.data.map(({ embedding }) => toFloats(embedding)),
    expected.map(({ vector }) => vector),
  );
  assert.equal(fromBase64(one.data[0]!.embedding as string), expected[0]!.vector);
});

t('a model that cannot be loaded leaves the others alone and answers 503', async () => {
  assert.equal(server.models, ['embedder', 'classifier']);
  const { status, json } = await server.post('/v1/embeddings', { input: 'x', model: 'broken' });
  assert.equal([status, (json as { error: { code: string } }).error.code], [503, 'MODEL_NOT_FOUND']);
  const ready = await server.get('/readyz');
  assert.equal([ready.status, (ready.json as { failed: unknown }).failed], [200, [{ name: 'broken', code: 'MODEL_NOT_FOUND' }]]);
});

t('lists the loaded models, and finds one by its name', async () => {
  const { json } = await server.get('/v1/models');
  assert.equal(
    (json as { data: { id: string }[] }).data.map(({ id }) => id),
    ['embedder', 'classifier'],
  );
  assert.is((await server.get('/v1/models/classifier')).status, 200);
  const missing = await server.get('/v1/models/none');
  assert.equal([missing.status, /embedder, classifier/.test(missing.text)], [404, true]);
});

const refused: Readonly<Record<string, readonly [body: unknown, status: number, code: string, message: RegExp]>> = {
  'an empty list': [{ input: [] }, 400, 'EMPTY_INPUT', /at least one text for input/],
  'an empty string': [{ input: '' }, 400, 'EMPTY_INPUT', /it is empty/],
  'an empty string in a list': [{ input: ['a', ''] }, 400, 'EMPTY_INPUT', /at index 1/],
  'no input': [{}, 422, 'INVALID_ARG', /input in the body but it is missing/],
  'input null': [{ input: null }, 422, 'INVALID_ARG', /received null/],
  'mixed input': [{ input: ['a', 5] }, 422, 'INVALID_ARG', /index 1 is 5/],
  'texts and ids': [{ input: ['a', [5]] }, 422, 'INVALID_ARG', /index 1 is a list of 1/],
  'ids out of range': [{ input: [[2, 99_999_999]] }, 422, 'INVALID_IDS', /check_embedding_ctx_length=False/],
  'ids beyond int32': [{ input: [2 ** 40] }, 422, 'INVALID_IDS', /index 0/],
  'dimensions too large': [{ input: 'a', dimensions: 100_000 }, 422, 'INVALID_OPTION', /dimensions/],
  'dimensions 0': [{ input: 'a', dimensions: 0 }, 422, 'INVALID_ARG', /a whole number from 1 for dimensions/],
  'an unknown format': [{ input: 'a', encoding_format: 'hex' }, 422, 'INVALID_OPTION', /float or base64/],
  'a model of another task': [{ input: 'a', model: 'classifier' }, 424, 'NO_HEAD', /classifier is not an embedding model/],
  'too many inputs': [{ input: Array(2049).fill('a') }, 422, 'INVALID_ARG', /at most 2048 inputs but received 2049/],
  'a body cut off': ['{"input": "a', 400, 'invalid_json', /cut off/],
  'a list for a body': ['[1]', 400, 'invalid_json', /a JSON object/],
  'a key twice': ['{"input":"a","input":"b"}', 400, 'invalid_json', /"input" twice/],
};

for (const [name, [body, status, code, message]] of Object.entries(refused)) {
  t(`${name} is ${status} ${code} in the shape of OpenAI`, async () => {
    const answer = await server.post('/v1/embeddings', body);
    const { error, message: own } = answer.json as {
      error: { code: string; message: string; type: string; param: unknown };
      message: string;
    };
    assert.equal([answer.status, error.code, own], [status, code, error.message]);
    assert.match(error.message, message);
    assert.type(error.type, 'string');
  });
}

t('an unknown model lists the loaded where several fit, and none is named', async () => {
  const two = await serve({ models: [...tiny('embedder'), { name: 'other', model: golden('sentence/normalize') }] });
  for (const body of [{ input: 'a', model: 'nope' }, { input: 'a' }]) {
    const { status, json } = await two.post('/v1/embeddings', body);
    const { error } = json as { error: { code: string; message: string } };
    assert.equal([status, error.code, /embedder, other/.test(error.message)], [404, 'model_not_found', true]);
  }
  assert.is((await two.post('/models/other/v1/embeddings', { input: 'a' })).status, 200);
  await two.close();
});

t.run();
