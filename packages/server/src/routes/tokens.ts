import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { readTexts } from '../answers/inputs.js';
import { tokenPlaces } from '../answers/token-texts.js';
import { empty, invalid } from '../failures/failures.js';
import type { ServedModel } from '../models/served-model.js';
import { tokenLists } from '../schemas/answers.js';
import { flag, ids, modelName, optionalText, text, texts } from '../schemas/fields.js';
import type { ServerState } from '../state.js';

const tokenizeBody = Type.Object({
  inputs: Type.Union([text, texts], { description: 'a text or a list of texts' }),
  add_special_tokens: flag,
  prompt_name: optionalText,
  model: modelName,
});
const decodeBody = Type.Object({
  ids: Type.Union([ids, Type.Array(ids)], { description: 'token ids or a list of lists of ids' }),
  skip_special_tokens: flag,
  model: modelName,
});

const tei = { family: 'tei', tag: 'text-embeddings-inference' } as const;

/** `/tokenize` and `/decode` of text-embeddings-inference: places count bytes of UTF-8. Any model will do. */
export function tokenRoutes(app: FastifyInstance, state: ServerState): void {
  const modelOf = (request: FastifyRequest, name: string | null | undefined): ServedModel => {
    const given = state.pathModels.get(request.raw) ?? name ?? undefined;
    const first = state.models.loaded[0];
    if (given !== undefined && (state.models.loaded.length !== 1 || state.pathModels.has(request.raw))) return state.models.find(given);
    if (first !== undefined) return first;
    return state.models.choose(given, 'embed');
  };
  const config = { ...tei, summary: 'The tokens of texts', answer: tokenLists };
  app.post<{ Body: Static<typeof tokenizeBody> }>('/tokenize', { schema: { body: tokenizeBody }, config }, (request, reply) => {
    const { inputs, add_special_tokens: special, prompt_name: name, model } = request.body;
    const { splitSpecialTokens } = state.settings;
    const list = readTexts([inputs].flat(), 'inputs');
    limit(list.length);
    const served = modelOf(request, model);
    const prompts: Readonly<Record<string, string>> = served.model.sentence?.prompts ?? {};
    if (typeof name === 'string' && !Object.hasOwn(prompts, name)) {
      throw invalid(
        `Expected a prompt of the model, ${Object.keys(prompts).join(', ') || 'which has none'}, for prompt_name.`,
        'prompt_name',
        'INVALID_OPTION',
      );
    }
    const prompt = typeof name === 'string' ? prompts[name]! : '';
    return reply.send(list.map((each) => tokenPlaces(served.model.tokenizer, prompt + each, special ?? true, splitSpecialTokens)));
  });
  const decode = { ...tei, summary: 'The texts of token ids', answer: Type.Array(Type.String()) };
  app.post<{ Body: Static<typeof decodeBody> }>('/decode', { schema: { body: decodeBody }, config: decode }, (request, reply) => {
    const { ids: given, skip_special_tokens: skip, model } = request.body;
    if (given.length === 0) throw empty('Expected token ids for ids but the list is empty.', 'ids');
    const lists = (typeof given[0] === 'number' ? [given] : given) as readonly (readonly number[])[];
    limit(lists.length);
    const { tokenizer } = modelOf(request, model).model;
    const wrong = lists.flat().find((id) => id >= tokenizer.vocabSize);
    if (wrong !== undefined)
      throw invalid(`Expected ids from 0 to ${tokenizer.vocabSize - 1} for ids but received ${wrong}.`, 'ids', 'INVALID_IDS');
    return reply.send(lists.map((list) => tokenizer.decode(list, { skipSpecialTokens: skip ?? true })));
  });

  function limit(inputs: number): void {
    const { maxInputs } = state.settings;
    if (inputs > maxInputs) throw invalid(`Expected at most ${maxInputs} inputs but received ${inputs}.`);
  }
}
