import type { FastifyInstance } from 'fastify';
import { Type, type Static, type TSchema } from 'typebox';
import { generate, generateStream, summarize, translate, type GeneratedText, type GenerateOptions, type Model } from 'bertha-encoder';
import { checked } from '../../answers/checked.js';
import { computeWith, type Exchange } from '../../answers/exchange.js';
import { detailsOf, streamTokens } from '../../answers/token-events.js';
import { empty, invalid } from '../../failures/failures.js';
import { sizeOfTexts, type WorkOptions } from '../../requests/compute.js';
import { generatedText } from '../../schemas/answers.js';
import { absent, count, flag, isGiven, modelName, optionalText, text, texts } from '../../schemas/fields.js';
import type { ServerState } from '../../state.js';

const optionalNumber = absent(Type.Number({ description: 'a number' }));
const natural = absent(Type.Integer({ minimum: 0, description: 'a whole number from 0' }));
const stopTexts = absent(Type.Union([text, texts], { description: 'a text or a list of texts' }));
/** Transformers' names, and text-generation-inference's where they differ. */
const settings = {
  max_new_tokens: count,
  max_length: count,
  min_new_tokens: natural,
  min_length: natural,
  num_beams: count,
  num_return_sequences: count,
  length_penalty: optionalNumber,
  early_stopping: absent(Type.Union([Type.Boolean(), Type.Literal('never')], { description: 'true, false or "never"' })),
  repetition_penalty: optionalNumber,
  no_repeat_ngram_size: natural,
  encoder_no_repeat_ngram_size: natural,
  do_sample: flag,
  temperature: optionalNumber,
  top_k: natural,
  top_p: optionalNumber,
  min_p: optionalNumber,
  typical_p: optionalNumber,
  seed: natural,
  stop: stopTexts,
  stop_strings: stopTexts,
};
const parameters = (fields: Readonly<Record<string, TSchema>> = {}) =>
  absent(Type.Object({ ...settings, ...fields } as typeof settings, { additionalProperties: true }));
const inputs = Type.Union([text, texts], { description: 'a text or a list of texts' });
const writeBody = Type.Object({ inputs, parameters: parameters(), model: modelName, stream: flag });
type WriteBody = Static<typeof writeBody>;
const own = { return_full_text: flag, details: flag };
const goOnBody = Type.Object({
  ...writeBody.properties,
  parameters: absent(Type.Object({ ...settings, ...own }, { additionalProperties: true })),
});
type GoOnBody = Static<typeof goOnBody>;
const translateBody = Type.Object({
  ...writeBody.properties,
  parameters: absent(Type.Object({ ...settings, src_lang: optionalText, tgt_lang: optionalText }, { additionalProperties: true })),
});

/** Transformers' for pipelines, where neither a request nor the model's files say how many. */
const kNewTokens = 20;
const sampling = ['temperature', 'top_k', 'top_p', 'min_p', 'typical_p', 'seed'] as const;
const renamed: Readonly<Record<string, string>> = { stop_strings: 'stop' };

/** The library's options for a request's parameters. Asking for what only draws have asks for draws, as text-generation-inference has it. */
function optionsOf({ settings: server }: ServerState, given: WriteBody['parameters'], work: WorkOptions): GenerateOptions {
  const asked = Object.entries(given ?? {}).filter(([name, value]) => Object.hasOwn(settings, name) && value !== null);
  const doSample = given?.do_sample ?? asked.some(([name, value]) => isDraw(name, value));
  const kept = asked.filter(([name]) => doSample || !(sampling as readonly string[]).includes(name));
  const camel = (name: string): string => renamed[name] ?? name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return {
    ...work,
    ...(server.splitSpecialTokens ? { splitSpecialTokens: true } : {}),
    defaultNewTokens: kNewTokens,
    ...Object.fromEntries(kept.map(([name, value]) => [camel(name), value])),
    ...(doSample ? { doSample } : given?.do_sample === false ? { doSample } : {}),
  };
}

function isDraw(name: string, value: unknown): boolean {
  return ['temperature', 'top_k', 'top_p', 'min_p', 'typical_p'].includes(name) && value !== 1 && value !== 0;
}

const listOf = (given: string | readonly string[]): readonly string[] => {
  const list = [given].flat();
  if (list.length === 0) throw empty('Expected at least one text for inputs but the list is empty.', 'inputs');
  return list;
};

type Body = { readonly inputs?: unknown; readonly parameters?: unknown; readonly model?: string };

async function translation(exchange: Exchange, given: Body): Promise<object> {
  const wish = checked(exchange.request, translateBody, given);
  const list = listOf(wish.inputs);
  const { src_lang: sourceLanguage, tgt_lang: targetLanguage } = wish.parameters ?? {};
  const found = await computeWith(exchange, wish, 'generate', sizeOfTexts(list), ({ model }, work) =>
    translate(model, list, {
      ...optionsOf(exchange.state, wish.parameters, work),
      ...(isGiven(sourceLanguage) ? { sourceLanguage } : {}),
      ...(isGiven(targetLanguage) ? { targetLanguage } : {}),
    }),
  );
  return found.map(({ text: translated }) => ({ translation_text: translated }));
}

async function summarization(exchange: Exchange, given: Body): Promise<object> {
  const wish = checked(exchange.request, writeBody, given);
  const list = listOf(wish.inputs);
  const found = await computeWith(exchange, wish, 'generate', sizeOfTexts(list), ({ model }, work) =>
    summarize(model, list, optionsOf(exchange.state, wish.parameters, work)),
  );
  return found.map(({ text: summary }) => ({ summary_text: summary }));
}

/** One text alone gives its texts, a list a list for each; of an encoder-decoder there is no full text. */
async function generation(exchange: Exchange, given: Body): Promise<object> {
  const wish = checked(exchange.request, goOnBody, given);
  if (wish.stream === true) return stream(exchange, wish);
  const found = await write(exchange, wish);
  const shaped = found.map((all, i) => all.map((each) => answerOf(each, before(wish, [wish.inputs].flat()[i]!), wish)));
  return typeof wish.inputs === 'string' ? shaped[0]! : shaped;
}

function write(exchange: Exchange, wish: GoOnBody): Promise<GeneratedText[][]> {
  const list = listOf(wish.inputs);
  return computeWith(exchange, wish, 'generate', sizeOfTexts(list), ({ model }, work) =>
    generate(model, list, optionsOf(exchange.state, wish.parameters, work)),
  );
}

function stream(exchange: Exchange, wish: GoOnBody): Promise<object> {
  const [input, ...others] = listOf(wish.inputs);
  if (others.length > 0) throw invalid(`Expected one text for inputs beside stream but received ${others.length + 1}.`, 'inputs');
  const parts = (model: Model, work: WorkOptions) => generateStream(model, input!, optionsOf(exchange.state, wish.parameters, work));
  return streamTokens(exchange, wish, sizeOfTexts([input!]), parts, before(wish, input!));
}

function before({ parameters: given }: GoOnBody, input: string): string {
  return given?.return_full_text === true ? input : '';
}

function answerOf(each: GeneratedText, prompt: string, { parameters: given }: GoOnBody): object {
  return { generated_text: prompt + each.text, ...(given?.details === true ? { details: detailsOf(each) } : {}) };
}

/** Hugging Face's pipelines that write texts. */
export const writingPipelines = {
  translation,
  summarization,
  'text-generation': generation,
  'text2text-generation': generation,
} as const;

/** text-generation-inference's `/generate` and `/generate_stream`. */
export function writingRoutes(app: FastifyInstance, state: ServerState): void {
  const tei = { family: 'tei', tag: 'text-generation-inference' } as const;
  const one = Type.Object({ ...goOnBody.properties, inputs: text });
  const config = { ...tei, summary: 'How a model goes on with a text, or what it makes of it', answer: generatedText };
  app.post<{ Body: Static<typeof one> }>('/generate', { schema: { body: one }, config }, async (request, reply) => {
    const [[first] = []] = await write({ state, request, reply }, request.body);
    return answerOf(first!, before(request.body, request.body.inputs), request.body);
  });
  const events = { ...tei, summary: 'The same, a token at a time', answerType: 'text/event-stream' };
  app.post<{ Body: Static<typeof one> }>('/generate_stream', { schema: { body: one }, config: events }, (request, reply) =>
    stream({ state, request, reply }, request.body),
  );
}
