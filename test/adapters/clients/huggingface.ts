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
    // Which this client asks of an endpoint, whatever its task is called.
    route: 'POST /models/writer/v1/completions',
    what: 'textGeneration, textGenerationStream; a temperature that cannot be',
    run: async (served) => {
      const { prompt, newTokens, written } = served.expected;
      const asked = { inputs: prompt, parameters: { max_new_tokens: newTokens, temperature: 0 } };
      const { generated_text: text } = await at(served, 'writer').textGeneration(asked);
      let streamed = '';
      for await (const part of at(served, 'writer').textGenerationStream(asked)) {
        streamed += (part as unknown as { choices: readonly { text: string }[] }).choices[0]!.text;
      }
      same([text, streamed], [written, written]);
      const cold = { inputs: prompt, parameters: { temperature: -1 } };
      await refused(() => at(served, 'writer').textGenerationStream(cold).next(), /above 0/);
    },
  },
  {
    client,
    route: 'POST /models/translator/pipeline/translation',
    what: 'translation',
    run: async (served) => {
      const { prompt, newTokens, translated } = served.expected;
      const parameters = { max_new_tokens: newTokens } as Readonly<Record<string, unknown>>;
      const found = await at(served, 'translator/pipeline/translation').translation({ inputs: prompt, parameters });
      same(found, { translation_text: translated });
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
