import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { formatVectors, quantizeVectors, type Embedding } from 'bertha-encoder';
import { embedInputs, promptFor } from '../answers/embed.js';
import { readInputs } from '../answers/inputs.js';
import { asBuffer, sendJson, toBase64 } from '../answers/vectors.js';
import { invalid } from '../failures/failures.js';
import { modelFor } from '../requests/compute.js';
import { absent, count, modelName, optionalText, text, texts } from '../schemas/fields.js';
import type { ServerState } from '../state.js';

const kTypes = ['float', 'int8', 'uint8', 'binary', 'ubinary', 'base64'] as const;
type EmbeddingType = (typeof kTypes)[number];

const types = Type.Array(Type.Enum([...kTypes]), { description: `a list of ${kTypes.join(', ')}` });
const contents = Type.Array(Type.Object({ content: Type.Array(Type.Object({ type: text, text })) }), {
  description: 'a list of objects with content, a list of texts',
});
const body = Type.Object({
  texts: absent(texts),
  inputs: absent(contents),
  model: modelName,
  input_type: optionalText,
  embedding_types: absent(types),
  output_dimension: count,
  truncate: absent(Type.Enum(['NONE', 'START', 'END'], { description: 'NONE, START or END' })),
});
const answer = Type.Object({
  id: Type.String(),
  embeddings: Type.Union([Type.Array(Type.Array(Type.Number())), Type.Object({})]),
  texts: Type.Array(Type.String()),
  meta: Type.Object({}),
  response_type: Type.String(),
});

/** `/v1/embed` and `/v2/embed` as Cohere has them. Version 1 without embedding_types answers with lists of numbers, else by type. */
export function cohereRoutes(app: FastifyInstance, state: ServerState): void {
  for (const version of ['1', '2']) {
    const config = {
      family: 'openai',
      tag: 'Cohere',
      work: 'embed',
      summary: `Embeddings, as Cohere's version ${version}`,
      answer,
    } as const;
    app.post<{ Body: Static<typeof body> }>(`/v${version}/embed`, { schema: { body }, config }, async (request, reply) => {
      const { truncate, input_type: inputType, output_dimension: dimensions } = request.body;
      const list = textsOf(request.body);
      const served = modelFor(state, request, request.body, 'embed');
      const embeddings = await embedInputs(state, request, reply, served, readInputs(list, 'texts'), {
        promptName: promptFor(served, inputType),
        truncate: truncate === 'NONE' ? false : truncate === null || truncate === undefined ? undefined : true,
        direction: truncate === 'START' ? 'left' : 'right',
        dimensions,
      });
      const tokens = embeddings.reduce((sum, embedding) => sum + embedding.tokens, 0);
      const asked = request.body.embedding_types;
      const isFlat = version === '1' && (asked === undefined || asked === null);
      const meta = { api_version: { version }, billed_units: { input_tokens: tokens } };
      const rest = { texts: list, meta, response_type: isFlat ? 'embeddings_floats' : 'embeddings_by_type' };
      const head = `{"id":${JSON.stringify(request.id)},"embeddings":`;
      const vectors = isFlat ? [floatsOf(embeddings)] : byType(embeddings, asked ?? ['float']);
      return sendJson(reply, Buffer.concat([Buffer.from(head), ...vectors, Buffer.from(`,${JSON.stringify(rest).slice(1)}`)]));
    });
  }
}

function textsOf({ texts: given, inputs }: Static<typeof body>): readonly string[] {
  if (given !== undefined && given !== null) return given;
  if (inputs === undefined || inputs === null) throw invalid('Expected texts in the body but it is missing.', 'texts');
  return inputs.map(({ content }) => content.map((part) => part.text).join('\n'));
}

const floatsOf = (embeddings: readonly Embedding[]): Buffer => asBuffer(formatVectors(embeddings.map(({ vector }) => vector)));

function byType(embeddings: readonly Embedding[], asked: readonly EmbeddingType[]): Buffer[] {
  const parts = [...new Set(asked)].map((type): Buffer => {
    if (type === 'float') return Buffer.concat([Buffer.from('"float":'), floatsOf(embeddings)]);
    const rows = embeddings.map(({ vector }) => (type === 'base64' ? toBase64(vector) : codesOf(vector, type)));
    return Buffer.from(`"${type}":${JSON.stringify(rows)}`);
  });
  return [Buffer.from('{'), ...parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from(','), part])), Buffer.from('}')];
}

/** int8: numbers by the vector's own largest; binary: signs, eight a number. The unsigned kinds are the same with 128 added. */
function codesOf(vector: Float32Array, type: Exclude<EmbeddingType, 'float' | 'base64'>): number[] {
  if (type === 'int8' || type === 'uint8')
    return Array.from(quantizeVectors([vector], 'int8').codes, (code) => (type === 'int8' ? code : code + 128));
  return Array.from(quantizeVectors([vector], 'binary').codes, (code) => (type === 'ubinary' ? code : code - 128));
}
