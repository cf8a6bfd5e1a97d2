import { OpenAIEmbeddingFunction } from '@chroma-core/openai';
import { CohereEmbeddings, CohereRerank } from '@langchain/cohere';
import { HuggingFaceInferenceEmbeddings } from '@langchain/community/embeddings/hf';
import { JinaEmbeddings } from '@langchain/community/embeddings/jina';
import { OpenAIEmbedding } from '@llamaindex/openai';
import { CohereClient } from 'cohere-ai';
import { refused, same, sameVectors, type Check, type Served } from '../clients/client.js';

const cohere = ({ address, key }: Served): CohereClient => new CohereClient({ environment: address, token: key });
const jina = ({ address, key }: Served, dimensions: number): JinaEmbeddings => {
  const embeddings = new JinaEmbeddings({ model: 'minilm', apiKey: key, dimensions, maxRetries: 0 });
  embeddings.baseUrl = `${address}/v1/embeddings`;
  return embeddings;
};

export const checks: readonly Check[] = [
  {
    client: '@langchain/cohere',
    route: 'POST /v1/rerank',
    what: 'CohereRerank.compressDocuments',
    run: async (served) => {
      const { query, texts, ranking } = served.expected;
      const compressor = new CohereRerank({ client: cohere(served), model: 'reranker', topN: 2 });
      const found = await compressor.compressDocuments(
        texts.map((pageContent) => ({ pageContent, metadata: {} })),
        query,
      );
      same(
        found.map(({ pageContent, metadata }) => [pageContent, metadata['relevanceScore']]),
        ranking.slice(0, 2).map(({ index, score }) => [texts[index], score]),
      );
    },
  },
  {
    client: '@langchain/cohere',
    route: 'POST /v1/embed',
    what: 'CohereEmbeddings.embedDocuments; an empty text',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      const embeddings = new CohereEmbeddings({ client: cohere(served), model: 'minilm', maxRetries: 0 });
      sameVectors(await embeddings.embedDocuments([...texts]), vectors);
      await refused(() => embeddings.embedQuery(''), /it is empty/);
    },
  },
  {
    client: '@langchain/community',
    route: 'POST /models/minilm',
    what: 'HuggingFaceInferenceEmbeddings; a key that is wrong',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      const endpointUrl = `${served.address}/models/minilm`;
      const at = (apiKey: string) => new HuggingFaceInferenceEmbeddings({ apiKey, endpointUrl, model: 'minilm', maxRetries: 0 });
      sameVectors(await at(served.key).embedDocuments([...texts]), vectors);
      sameVectors([await at(served.key).embedQuery(texts[1]!)], [vectors[1]!]);
      await refused(() => at('wrong').embedQuery('a'), /key/);
    },
  },
  {
    client: '@langchain/community',
    route: 'POST /v1/embeddings',
    what: 'JinaEmbeddings, dimensions; the 1024 that it asks for by itself',
    run: async (served) => {
      const { texts, narrow } = served.expected;
      sameVectors(await jina(served, narrow[0]!.length).embedDocuments([...texts]), narrow);
      await refused(() => jina(served, 1024).embedDocuments([...texts]), /dimensions/);
    },
  },
  {
    client: '@chroma-core/openai',
    route: 'POST /v1/embeddings',
    what: 'generate; a key that is wrong',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      const at = (apiKey: string) => new OpenAIEmbeddingFunction({ apiKey, modelName: 'minilm', apiBase: `${served.address}/v1` });
      sameVectors(await at(served.key).generate([...texts]), vectors);
      await refused(() => at('wrong').generate(['a']), /401/);
    },
  },
  {
    client: '@llamaindex/openai',
    route: 'POST /v1/embeddings',
    what: 'getTextEmbeddings, getTextEmbedding; an empty text',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      const additionalSessionOptions = { baseURL: `${served.address}/v1` };
      const embedding = new OpenAIEmbedding({ apiKey: served.key, model: 'minilm', additionalSessionOptions, maxRetries: 0 });
      sameVectors(await embedding.getTextEmbeddings([...texts]), vectors);
      sameVectors([await embedding.getTextEmbedding(texts[1]!)], [vectors[1]!]);
      await refused(() => embedding.getTextEmbedding(''), /it is empty/);
    },
  },
];
