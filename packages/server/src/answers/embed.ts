import type { FastifyReply, FastifyRequest } from 'fastify';
import { BerthaError, type Embedding } from 'bertha-encoder';
import { RequestError } from '../failures/failures.js';
import { compute, type WorkOptions } from '../requests/compute.js';
import type { ServedModel } from '../models/served-model.js';
import type { ServerState } from '../state.js';
import { sizeOf, type Inputs } from './inputs.js';
import { promptOf, reading, type ReadingWish } from './reading.js';
import { tellTruncated } from './truncated.js';

/** How a request wants its vectors, whatever its API calls it. */
export interface EmbedWish extends ReadingWish {
  readonly promptName?: string | null | undefined;
  readonly normalize?: boolean | null | undefined;
  readonly dimensions?: number | null | undefined;
}

/** Whether a text is one to search with, or one to be found. */
type Role = 'query' | 'document';

const roles: Readonly<Record<string, Role>> = {
  query: 'query',
  search_query: 'query',
  'retrieval.query': 'query',
  document: 'document',
  search_document: 'document',
  passage: 'document',
  'retrieval.passage': 'document',
};

/** The name of the model's prompt for what Cohere, Jina and Voyage call input_type or task; undefined where it has none. */
export function promptFor({ embedder }: ServedModel, inputType: string | null | undefined): string | undefined {
  const role = typeof inputType === 'string' && Object.hasOwn(roles, inputType) ? roles[inputType] : undefined;
  return role !== undefined && Object.hasOwn(embedder.prompts, role) ? role : undefined;
}

/** Computes the vectors of a request, and tells in `x-truncated` how many texts were cut. Errors: as `compute` and `embed`. */
export async function embedInputs(
  state: ServerState,
  request: FastifyRequest,
  reply: FastifyReply,
  served: ServedModel,
  inputs: Inputs,
  wish: EmbedWish,
): Promise<Embedding[]> {
  const embeddings = await compute(state, request, reply, served, sizeOf(inputs), (options) => run(state, served, inputs, wish, options));
  tellTruncated(reply, embeddings);
  return embeddings;
}

async function run(
  state: ServerState,
  { embedder }: ServedModel,
  inputs: Inputs,
  wish: EmbedWish,
  work: WorkOptions,
): Promise<Embedding[]> {
  const { signal, priority, deadlineMs, onTimings } = work;
  const { onTruncate, truncationSide, splitSpecialTokens } = reading(state, wish);
  const [normalize, dimensions] = [wish.normalize ?? undefined, wish.dimensions ?? undefined];
  const options = { signal, priority, deadlineMs, onTimings, onTruncate, normalize, dimensions };
  if ('ids' in inputs) return embedder.embedIds(inputs.ids, options).catch(withSwitch);
  const { prompt, promptName } = promptOf(state, wish.promptName);
  return embedder.embed(inputs.texts, { ...options, truncationSide, splitSpecialTokens, prompt, promptName });
}

/** Ids that the model does not have come, as a rule, from a client that counts with OpenAI's tokenizer. */
function withSwitch(error: unknown): never {
  if (!(error instanceof BerthaError) || error.code !== 'INVALID_IDS') throw error;
  throw new RequestError({
    status: 422,
    code: error.code,
    type: 'Validation',
    message: `${error.message} Ids are those of this model's tokenizer, special tokens included; LangChain for Python sends OpenAI's unless check_embedding_ctx_length=False.`,
    param: 'input',
  });
}
