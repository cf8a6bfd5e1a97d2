import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type, type Static } from 'typebox';
import { generate, generateStream, type GeneratedText, type GenerateOptions, type GenerationInput } from 'bertha-encoder';
import { withEvents } from '../../answers/events.js';
import { computeWith, type Exchange } from '../../answers/exchange.js';
import { readInputs, sizeOf, type Inputs } from '../../answers/inputs.js';
import { tellTruncated } from '../../answers/truncated.js';
import { invalid } from '../../failures/failures.js';
import type { WorkOptions } from '../../requests/compute.js';
import { completionList } from '../../schemas/answers.js';
import { absent, count, flag, isGiven, modelName, optionalText, textInputs } from '../../schemas/fields.js';
import type { ServerState } from '../../state.js';

const optionalNumber = absent(Type.Number({ description: 'a number' }));
const natural = absent(Type.Integer({ minimum: 0, description: 'a whole number from 0' }));
const body = Type.Object({
  prompt: textInputs,
  model: modelName,
  max_tokens: count,
  temperature: optionalNumber,
  top_p: optionalNumber,
  stop: absent(Type.Union([Type.String(), Type.Array(Type.String())], { description: 'a text or a list of texts' })),
  seed: natural,
  n: count,
  stream: flag,
  stream_options: absent(Type.Object({ include_usage: flag })),
  user: optionalText,
  // vLLM's
  top_k: absent(Type.Integer({ minimum: -1, description: 'a whole number from 0, or -1 for all' })),
  min_p: optionalNumber,
  repetition_penalty: optionalNumber,
  min_tokens: natural,
  // What is not here: only values that ask for nothing.
  best_of: count,
  echo: flag,
  suffix: optionalText,
  logprobs: natural,
  logit_bias: absent(Type.Object({}, { additionalProperties: true })),
  presence_penalty: optionalNumber,
  frequency_penalty: optionalNumber,
});
type Body = Static<typeof body>;

/** OpenAI's, where a request says nothing. */
const kNewTokens = 16;
const kMostChoices = 128;

/** `/v1/completions` as OpenAI has it: how a causal decoder goes on with a prompt; of an encoder-decoder, what it makes of it. */
export function completionRoutes(app: FastifyInstance, state: ServerState): void {
  const config = {
    family: 'openai',
    tag: 'OpenAI',
    summary: 'Completions, as OpenAI serves them; events where stream is true',
    answer: completionList,
    hasEvents: true,
  } as const;
  app.post<{ Body: Body }>('/v1/completions', { schema: { body }, config }, (request, reply) => {
    const wish = request.body;
    refuseMissing(wish);
    const exchange = { state, request, reply };
    const inputs = readPrompts(wish.prompt);
    const texts = choicesOf(inputs, wish);
    const { inputs: _, ...size } = sizeOf(inputs);
    const work = { ...size, inputs: texts.length, ids: size.ids + texts.length * (wish.max_tokens ?? kNewTokens) };
    const head = { id: `cmpl-${request.id}`, object: 'text_completion', created: Math.floor(Date.now() / 1000) };
    if (wish.stream === true) return stream(exchange, wish, texts, work, head);
    return computeWith(exchange, wish, 'generate', work, async ({ model, name }, options) => {
      const made = await Promise.all(texts.map(({ input, seed }) => generate(model, input, optionsOf(state, wish, seed, options))));
      const all = made.map(([first]) => first!);
      tellTruncated(reply, all);
      const choices = all.map((each, index) => ({ index, text: each.text, logprobs: null, finish_reason: reasonOf(each) }));
      return { ...head, model: name, choices, usage: usageOf(all, wish.n ?? 1) };
    });
  });
}

/** One of the texts that a request asks for: `n` of each prompt, in order. */
interface Choice {
  readonly input: GenerationInput;
  /** Of the first choice the request's, of the next the number after it: each is drawn again by its own. */
  readonly seed: number | undefined;
}

/** What all chunks of an answer begin with. */
interface Head {
  readonly id: string;
  readonly object: string;
  readonly created: number;
}

async function stream(
  exchange: Exchange,
  wish: Body,
  texts: readonly Choice[],
  size: Parameters<typeof computeWith>[3],
  head: Head,
): Promise<FastifyReply> {
  const hasUsage = wish.stream_options?.include_usage === true;
  return withEvents(exchange, 'openai', (send) =>
    computeWith(exchange, wish, 'generate', size, async ({ model, name }, work) => {
      const chunk = (choices: readonly object[], usage: object | null) => ({
        ...head,
        model: name,
        choices,
        ...(hasUsage ? { usage } : {}),
      });
      const one = async ({ input, seed }: Choice, index: number): Promise<GeneratedText> => {
        for await (const { text, result } of generateStream(model, input, optionsOf(exchange.state, wish, seed, work))) {
          const reason = result === undefined ? null : reasonOf(result);
          await send(chunk([{ index, text, logprobs: null, finish_reason: reason }], null));
          if (result !== undefined) return result;
        }
        throw new Error('a stream ended without its text');
      };
      const all = await together(texts, one);
      if (hasUsage) await send(chunk([], usageOf(all, wish.n ?? 1)));
      await send('[DONE]');
    }),
  );
}

/** Runs all, and rejects with the first failure when none runs any more. */
async function together<T, R>(items: readonly T[], run: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const settled = await Promise.allSettled(items.map(run));
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

function optionsOf({ settings }: ServerState, wish: Body, seed: number | undefined, work: WorkOptions): GenerateOptions {
  const { temperature, top_p: topP, top_k: topK, min_p: minP, stop } = wish;
  const doSample = temperature !== 0;
  return {
    ...work,
    ...(settings.splitSpecialTokens ? { splitSpecialTokens: true } : {}),
    numBeams: 1,
    numReturnSequences: 1,
    doSample,
    ...(doSample
      ? { temperature: temperature ?? 1, topP: topP ?? 1, topK: Math.max(0, topK ?? 0), minP: minP ?? 0, seed: seed ?? null }
      : {}),
    ...(!isGiven(wish.max_tokens)
      ? { maxNewTokens: null, maxLength: null, defaultNewTokens: kNewTokens }
      : { maxNewTokens: wish.max_tokens }),
    ...(isGiven(wish.min_tokens) ? { minNewTokens: wish.min_tokens } : {}),
    ...(isGiven(wish.repetition_penalty) ? { repetitionPenalty: wish.repetition_penalty } : {}),
    stop: isGiven(stop) ? [stop].flat() : null,
  };
}

function readPrompts(prompt: Body['prompt']): Inputs {
  // A decoder goes on from an empty text too.
  if (typeof prompt === 'string') return { texts: [prompt] };
  return typeof prompt[0] === 'string' ? { texts: prompt as readonly string[] } : readInputs(prompt, 'prompt');
}

function choicesOf(inputs: Inputs, { n, seed }: Body): readonly Choice[] {
  const each: readonly GenerationInput[] = 'texts' in inputs ? inputs.texts : inputs.ids.map((ids) => ({ ids }));
  const numChoices = n ?? 1;
  if (numChoices > kMostChoices) throw invalid(`Expected at most ${kMostChoices} for n but received ${numChoices}.`, 'n', 'INVALID_OPTION');
  return each.flatMap((input) => Array.from({ length: numChoices }, (_, i) => ({ input, seed: isGiven(seed) ? seed + i : undefined })));
}

function refuseMissing(wish: Body): void {
  const refuse = (param: keyof Body, expected: string) => invalid(`Expected ${expected} for ${param}.`, param, 'INVALID_OPTION');
  if (isGiven(wish.best_of) && wish.best_of !== (wish.n ?? 1)) throw refuse('best_of', 'n');
  if (wish.echo === true) throw refuse('echo', 'false');
  if (isGiven(wish.suffix) && wish.suffix !== '') throw refuse('suffix', 'none');
  if (isGiven(wish.logprobs)) throw refuse('logprobs', 'none');
  if (isGiven(wish.logit_bias) && Object.keys(wish.logit_bias).length > 0) throw refuse('logit_bias', 'none');
  for (const name of ['presence_penalty', 'frequency_penalty'] as const)
    if (isGiven(wish[name]) && wish[name] !== 0) throw refuse(name, '0, or repetition_penalty in its place,');
}

const reasonOf = ({ finishReason }: GeneratedText): string => (finishReason === 'eos' || finishReason === 'stop' ? 'stop' : 'length');

/** A prompt counts once, whatever is made of it. */
function usageOf(all: readonly GeneratedText[], n: number): object {
  const prompt = all.reduce((sum, { tokens }, i) => (i % n === 0 ? sum + tokens : sum), 0);
  const completion = all.reduce((sum, { ids }) => sum + ids.length, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
