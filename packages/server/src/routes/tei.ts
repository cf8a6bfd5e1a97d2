import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { extractFeatures, formatVectors, sentenceSimilarity, type TextInput } from 'bertha-encoder';
import { classifyInputs } from '../answers/classify.js';
import { embedInputs } from '../answers/embed.js';
import { computeWith, type Exchange } from '../answers/exchange.js';
import { readInputs, readTexts } from '../answers/inputs.js';
import { promptOf, reading, type ReadingWish } from '../answers/reading.js';
import { tellTruncated } from '../answers/truncated.js';
import { asBuffer, sendJson, sendVectors } from '../answers/vectors.js';
import { empty, invalid } from '../failures/failures.js';
import { modelFor, sizeOfTexts } from '../requests/compute.js';
import { labelScore, sparseVectors, vectors } from '../schemas/answers.js';
import { count, direction, flag, modelName, optionalText, text, textInputs, texts } from '../schemas/fields.js';
import type { ServerState } from '../state.js';

const truncations = { truncate: flag, truncation_direction: direction };
const embedFields = { inputs: textInputs, ...truncations, prompt_name: optionalText, normalize: flag, dimensions: count, model: modelName };
/** The body of `/embed`. */
export const embedBody = Type.Object(embedFields);
const sequences = Type.Union([text, texts], { description: 'a text or a list of texts' });
const embedAllBody = Type.Object({ inputs: sequences, ...truncations, prompt_name: optionalText, model: modelName });
const predictInputs = Type.Union([text, texts, Type.Array(texts)], {
  description: 'a text, a pair of texts, or a list of lists of one or two texts',
});
/** The body of `/predict`. */
export const predictBody = Type.Object({ inputs: predictInputs, ...truncations, raw_scores: flag, model: modelName });
const similarityInputs = Type.Object({ source_sentence: text, sentences: texts });
const similarityBody = Type.Object({
  inputs: similarityInputs,
  parameters: Type.Optional(Type.Union([Type.Object({ ...truncations, prompt_name: optionalText }), Type.Null()])),
  model: modelName,
});

/** Texts of a request whose answer has every token's vector. */
const kMostForTokens = 128;

const tei = { family: 'tei', tag: 'text-embeddings-inference', work: 'embed' } as const;
const scores = Type.Array(Type.Number());

type AllBody = Static<typeof embedAllBody>;
/** Bodies that other routes share. */
export type EmbedBody = Static<typeof embedBody>;
export type PredictBody = Static<typeof predictBody>;
export type SimilarityInputs = Static<typeof similarityInputs>;

/** The routes of text-embeddings-inference that compute vectors and labels. */
export function teiRoutes(app: FastifyInstance, state: ServerState): void {
  const config = { ...tei, summary: 'Vectors, one a text', answer: vectors };
  app.post<{ Body: EmbedBody }>('/embed', { schema: { body: embedBody }, config }, async (request, reply) =>
    sendVectors(reply, await embedVectors({ state, request, reply }, request.body)),
  );
  const allConfig = { ...tei, summary: 'The vectors of every token', answer: Type.Array(vectors) };
  app.post<{ Body: AllBody }>('/embed_all', { schema: { body: embedAllBody }, config: allConfig }, async (request, reply) => {
    const { list, settings } = readAll(state, request.body);
    if (list.length > kMostForTokens) throw invalid(`Expected at most ${kMostForTokens} inputs but received ${list.length}.`, 'inputs');
    const features = await computeWith({ state, request, reply }, request.body, 'embed', sizeOfTexts(list), ({ model }, options) =>
      Promise.all(list.map((each) => extractFeatures(model, each, { ...options, ...settings }))),
    );
    const json = features.map(({ data, dims }) => asBuffer(formatVectors(rowsOf(data, dims.at(-1)!))));
    return sendJson(reply, Buffer.concat(json.flatMap((each, i) => [Buffer.from(i === 0 ? '[' : ','), each]).concat(Buffer.from(']'))));
  });
  const sparse = { ...tei, summary: 'Sparse vectors, of models that have them', answer: sparseVectors };
  app.post<{ Body: AllBody }>('/embed_sparse', { schema: { body: embedAllBody }, config: sparse }, async (request, reply) => {
    const { list, settings } = readAll(state, request.body);
    const found = await computeWith({ state, request, reply }, request.body, 'embed-sparse', sizeOfTexts(list), ({ embedder }, options) =>
      embedder.embedSparse(list, { ...options, ...settings }),
    );
    tellTruncated(reply, found);
    return found.map(({ indices, values }) => Array.from(indices, (index, i) => ({ index, value: values[i]! })));
  });
  const labels = Type.Array(Type.Union([labelScore, Type.Array(labelScore)]));
  const predict = { ...tei, work: 'predict', summary: 'Labels of texts and pairs', answer: labels } as const;
  app.post<{ Body: PredictBody }>('/predict', { schema: { body: predictBody }, config: predict }, (request, reply) =>
    predictLabels({ state, request, reply }, request.body),
  );
  const similarity = { ...tei, summary: 'How similar sentences are to one', answer: scores };
  app.post<{ Body: Static<typeof similarityBody> }>(
    '/similarity',
    { schema: { body: similarityBody }, config: similarity },
    (request, reply) => {
      const { inputs, parameters } = request.body;
      const { truncate, truncation_direction: side, prompt_name: promptName } = parameters ?? {};
      return similarities({ state, request, reply }, request.body, inputs, { truncate, direction: side, promptName });
    },
  );
}

/** The vectors of `/embed`, for the routes that answer as it does. */
export async function embedVectors({ state, request, reply }: Exchange, body: EmbedBody): Promise<readonly Float32Array[]> {
  const inputs = readInputs(body.inputs, 'inputs');
  const served = modelFor(state, request, body, 'embed');
  const embeddings = await embedInputs(state, request, reply, served, inputs, {
    promptName: body.prompt_name,
    truncate: body.truncate,
    direction: body.truncation_direction,
    normalize: body.normalize ?? true,
    dimensions: body.dimensions,
  });
  return embeddings.map(({ vector }) => vector);
}

/** The answer of `/predict`: flat for one text or pair, a list of lists for a batch. */
export async function predictLabels(exchange: Exchange, body: PredictBody): Promise<unknown> {
  const { inputs, raw_scores: raw, truncate, truncation_direction: side } = body;
  const isBatch = Array.isArray(inputs) && Array.isArray(inputs[0]);
  const list = (isBatch ? inputs : [inputs]) as readonly (string | readonly string[])[];
  const wish = { truncate, direction: side, functionToApply: raw === true ? ('none' as const) : undefined };
  const labels = await classifyInputs(exchange, body, list.map(toInput), wish);
  return isBatch ? labels : labels[0];
}

/** A text, a list of one, or a pair. */
function toInput(given: string | readonly string[], index: number): TextInput {
  if (typeof given === 'string') return given;
  const [first, second, ...rest] = given;
  if (first === undefined) throw empty(`Expected a text for inputs but the list at index ${index} is empty.`, 'inputs');
  if (rest.length > 0) throw invalid(`Expected one or two texts for the input at index ${index} but received ${given.length}.`, 'inputs');
  return second === undefined ? first : { text: first, textPair: second };
}

/** Cosines between one sentence and others. */
export function similarities(
  exchange: Exchange,
  body: { readonly model?: string | null | undefined },
  { source_sentence: source, sentences }: SimilarityInputs,
  wish: ReadingWish & { readonly promptName?: string | null | undefined } = {},
): Promise<number[]> {
  if (source === '') throw empty('Expected a text for source_sentence but it is empty.', 'inputs');
  const list = readTexts(sentences, 'sentences');
  return computeWith(exchange, body, 'embed', sizeOfTexts([source, ...list]), ({ model }, options) =>
    sentenceSimilarity(model, source, list, { ...options, ...reading(exchange.state, wish), ...promptOf(exchange.state, wish.promptName) }),
  );
}

/** The texts of `/embed_all` and `/embed_sparse`, and how they are read. */
function readAll(state: ServerState, { inputs, truncate, truncation_direction: side, prompt_name: name }: AllBody) {
  const settings = { ...reading(state, { truncate, direction: side }), ...promptOf(state, name) };
  return { list: readTexts([inputs].flat(), 'inputs'), settings };
}

function rowsOf(data: Float32Array, width: number): Float32Array[] {
  return Array.from({ length: data.length / width }, (_, i) => data.subarray(i * width, (i + 1) * width));
}
