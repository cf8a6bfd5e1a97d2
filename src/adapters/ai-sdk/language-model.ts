import { unexpected } from '../../expected.js';
import { generate, type GeneratedText, type GenerateOptions } from '../../generation/generate.js';
import { generateStream } from '../../generation/stream.js';
import type { Model } from '../../models/index.js';
import { readOptions } from '../../options.js';
import type { OnceLoaded } from '../shared/once-loaded.js';
import { whenSchema } from '../shared/text-vectors.js';
import type {
  BerthaLanguageModel,
  LanguageCall,
  LanguagePart,
  LanguageUsage,
  ProviderOptions,
  UnsupportedWarning,
} from './specification.js';

/** A model that writes: what the prompt's texts say, joined by blank lines, is what it reads or goes on from. No chats. */
export function languageModelOf(
  modelId: string,
  model: OnceLoaded<Model>,
  ownOf: (options: ProviderOptions | undefined) => object | undefined,
): BerthaLanguageModel {
  const optionsOf = ({ abortSignal: signal, providerOptions, ...call }: LanguageCall): GenerateOptions => {
    const { deadlineMs, priority } = readOptions('providerOptions.bertha', ownOf(providerOptions), {
      deadlineMs: whenSchema.deadlineMs,
      priority: whenSchema.priority,
    });
    return { ...settingsOf(call), signal, priority, deadlineMs: deadlineMs?.left };
  };
  return {
    specificationVersion: 'v3',
    provider: 'bertha',
    modelId,
    supportedUrls: {},
    async doGenerate(call) {
      const [text, options, warnings] = [textOf(call.prompt), optionsOf(call), warningsOf(call)];
      const [made] = await generate(await model.get(call.abortSignal), text, options);
      return { content: [{ type: 'text', text: made!.text }], finishReason: reasonOf(made!), usage: usageOf(made!), warnings };
    },
    async doStream(call) {
      const [text, options, warnings] = [textOf(call.prompt), optionsOf(call), warningsOf(call)];
      const parts = partsOf(generateStream(await model.get(call.abortSignal), text, { numBeams: 1, ...options }), warnings);
      const stream = new ReadableStream<LanguagePart>(
        {
          // A part is made when one is asked for.
          pull: async (controller) => {
            const { done, value } = await parts.next();
            if (done === true) controller.close();
            else controller.enqueue(value);
          },
          cancel: async () => void (await parts.return()),
        },
        { highWaterMark: 0 },
      );
      return { stream };
    },
  };
}

async function* partsOf(
  texts: ReturnType<typeof generateStream>,
  warnings: UnsupportedWarning[],
): AsyncGenerator<LanguagePart, void, undefined> {
  yield { type: 'stream-start', warnings };
  const id = '0';
  yield { type: 'text-start', id };
  for await (const { text, result } of texts) {
    if (text !== '') yield { type: 'text-delta', id, delta: text };
    if (result === undefined) continue;
    yield { type: 'text-end', id };
    yield { type: 'finish', finishReason: reasonOf(result), usage: usageOf(result) };
  }
}

function settingsOf({
  maxOutputTokens,
  temperature,
  topP,
  topK,
  stopSequences,
  seed,
}: Omit<LanguageCall, 'abortSignal' | 'providerOptions'>): GenerateOptions {
  const isGreedy = temperature === 0;
  const draws = { temperature, topP, topK, seed };
  const asked = Object.entries(draws).filter(([, value]) => value !== undefined);
  const isDrawn = !isGreedy && asked.some(([name]) => name !== 'seed');
  return {
    ...(maxOutputTokens === undefined ? {} : { maxNewTokens: maxOutputTokens }),
    ...(stopSequences === undefined || stopSequences.length === 0 ? {} : { stop: stopSequences, numBeams: 1 }),
    ...(isGreedy ? { doSample: false } : {}),
    ...(isDrawn ? { doSample: true, numBeams: 1, ...Object.fromEntries(asked) } : {}),
  };
}

/** What has no meaning here. */
function warningsOf({ presencePenalty, frequencyPenalty, tools, toolChoice, responseFormat }: LanguageCall): UnsupportedWarning[] {
  const given: Readonly<Record<string, unknown>> = {
    presencePenalty,
    frequencyPenalty,
    tools: tools?.length === 0 ? undefined : tools,
    toolChoice: tools === undefined || tools.length === 0 ? undefined : toolChoice,
    responseFormat: responseFormat?.type === 'text' ? undefined : responseFormat,
  };
  return Object.keys(given).flatMap((feature) => (given[feature] === undefined ? [] : [{ type: 'unsupported', feature }]));
}

/** Errors: INVALID_ARG for what is no text. */
function textOf(prompt: LanguageCall['prompt']): string {
  const texts = prompt.flatMap(({ role, content }) => {
    if (typeof content === 'string') return [content];
    return content.map((part) => {
      if (part.type === 'text' && typeof part.text === 'string') return part.text;
      throw unexpected('INVALID_ARG', 'texts alone in the prompt of a language model', `a part of type ${part.type} of ${role}`);
    });
  });
  return texts.join('\n\n');
}

function reasonOf({ finishReason }: GeneratedText) {
  return { unified: finishReason === 'eos' || finishReason === 'stop' ? ('stop' as const) : ('length' as const), raw: finishReason };
}

function usageOf({ tokens, ids }: GeneratedText): LanguageUsage {
  return {
    inputTokens: { total: tokens, noCache: tokens, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: ids.length, text: ids.length, reasoning: undefined },
  };
}
