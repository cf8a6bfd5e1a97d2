import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type, type Static } from 'typebox';
import type { Embedding } from 'bertha-encoder';
import { embedInputs, promptFor } from '../answers/embed.js';
import { readInputs } from '../answers/inputs.js';
import { joinJson, sendJson, toBase64 } from '../answers/vectors.js';
import { invalid } from '../failures/failures.js';
import { modelFor } from '../requests/compute.js';
import { embeddingList } from '../schemas/answers.js';
import { absent, count, direction, flag, modelName, optionalText, textInputs } from '../schemas/fields.js';
import type { ServerState } from '../state.js';

const body = Type.Object({
  input: textInputs,
  model: modelName,
  encoding_format: absent(Type.String({ description: 'float or base64' })),
  dimensions: count,
  user: optionalText,
  // Jina's and Voyage's
  task: optionalText,
  input_type: optionalText,
  output_dimension: count,
  output_dtype: optionalText,
  truncation: flag,
  truncate: flag,
  truncation_direction: direction,
  normalized: flag,
});

/** `/v1/embeddings` as OpenAI, Jina and Voyage have it. Numbers are printed natively; base64 is the memory of the vectors. */
export function openAiRoutes(app: FastifyInstance, state: ServerState): void {
  for (const url of ['/v1/embeddings', '/embeddings']) {
    app.post<{ Body: Static<typeof body> }>(
      url,
      {
        schema: { body },
        config: {
          family: 'openai',
          tag: 'OpenAI',
          work: 'embed',
          summary: 'Embeddings, as OpenAI, Jina and Voyage serve them',
          answer: embeddingList,
          isAlias: url === '/embeddings',
        },
      },
      async (request, reply) => {
        const wish = request.body;
        const { input, encoding_format: format = 'float' } = wish;
        if (format !== 'float' && format !== 'base64' && format !== null) {
          throw invalid('Expected float or base64 for encoding_format.', 'encoding_format', 'INVALID_OPTION');
        }
        const dtype = wish.output_dtype ?? 'float';
        if (dtype !== 'float')
          throw invalid('Expected float for output_dtype: /v2/embed has other types.', 'output_dtype', 'INVALID_OPTION');
        const served = modelFor(state, request, wish, 'embed');
        const embeddings = await embedInputs(state, request, reply, served, readInputs(input, 'input'), {
          promptName: promptFor(served, wish.input_type ?? wish.task),
          truncate: wish.truncation ?? wish.truncate,
          direction: wish.truncation_direction,
          normalize: wish.normalized,
          dimensions: wish.dimensions ?? wish.output_dimension,
        });
        return sendList(reply, embeddings, served.name, format === 'base64');
      },
    );
  }
}

function sendList(reply: FastifyReply, embeddings: readonly Embedding[], model: string, isBase64: boolean): FastifyReply {
  let tokens = 0;
  for (const embedding of embeddings) tokens += embedding.tokens;
  const tail = `],"model":${JSON.stringify(model)},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`;
  const before = (index: number): string => `${index === 0 ? '' : ','}{"object":"embedding","index":${index},"embedding":`;
  if (isBase64) {
    let json = '{"object":"list","data":[';
    embeddings.forEach(({ vector }, i) => (json += `${before(i)}"${toBase64(vector)}"}`));
    return sendJson(reply, json + tail);
  }
  const parts: (string | Float32Array)[] = [];
  embeddings.forEach(({ vector }, i) => parts.push(`${i === 0 ? '{"object":"list","data":[' : '}'}${before(i)}`, vector));
  parts.push(`}${tail}`);
  return sendJson(reply, joinJson(parts));
}
