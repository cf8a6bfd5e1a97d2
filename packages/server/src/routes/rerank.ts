import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import type { RankedDocument } from 'bertha-encoder';
import type { Exchange } from '../answers/exchange.js';
import { rankTexts } from '../answers/rank.js';
import { invalid } from '../failures/failures.js';
import { modelFor } from '../requests/compute.js';
import { rankedDocuments, ranks } from '../schemas/answers.js';
import { count, direction, flag, modelName, optionalText, text, texts } from '../schemas/fields.js';
import type { ServerState } from '../state.js';

const document = Type.Union([text, Type.Object({ text })], { description: 'a text, or an object with text' });
const teiFields = {
  query: text,
  texts,
  truncate: flag,
  truncation_direction: direction,
  raw_scores: flag,
  return_text: flag,
  // LiteLLM's, which leaves cutting to the server
  top_n: count,
  model: modelName,
};
const cohereFields = {
  query: text,
  documents: Type.Array(document, { description: 'a list of texts, or of objects with text' }),
  model: modelName,
  top_n: count,
  top_k: count,
  return_documents: flag,
  max_tokens_per_doc: count,
  max_chunks_per_doc: count,
  truncation: flag,
  truncation_direction: direction,
  raw_scores: flag,
  rank_fields: Type.Optional(Type.Unknown()),
  user: optionalText,
};
const cohereBody = Type.Object(cohereFields);
/** The body of text-embeddings-inference's `/rerank`. */
export const teiBody = Type.Object(teiFields);
/** Of `/rerank`, where either may come. */
const eitherBody = Type.Object({
  ...Type.Partial(Type.Object(cohereFields)).properties,
  ...Type.Partial(Type.Object(teiFields)).properties,
  query: text,
});

/** A body of text-embeddings-inference. */
export type TeiRankBody = Static<typeof teiBody>;
type CohereBody = Static<typeof cohereBody>;

/** `/rerank` as text-embeddings-inference has it, with `texts`; and, with `documents`, as Cohere, Jina, Voyage and vLLM do. */
export function rerankRoutes(app: FastifyInstance, state: ServerState): void {
  const answer = Type.Union([ranks, rankedDocuments]);
  const config = { family: 'tei', tag: 'Rerank', work: 'predict', summary: 'Ranks texts, or documents, by a query', answer } as const;
  app.post<{ Body: Static<typeof eitherBody> }>('/rerank', { schema: { body: eitherBody }, config }, (request, reply) => {
    const { texts: list, documents } = request.body;
    if (list !== undefined && documents !== undefined) throw invalid('Expected either texts or documents but received both.', 'texts');
    if (list !== undefined) return rankAsTei({ state, request, reply }, request.body as TeiRankBody);
    if (documents === undefined) throw invalid('Expected texts in the body but it is missing.', 'texts');
    return rankAsCohere({ state, request, reply }, request.body as CohereBody, '2');
  });
  for (const version of ['1', '2']) {
    const own = {
      family: 'openai',
      tag: 'Rerank',
      work: 'predict',
      summary: `Ranks documents, as Cohere's version ${version}`,
      answer: rankedDocuments,
    } as const;
    app.post<{ Body: CohereBody }>(`/v${version}/rerank`, { schema: { body: cohereBody }, config: own }, (request, reply) =>
      rankAsCohere({ state, request, reply }, request.body, version),
    );
  }
}

/** The answer to a body with `texts`. */
export async function rankAsTei(exchange: Exchange, body: TeiRankBody): Promise<unknown> {
  const ranked = await rankTexts(exchange, body, {
    query: body.query,
    texts: body.texts,
    topK: body.top_n,
    truncate: body.truncate,
    direction: body.truncation_direction,
    rawScores: body.raw_scores,
  });
  return ranked.map(({ index, score }) => ({ index, score, ...(body.return_text === true ? { text: body.texts[index] } : {}) }));
}

async function rankAsCohere(exchange: Exchange, body: CohereBody, version: string): Promise<unknown> {
  const { state, request } = exchange;
  const list = body.documents.map((each) => (typeof each === 'string' ? each : each.text));
  const { name } = modelFor(state, request, body, 'rerank');
  const ranked = await rankTexts(exchange, body, {
    query: body.query,
    texts: list,
    topK: body.top_n ?? body.top_k,
    truncate: body.truncation,
    direction: body.truncation_direction,
    rawScores: body.raw_scores,
    maxTokensPerText: body.max_tokens_per_doc,
  });
  const isWithText = body.return_documents === true;
  const rows = <T>(shape: (text: string) => T) =>
    ranked.map(({ index, score }: RankedDocument) => ({
      index,
      relevance_score: score,
      ...(isWithText ? { document: shape(list[index]!) } : {}),
    }));
  return {
    id: request.id,
    object: 'list',
    model: name,
    results: rows((own) => ({ text: own })),
    data: rows((own) => own),
    usage: { total_tokens: request.workReport?.tokens ?? 0 },
    meta: { api_version: { version }, billed_units: { search_units: 1 } },
  };
}
