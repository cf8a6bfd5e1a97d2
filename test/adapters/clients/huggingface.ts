import { HuggingfaceServerEmbeddingFunction } from '@chroma-core/huggingface-server';
import { InferenceClient } from '@huggingface/inference';
import { refused, same, sameVectors, type Check, type Served } from './client.js';

const at = ({ address, key }: Served, model: string) =>
  new InferenceClient(key, { endpointUrl: `${address}/models/${model}`, retry_on_error: false });
const client = '@huggingface/inference';

export const checks: readonly Check[] = [
  {
    client,
    route: 'POST /models/minilm',
    what: 'featureExtraction; an empty text',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      sameVectors((await at(served, 'minilm').featureExtraction({ inputs: [...texts] })) as number[][], vectors);
      await refused(() => at(served, 'minilm').featureExtraction({ inputs: '' }), /it is empty/);
    },
  },
  {
    client,
    route: 'POST /models/minilm/embed',
    what: 'featureExtraction, dimensions',
    run: async (served) => {
      const { texts, narrow } = served.expected;
      const found = await at(served, 'minilm/embed').featureExtraction({
        inputs: [...texts],
        normalize: true,
        truncate: true,
        truncation_direction: 'right',
        dimensions: narrow[0]!.length,
      });
      sameVectors(found as number[][], narrow);
    },
  },
  {
    client,
    route: 'POST /models/classifier',
    what: 'textClassification; a key that is wrong',
    run: async (served) => {
      const { sentence, labels } = served.expected;
      same(await at(served, 'classifier').textClassification({ inputs: sentence }), labels);
      await refused(() => at({ ...served, key: 'wrong' }, 'classifier').textClassification({ inputs: 'a' }), /key/);
    },
  },
  {
    client,
    route: 'POST /models/entities',
    what: 'tokenClassification',
    run: async (served) => {
      const { sentence, entities } = served.expected;
      const parameters = { aggregation_strategy: 'simple' } as const;
      same(await at(served, 'entities').tokenClassification({ inputs: sentence, parameters }), entities);
    },
  },
  {
    client,
    route: 'POST /models/answers',
    what: 'questionAnswering',
    run: async (served) => {
      const { question, sentence, answer } = served.expected;
      same(await at(served, 'answers').questionAnswering({ inputs: { question, context: sentence } }), answer);
    },
  },
  {
    client,
    route: 'POST /models/masks',
    what: 'fillMask',
    run: async (served) => {
      const { masked, candidates } = served.expected;
      same(await at(served, 'masks').fillMask({ inputs: masked, parameters: { top_k: 2 } }), candidates);
    },
  },
  {
    client,
    route: 'POST /models/nli',
    what: 'zeroShotClassification',
    run: async (served) => {
      const { sentence, topics, chosen } = served.expected;
      const parameters = { candidate_labels: [...topics] };
      same(await at(served, 'nli').zeroShotClassification({ inputs: sentence, parameters }), chosen);
    },
  },
  {
    client,
    route: 'POST /models/minilm',
    what: 'sentenceSimilarity',
    run: async (served) => {
      const { query, texts, similarities } = served.expected;
      const inputs = { source_sentence: query, sentences: [...texts] };
      same(await at(served, 'minilm').sentenceSimilarity({ inputs }), similarities);
    },
  },
  {
    client: '@chroma-core/huggingface-server',
    route: 'POST /models/minilm/embed',
    what: 'generate; a key that is wrong',
    run: async (served) => {
      const { texts, vectors } = served.expected;
      const url = `${served.address}/models/minilm/embed`;
      sameVectors(await new HuggingfaceServerEmbeddingFunction({ url, apiKey: served.key }).generate([...texts]), vectors);
      await refused(() => new HuggingfaceServerEmbeddingFunction({ url, apiKey: 'wrong' }).generate(['a']), /Unauthorized/);
    },
  },
];
