import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import type { Model } from 'bertha-encoder';
import { computeWith } from '../answers/exchange.js';
import { readTexts } from '../answers/inputs.js';
import { withProgress, type Progress } from '../answers/with-progress.js';
import { tellTruncated } from '../answers/truncated.js';
import { invalid } from '../failures/failures.js';
import type { Ability } from '../models/abilities.js';
import type { WorkOptions, WorkSize } from '../requests/compute.js';
import { choice, text, texts, textOrPair } from '../schemas/fields.js';
import type { ServerState } from '../state.js';

const strict = { additionalProperties: false };
const whole = (minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description: `a whole number from ${minimum} to ${maximum}` });
const label = Type.Union([text, Type.Integer({ minimum: 0 })], { description: 'a label, or its number' });

/** What a model must be able to do for each head. */
const abilities = {
  sequenceClassification: 'classify',
  tokenClassification: 'ner',
  questionAnswering: 'qa',
  maskedLm: 'fill-mask',
  nextSentence: 'nsp',
  multipleChoice: 'multiple-choice',
  replacedToken: 'replaced-tokens',
} as const satisfies Readonly<Record<string, Ability>>;
type Head = keyof typeof abilities;
const heads = Object.keys(abilities) as Head[];

const methods = ['integrated-gradients', 'gradient-x-input', 'gradient-norm', 'occlusion', 'leave-one-out', 'shapley'] as const;
const baseline = Type.Union([Type.Enum(['pad', 'mask', 'zero']), Type.Object({ token: text }, strict)], {
  description: 'pad, mask, zero, or an object with token',
});
const attribution = {
  method: Type.Optional(choice(...methods)),
  baseline: Type.Optional(baseline),
  steps: Type.Optional(whole(2, 4096)),
  units: Type.Optional(choice('tokens', 'words', 'segments', 'sentences')),
  pairs: Type.Optional(whole(1, 4096)),
  seed: Type.Optional(whole(0, 2 ** 32 - 1)),
  maxLength: Type.Optional(whole(1, 1 << 20)),
  model: Type.Optional(Type.Union([Type.String(), Type.Null()])),
};
const target = Type.Object(
  {
    label: Type.Optional(label),
    word: Type.Optional(text),
    versus: Type.Optional(label),
    position: Type.Optional(Type.Integer({ minimum: 0 })),
    entity: Type.Optional(Type.Integer({ minimum: 0 })),
    choice: Type.Optional(Type.Integer({ minimum: 0 })),
    start: Type.Optional(Type.Integer({ minimum: 0 })),
    end: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { ...strict, description: 'what of the answer is explained' },
);
const explainBody = Type.Object(
  {
    inputs: Type.Union(
      [textOrPair, Type.Object({ question: text, context: text }, strict), Type.Object({ text, choices: texts }, strict)],
      {
        description: 'a text, an object with text and textPair, with question and context, or with text and choices',
      },
    ),
    target: Type.Optional(target),
    head: Type.Optional(choice(...heads)),
    output: Type.Optional(choice('logit', 'probability', 'log-probability')),
    faithfulness: Type.Optional(Type.Boolean({ description: 'true or false' })),
    ...attribution,
  },
  strict,
);
const lensBody = Type.Object(
  { inputs: textOrPair, topK: Type.Optional(whole(1, 1000)), maxLength: attribution.maxLength, model: attribution.model },
  strict,
);
const similarityBody = Type.Object({ a: text, b: text, map: Type.Optional(choice('exact', 'maxsim')), ...attribution }, strict);

interface Cost {
  readonly method?: string;
  readonly steps?: number;
  readonly pairs?: number;
  readonly maxLength?: number;
}

/** Points of integrated gradients where a request says nothing. */
const kSteps = 32;
/** Tokens that all forwards of an explanation may read. */
const kMostTokens = 65_536;
/** Distributions over words, one a mask and layer, that a lens may compute. */
const kMostDistributions = 512;

/** `/tasks/explain`, `/tasks/explain-similarity` and `/tasks/lens`: what answers hang on, as bulk work, with lines of progress where a client accepts them. */
export function explainRoutes(app: FastifyInstance, state: ServerState): void {
  const config = { family: 'tei', tag: 'Tasks', answer: Type.Unknown() } as const;
  const one = { ...config, summary: 'What each word of a text adds to an answer' };
  app.post<{ Body: Static<typeof explainBody> }>(
    '/tasks/explain',
    { schema: { body: explainBody }, config: one },
    async (request, reply) => {
      const { inputs, model: _, ...options } = request.body;
      const parts = typeof inputs === 'string' ? [inputs] : Object.values(inputs as Record<string, string | string[]>).flat();
      readTexts(parts, 'inputs');
      const ability = abilities[(options.head as Head | undefined) ?? headOf(inputs, options.target)];
      const { explain } = await import('bertha-encoder/explain');
      return withProgress(request, reply, async (onProgress) => {
        const found = await computeWith({ state, request, reply }, request.body, ability, sizeOf(parts), (served, work) => {
          requireAffordable(served.model, parts, options);
          return explain(served.model, inputs as never, { steps: kSteps, ...options, ...asBulk(state, work, onProgress) } as never);
        });
        tellTruncated(reply, [found]);
        return found;
      });
    },
  );
  const two = { ...config, summary: 'Which words make two texts similar' };
  app.post<{ Body: Static<typeof similarityBody> }>(
    '/tasks/explain-similarity',
    { schema: { body: similarityBody }, config: two },
    async (request, reply) => {
      const { a, b, model: _, ...options } = request.body;
      readTexts([a, b], 'a and b');
      const { explainSimilarity } = await import('bertha-encoder/explain');
      return withProgress(request, reply, async (onProgress) => {
        const found = await computeWith({ state, request, reply }, request.body, 'embed', sizeOf([a, b]), ({ embedder, model }, work) => {
          requireAffordable(model, [a, b], options);
          return explainSimilarity(embedder, a, b, { steps: kSteps, ...options, ...asBulk(state, work, onProgress) } as never);
        });
        tellTruncated(reply, [found.a, found.b]);
        const { dims, data } = found.map;
        return { ...found, map: { dims, data: Array.from(data) } };
      });
    },
  );
  const lens = { ...config, summary: 'What the masked-word head reads in each layer' };
  app.post<{ Body: Static<typeof lensBody> }>('/tasks/lens', { schema: { body: lensBody }, config: lens }, async (request, reply) => {
    const { inputs, model: _, ...options } = request.body;
    const parts = typeof inputs === 'string' ? [inputs] : Object.values(inputs);
    readTexts(parts, 'inputs');
    const { logitLens } = await import('bertha-encoder/explain');
    const found = await computeWith(
      { state, request, reply },
      request.body,
      'fill-mask',
      sizeOf(parts),
      ({ model }, { signal, deadlineMs }) => {
        requireFewMasks(model, parts);
        return logitLens(model, inputs, { ...options, signal, deadlineMs, priority: 'bulk' });
      },
    );
    tellTruncated(reply, [found]);
    return found;
  });
}

function headOf(inputs: unknown, given: Static<typeof target> | undefined): Head {
  if (typeof inputs === 'object' && inputs !== null && 'question' in inputs) return 'questionAnswering';
  if (typeof inputs === 'object' && inputs !== null && 'choices' in inputs) return 'multipleChoice';
  if (given?.word !== undefined) return 'maskedLm';
  return given?.entity === undefined ? 'sequenceClassification' : 'tokenClassification';
}

/** An explanation reads its texts many times, which admission hears of. */
function sizeOf(parts: readonly string[]): WorkSize {
  const units = parts.reduce((sum, part) => sum + part.length, 0);
  return { inputs: 1, units, ids: kSteps * Math.min(2048, units >> 2) };
}

/** Whoever waits for vectors goes first. */
function asBulk({ settings }: ServerState, { signal, deadlineMs }: WorkOptions, onProgress?: (progress: Progress) => void): object {
  return { signal, deadlineMs, priority: 'bulk', splitSpecialTokens: settings.splitSpecialTokens, onProgress };
}

/** Errors: RequestError 422, with the number of masks. */
function requireFewMasks({ tokenizer, values, maxTokens }: Model, parts: readonly string[]): void {
  const [most, { maskId }] = [Math.floor(kMostDistributions / values.hiddenStates.length), tokenizer];
  const ids = parts.flatMap((part) => Array.from(tokenizer.encode(part, { truncation: true, maxLength: maxTokens }).ids));
  const masks = ids.filter((id) => id === maskId).length;
  if (masks > most) throw invalid(`Expected at most ${most} masks but received ${masks}.`, 'inputs', 'INVALID_OPTION');
}

/** Errors: RequestError 422, with the number of tokens. */
function requireAffordable({ tokenizer, maxTokens }: Model, parts: readonly string[], { method, steps, pairs = 8, maxLength }: Cost): void {
  const limit = Math.min(maxLength ?? maxTokens, maxTokens);
  const tokens = Math.min(
    limit,
    parts.reduce((sum, part) => sum + tokenizer.encode(part.slice(0, 64 * limit), { truncation: true, maxLength: limit }).ids.length, 0),
  );
  const forwards =
    method === 'shapley'
      ? 2 * pairs * tokens
      : method === 'occlusion' || method === 'leave-one-out'
        ? tokens
        : method?.startsWith('gradient') === true
          ? 1
          : (steps ?? kSteps);
  if (forwards * tokens <= kMostTokens) return;
  throw invalid(
    `Expected an explanation of at most ${kMostTokens} tokens in all its forwards but ${forwards} of ${tokens} are ${forwards * tokens}.`,
    'inputs',
    'INVALID_OPTION',
  );
}
