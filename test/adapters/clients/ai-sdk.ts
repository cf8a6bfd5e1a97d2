import { createCohere } from '@ai-sdk/cohere';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embed, embedMany, generateText, rerank, streamText } from 'ai';
import { refused, same, sameVectors, type Check, type Served } from './client.js';

const openAi = ({ address, key }: Served) => createOpenAI({ baseURL: `${address}/v1`, apiKey: key }).embeddingModel('minilm');
const compatible = ({ address, key }: Served) =>
  createOpenAICompatible({ name: 'bertha', baseURL: `${address}/v1`, apiKey: key }).embeddingModel('minilm');
const cohere = ({ address, key }: Served) => createCohere({ baseURL: `${address}/v2`, apiKey: key });

const many = (client: string, modelOf: typeof openAi | typeof compatible): Check => ({
  client,
  route: 'POST /v1/embeddings',
  what: 'embed, embedMany; an empty text',
  run: async (served) => {
    const { texts, vectors, tokens } = served.expected;
    const { embeddings, usage } = await embedMany({ model: modelOf(served), values: [...texts] });
    sameVectors(embeddings, vectors);
    same(usage.tokens, tokens);
    sameVectors([(await embed({ model: modelOf(served), value: texts[1]! })).embedding], [vectors[1]!]);
    await refused(() => embed({ model: modelOf(served), value: '', maxRetries: 0 }), /it is empty/);
  },
});

export const checks: readonly Check[] = [
  {
    client: '@ai-sdk/openai-compatible',
    route: 'POST /v1/completions',
    what: 'generateText, streamText',
    run: async (served) => {
      const { prompt, newTokens } = served.expected;
      const model = createOpenAICompatible({ name: 'bertha', baseURL: `${served.address}/v1`, apiKey: served.key }).completionModel(
        'writer',
      );
      const options = { model, prompt, maxOutputTokens: newTokens, temperature: 0, seed: 7 };
      const { text, finishReason } = await generateText(options);
      let streamed = '';
      for await (const part of streamText(options).textStream) streamed += part;
      same([streamed, finishReason], [text, 'length']);
    },
  },
  many('@ai-sdk/openai', openAi),
  many('@ai-sdk/openai-compatible', compatible),
  {
    client: '@ai-sdk/cohere',
    route: 'POST /v2/rerank',
    what: 'rerank; an empty query',
    run: async (served) => {
      const { query, texts, ranking } = served.expected;
      const model = cohere(served).reranking('reranker');
      const found = await rerank({ model, query, documents: [...texts], topN: 2 });
      same(
        found.ranking.map(({ originalIndex, score }) => ({ index: originalIndex, score })),
        ranking.slice(0, 2),
      );
      await refused(() => rerank({ model, query: '', documents: [...texts], maxRetries: 0 }), /query but it is empty/);
    },
  },
  {
    client: '@ai-sdk/cohere',
    route: 'POST /v2/embed',
    what: 'embedMany',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      sameVectors((await embedMany({ model: cohere(served).embeddingModel('minilm'), values: [...texts] })).embeddings, vectors);
    },
  },
];
