import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { chunkText, extractFeatures, formatVectors, type Model } from 'bertha-encoder';
import { computeWith } from '../answers/exchange.js';
import { readTexts } from '../answers/inputs.js';
import { tellTruncated } from '../answers/truncated.js';
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
const numbers = Type.Array(Type.Integer({ minimum: 0, maximum: 1023 }), { minItems: 1, maxItems: 1024 });
const attentionBody = Type.Object(
  {
    inputs: text,
    layers: Type.Optional(numbers),
    heads: Type.Optional(numbers),
    maxLength: Type.Optional(Type.Integer({ minimum: 1, description: 'a whole number from 1' })),
    model,
  },
  strict,
);

type ChunkBody = Static<typeof chunkBody>;
type AttentionBody = Static<typeof attentionBody>;

/** Texts whose tokens' vectors all go into one answer. */
const kMostForTokens = 128;
/** Tokens of a text whose attention is told where a request does not choose. */
const kMostAttended = 64;
/** Weights of an answer: layers x heads x tokens x tokens. */
const kMostWeights = 2 ** 20;

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
  const attending = { ...config, summary: 'Attention of one text: a matrix a head and layer', answer: Type.Object({}) };
  app.post<{ Body: AttentionBody }>('/tasks/attention', { schema: { body: attentionBody }, config: attending }, async (request, reply) => {
    const { inputs, model: _, ...chosen } = request.body;
    const list = readTexts([inputs], 'inputs');
    const { attention } = await import('bertha-encoder/explain');
    const { splitSpecialTokens } = state.settings;
    const found = await computeWith({ state, request, reply }, request.body, 'embed', sizeOfTexts(list), async (served, work) => {
      const { signal, priority, deadlineMs } = work;
      const maxLength = requireFewWeights(served.model, inputs, chosen, splitSpecialTokens);
      const { numHeads, numLayers } = served.model.config;
      const seen = await attention(served.model, inputs, { ...chosen, maxLength, splitSpecialTokens, signal, priority, deadlineMs });
      return { ...seen, numHeads, numLayers };
    });
    tellTruncated(reply, [found]);
    const { tokens, weights, truncated, numLayers, numHeads } = found;
    const head = JSON.stringify({ tokens: tokens.map(({ token }) => token), truncated, numLayers, numHeads });
    const parts = weights.map(({ data, dims: [heads, rows, columns] }) => nested(data, heads!, rows!, columns!));
    return sendJson(reply, `${head.slice(0, -1)},"layers":[${parts.join(',')}]}`);
  });
}

/** The tokens that are read: where nothing is chosen few enough for all heads. Errors: RequestError 422, with the number of weights. */
function requireFewWeights(
  { tokenizer, maxTokens, config: { numLayers, numHeads } }: Model,
  given: string,
  { layers, heads, maxLength }: Omit<AttentionBody, 'inputs' | 'model'>,
  splitSpecialTokens: boolean,
): number {
  const isChosen = layers !== undefined || heads !== undefined || maxLength !== undefined;
  const limit = Math.min(maxLength ?? (isChosen ? maxTokens : kMostAttended), maxTokens);
  const tokens = tokenizer.encode(given, { truncation: true, maxLength: limit, splitSpecialTokens }).ids.length;
  const matrices = (layers?.length ?? numLayers) * (heads?.length ?? numHeads);
  if (!isChosen || matrices * tokens ** 2 <= kMostWeights) return limit;
  const got = `${matrices} heads of ${tokens} tokens are ${matrices * tokens ** 2}`;
  throw invalid(`Expected at most ${kMostWeights} attention weights but ${got}. Choose fewer layers or heads.`, 'inputs', 'INVALID_OPTION');
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
