import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { formatVectors } from 'bertha-encoder';
import type { Exchange } from '../answers/exchange.js';
import { asBuffer, sendJson, sendVectors } from '../answers/vectors.js';
import { empty, invalid } from '../failures/failures.js';
import type { Ability } from '../models/abilities.js';
import type { ServerState } from '../state.js';
import { checked } from '../answers/checked.js';
import { rankAsTei, teiBody } from './rerank.js';
import { embedBody, embedVectors, predictBody, predictLabels } from './tei.js';

const invocation = Type.Object(
  {},
  { additionalProperties: true, description: 'a body of /embed, /predict or /rerank, by the type of the model' },
);
const vertexBody = Type.Object({
  instances: Type.Array(invocation, { description: 'a list of bodies' }),
  model: Type.Optional(Type.String()),
});
type Invocation = Readonly<Record<string, unknown>>;

/** SageMaker's `/invocations` and Vertex's `/vertex`: what a body means depends on the type of the model, as in text-embeddings-inference. */
export function hostedRoutes(app: FastifyInstance, state: ServerState): void {
  const tei = { family: 'tei', tag: 'Hosted' } as const;
  const config = { ...tei, summary: 'SageMaker: as /embed, /predict or /rerank, by the model', answer: Type.Unknown() };
  app.post<{ Body: Invocation }>('/invocations', { schema: { body: invocation }, config }, async (request, reply) => {
    const found = await invoke({ state, request, reply }, request.body);
    return 'vectors' in found ? sendVectors(reply, found.vectors) : found.answer;
  });
  const vertex = { ...tei, summary: 'Vertex: a list of such bodies', answer: Type.Object({ predictions: Type.Array(Type.Unknown()) }) };
  app.post<{ Body: Static<typeof vertexBody> }>('/vertex', { schema: { body: vertexBody }, config: vertex }, async (request, reply) => {
    const { instances } = request.body;
    if (instances.length === 0) throw empty('Expected at least one instance but the list is empty.', 'instances');
    const { maxInputs } = state.settings;
    if (instances.length > maxInputs)
      throw invalid(`Expected at most ${maxInputs} instances but received ${instances.length}.`, 'instances');
    const parts: Buffer[] = [];
    // One after the other: each is taken or refused for itself.
    for (const instance of instances) {
      const found = await invoke({ state, request, reply }, instance as Invocation);
      parts.push('vectors' in found ? asBuffer(formatVectors(found.vectors)) : Buffer.from(JSON.stringify(found.answer)));
    }
    const body = parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from(','), part]));
    return sendJson(reply, Buffer.concat([Buffer.from('{"predictions":['), ...body, Buffer.from(']}')]));
  });
}

type Found = { readonly vectors: readonly Float32Array[] } | { readonly answer: unknown };

async function invoke(exchange: Exchange, body: Invocation): Promise<Found> {
  const { state, request } = exchange;
  const name = state.pathModels.get(request.raw) ?? (typeof body['model'] === 'string' ? body['model'] : undefined);
  const isRerank = 'query' in body || 'texts' in body;
  const { abilities } = isRerank ? state.models.choose(name, 'rerank') : firstOf(state, name);
  if (abilities.has('rerank') && isRerank) return { answer: await rankAsTei(exchange, checked(request, teiBody, body)) };
  if (abilities.has('classify')) return { answer: await predictLabels(exchange, checked(request, predictBody, body)) };
  return { vectors: await embedVectors(exchange, checked(request, embedBody, body)) };
}

/** The named model, or the first that either embeds or classifies. */
function firstOf({ models }: ServerState, name: string | undefined): { readonly abilities: ReadonlySet<Ability> } {
  if (name !== undefined) {
    const named = models.loaded.find((model) => model.name === name);
    if (named !== undefined) return named;
  }
  const first = models.loaded.find(({ abilities }) => abilities.has('embed') || abilities.has('classify'));
  return first ?? models.choose(name, 'embed');
}
