import { OpenAIEmbeddings } from '@langchain/openai';
import OpenAI from 'openai';
import { refused, same, sameVectors, type Check, type Served } from './client.js';

const openAi = ({ address, key }: Served): OpenAI => new OpenAI({ baseURL: `${address}/v1`, apiKey: key });
const langChain = ({ address, key }: Served): OpenAIEmbeddings =>
  new OpenAIEmbeddings({ configuration: { baseURL: `${address}/v1` }, apiKey: key, model: 'minilm', batchSize: 2, maxRetries: 0 });
const client = 'openai';
const route = 'POST /v1/embeddings';
const path = '@langchain/openai';

export const checks: readonly Check[] = [
  {
    client,
    route,
    what: 'embeddings.create, as the client asks by itself: base64',
    run: async (served) => {
      const { texts, vectors, tokens } = served.expected;
      const { data, usage, model } = await openAi(served).embeddings.create({ model: 'minilm', input: [...texts] });
      sameVectors(
        data.map(({ embedding }) => embedding),
        vectors,
      );
      same([usage, model], [{ prompt_tokens: tokens, total_tokens: tokens }, 'minilm']);
    },
  },
  {
    client,
    route,
    what: 'embeddings.create, float, dimensions',
    run: async (served) => {
      const { texts, narrow } = served.expected;
      const { data } = await openAi(served).embeddings.create({
        model: 'minilm',
        input: [...texts],
        encoding_format: 'float',
        dimensions: narrow[0]!.length,
      });
      sameVectors(
        data.map(({ embedding }) => embedding),
        narrow,
      );
    },
  },
  {
    client,
    route,
    what: 'embeddings.create, token ids',
    run: async (served) => {
      const { ids, vectors } = served.expected;
      const { data } = await openAi(served).embeddings.create({ model: 'minilm', input: ids.map((each) => [...each]) });
      sameVectors(
        data.map(({ embedding }) => embedding),
        vectors,
      );
    },
  },
  {
    client,
    route: 'GET /v1/models',
    what: 'models.list and models.retrieve',
    run: async (served) => {
      const { data } = await openAi(served).models.list();
      same(
        data.map(({ id }) => id),
        served.expected.models,
      );
      same((await openAi(served).models.retrieve('minilm')).id, 'minilm');
    },
  },
  {
    client,
    route,
    what: 'an empty text, and a key that is wrong',
    run: async (served) => {
      await refused(() => openAi(served).embeddings.create({ model: 'minilm', input: '' }), /400 .*it is empty/);
      await refused(() => openAi({ ...served, key: 'wrong' }).embeddings.create({ model: 'minilm', input: 'a' }), /401 .*key/);
    },
  },
  {
    client,
    route: 'POST /v1/completions',
    what: 'completions.create; a temperature that cannot be',
    run: async (served) => {
      const { prompt, newTokens, written, drawn, usage: expected } = served.expected;
      const asked = { model: 'writer', prompt, max_tokens: newTokens };
      const { choices, usage } = await openAi(served).completions.create({ ...asked, temperature: 0 });
      same([choices.map(({ text }) => text), usage], [[written], expected]);
      const draws = await openAi(served).completions.create({ ...asked, temperature: 0.8, top_p: 0.9, seed: 7, n: 2 });
      same(
        draws.choices.map(({ text }) => text),
        drawn,
      );
      await refused(() => openAi(served).completions.create({ ...asked, temperature: -1 }), /422 .*above 0/);
    },
  },
  {
    client,
    route: 'POST /v1/completions',
    what: 'completions.create, stream; a loop that is left',
    run: async (served) => {
      const { prompt, newTokens, drawn, usage: expected } = served.expected;
      const asked = { model: 'writer', prompt, max_tokens: newTokens, temperature: 0.8, top_p: 0.9, seed: 7, n: 2 };
      const texts = ['', ''];
      let total: unknown;
      const parts = await openAi(served).completions.create({ ...asked, stream: true, stream_options: { include_usage: true } });
      for await (const { choices, usage } of parts) {
        for (const { index, text } of choices) texts[index] += text;
        total ??= usage?.prompt_tokens;
      }
      same([texts, total], [drawn, (expected as { prompt_tokens: number }).prompt_tokens]);
      for await (const { choices } of await openAi(served).completions.create({ ...asked, stream: true })) {
        same(choices.length, 1);
        break;
      }
      await refused(() => openAi(served).completions.create({ ...asked, model: 'minilm', stream: true }), /424 .*writes texts/);
    },
  },
  {
    client: path,
    route,
    what: 'OpenAIEmbeddings, in batches of two',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      sameVectors(await langChain(served).embedDocuments([...texts]), vectors);
      sameVectors([await langChain(served).embedQuery(texts[1]!)], [vectors[1]!]);
    },
  },
  { client: path, route, what: 'an empty text', run: (served) => refused(() => langChain(served).embedQuery(''), /it is empty/) },
];
