import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { chunkText, extractFeatures, formatVectors } from 'bertha-encoder';
import { computeWith } from '../answers/exchange.js';
import { readTexts } from '../answers/inputs.js';
import { asBuffer, joinJson, sendJson } from '../answers/vectors.js';
import { invalid } from '../failures/failures.js';
import { sizeOfTexts } from '../requests/compute.js';
import { text, texts } from '../schemas/fields.js';
import type { ServerState } from '../state.js';

const model = Type.Optional(Type.Union([Type.String(), Type.Null()]));
const strict = { additionalProperties: false };
const poolings = ['none', 'mean', 'cls', 'first_token', 'last_token', 'eos', 'model'] as const;
const featureBody = Type.Object(
  {
    inputs: Type.Union([text, texts], { description: 'a text or a list of texts' }),
    pooling: Type.Optional(Type.Enum([...poolings], { description: poolings.join(', ') })),
    normalize: Type.Optional(Type.Boolean({ description: 'true or false' })),
    promptName: Type.Optional(text),
    maxLength: Type.Optional(Type.Integer({ minimum: 1, description: 'a whole number from 1' })),
    model,
  },
  strict,
);
const chunkBody = Type.Object(
  {
    inputs: Type.Union([text, texts], { description: 'a text or a list of texts' }),
    maxTokens: Type.Optional(Type.Integer({ minimum: 1, description: 'a whole number from 1' })),
    overlap: Type.Optional(Type.Integer({ minimum: 0, description: 'a whole number from 0' })),
    boundaries: Type.Optional(Type.Array(Type.Enum(['heading', 'paragraph', 'sentence', 'word']))),
    model,
  },
  strict,
);
const attentionBody = Type.Object({ inputs: text, model }, strict);

type ChunkBody = Static<typeof chunkBody>;

/** Texts whose tokens' vectors all go into one answer. */
const kMostForTokens = 128;
/** Tokens of a text whose attention is told: its answer has layers x heads x tokens x tokens numbers. */
const kMostAttended = 64;

const config = { family: 'tei', tag: 'Tasks' } as const;

/** `/tasks/features`, `/tasks/chunk` and `/tasks/attention`: what is between a text and an answer. */
export function featureRoutes(app: FastifyInstance, state: ServerState): void {
  const features = { ...config, summary: 'Features of texts, as transformers.js has them', answer: Type.Object({}) };
  app.post<{ Body: Static<typeof featureBody> }>(
    '/tasks/features',
    { schema: { body: featureBody }, config: features },
    async (request, reply) => {
      const { inputs, model: _, ...options } = request.body;
      const list = readTexts([inputs].flat(), 'inputs');
      if ((options.pooling ?? 'none') === 'none' && list.length > kMostForTokens) {
        throw invalid(`Expected at most ${kMostForTokens} inputs without pooling but received ${list.length}.`, 'inputs');
      }
      const found = await computeWith({ state, request, reply }, request.body, 'embed', sizeOfTexts(list), (served, work) =>
        extractFeatures(served.model, list, { splitSpecialTokens: state.settings.splitSpecialTokens, ...options, ...work }),
      );
      return sendJson(reply, joinJson([`{"type":"float32","dims":${JSON.stringify(found.dims)},"data":`, found.data, '}']));
    },
  );
  const chunks = { ...config, summary: 'Long texts cut into pieces', answer: Type.Unknown() };
  app.post<{ Body: ChunkBody }>('/tasks/chunk', { schema: { body: chunkBody }, config: chunks }, (request, reply) => {
    const { inputs, model: _, ...options } = request.body;
    const list = readTexts([inputs].flat(), 'inputs');
    return computeWith({ state, request, reply }, request.body, 'embed', sizeOfTexts(list), async (served, { signal }) => {
      const found = [];
      for (const each of list) found.push(await chunkText(served.model, each, { ...options, signal }));
      return typeof inputs === 'string' ? found[0]! : found;
    });
  });
  const attention = { ...config, summary: 'Attention of one short text: a matrix a head and layer', answer: Type.Object({}) };
  app.post<{ Body: Static<typeof attentionBody> }>(
    '/tasks/attention',
    { schema: { body: attentionBody }, config: attention },
    async (request, reply) => {
      const list = readTexts([request.body.inputs], 'inputs');
      const { tokens, layers } = await computeWith(
        { state, request, reply },
        request.body,
        'embed',
        sizeOfTexts(list),
        async (served, { signal, priority, deadlineMs }) => {
          const encoding = served.model.tokenizer.encode(list[0]!, {
            truncation: true,
            splitSpecialTokens: state.settings.splitSpecialTokens,
            maxLength: Math.min(kMostAttended, served.model.maxTokens),
          });
          const found = await served.model.forward(encoding, { attentions: true, signal, priority, deadlineMs });
          return { tokens: encoding.tokens, layers: found.attentions! };
        },
      );
      const parts = layers.map(({ data, dims: [heads, rows, columns] }) => nested(data, heads!, rows!, columns!));
      return sendJson(reply, `{"tokens":${JSON.stringify(tokens)},"layers":[${parts.join(',')}]}`);
    },
  );
}

/** Matrices as lists of lists of lists. */
function nested(data: Float32Array, heads: number, rows: number, columns: number): string {
  const matrices = Array.from({ length: heads }, (_, head) => {
    const first = head * rows;
    const list = Array.from({ length: rows }, (_row, i) => data.subarray((first + i) * columns, (first + i + 1) * columns));
    return asBuffer(formatVectors(list)).toString();
  });
  return `[${matrices.join(',')}]`;
}
