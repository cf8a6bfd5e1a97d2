import { CohereClient, CohereClientV2 } from 'cohere-ai';
import { VoyageAIClient } from 'voyageai';
import { refused, same, sameVectors, type Check, type Served } from './client.js';

const first = ({ address, key }: Served): CohereClient => new CohereClient({ environment: address, token: key, maxRetries: 0 });
const second = ({ address, key }: Served): CohereClientV2 => new CohereClientV2({ environment: address, token: key, maxRetries: 0 });
const voyage = ({ address, key }: Served): VoyageAIClient => new VoyageAIClient({ environment: `${address}/v1`, apiKey: key });
const ranksOf = (rows: readonly { readonly index?: number; readonly relevanceScore?: number }[] | undefined) =>
  rows?.map(({ index, relevanceScore }) => ({ index, score: relevanceScore }));

export const checks: readonly Check[] = [
  {
    client: 'cohere-ai',
    route: 'POST /v2/rerank',
    what: 'CohereClientV2.rerank; an empty query',
    run: async (served) => {
      const { query, texts, ranking } = served.expected;
      const call = { model: 'reranker', documents: [...texts], topN: 3 };
      same(ranksOf((await second(served).rerank({ ...call, query, maxTokensPerDoc: 4096 })).results), ranking.slice(0, 3));
      await refused(() => second(served).rerank({ ...call, query: '' }), /query but it is empty/);
    },
  },
  {
    client: 'cohere-ai',
    route: 'POST /v1/rerank',
    what: 'CohereClient.rerank, objects, documents back',
    run: async (served) => {
      const { query, texts, ranking } = served.expected;
      const documents = texts.map((text, i) => (i % 2 === 0 ? text : { text }));
      const { results } = await first(served).rerank({ model: 'reranker', query, documents, returnDocuments: true });
      same(ranksOf(results), ranking);
      same(
        results.map(({ document }) => document?.text),
        ranking.map(({ index }) => texts[index]),
      );
    },
  },
  {
    client: 'cohere-ai',
    route: 'POST /v2/embed',
    what: 'CohereClientV2.embed, float and int8, output dimension',
    run: async (served) => {
      const { texts, narrow } = served.expected;
      const { embeddings } = await second(served).embed({
        model: 'minilm',
        texts: [...texts],
        inputType: 'search_document',
        embeddingTypes: ['float', 'int8'],
        outputDimension: narrow[0]!.length,
      });
      sameVectors(embeddings.float!, narrow);
      same(
        embeddings.int8!.map((row) => row.length),
        narrow.map((row) => row.length),
      );
    },
  },
  {
    client: 'cohere-ai',
    route: 'POST /v1/embed',
    what: 'CohereClient.embed; a key that is wrong',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      const call = { model: 'minilm', texts: [...texts], inputType: 'search_document' as const };
      const { embeddings } = await first(served).embed(call);
      sameVectors(embeddings as number[][], vectors);
      await refused(() => first({ ...served, key: 'wrong' }).embed(call), /401|key/);
    },
  },
  {
    client: 'voyageai',
    route: 'POST /v1/embeddings',
    what: 'embed, output dimension; an empty text',
    run: async (served) => {
      const { texts, narrow } = served.expected;
      const call = { model: 'minilm', input: [...texts], truncation: true, outputDimension: narrow[0]!.length };
      const { data } = await voyage(served).embed(call);
      sameVectors(
        data!.map(({ embedding }) => embedding!),
        narrow,
      );
      await refused(() => voyage(served).embed({ ...call, input: '' }), /it is empty/);
    },
  },
  {
    client: 'voyageai',
    route: 'POST /v1/rerank',
    what: 'rerank, documents back',
    run: async (served) => {
      const { query, texts, ranking } = served.expected;
      const call = { model: 'reranker', query, documents: [...texts], topK: 2, returnDocuments: true, truncation: true };
      const { data } = await voyage(served).rerank(call);
      same(ranksOf(data), ranking.slice(0, 2));
      same(
        data!.map(({ document }) => document),
        ranking.slice(0, 2).map(({ index }) => texts[index]),
      );
    },
  },
];
