import { Type, type TSchema } from 'typebox';
import { generate, generateStream, summarize, translate, type GeneratedText } from 'bertha-encoder';
import { choice, number, text, texts, trueOrFalse, whole } from '../../schemas/fields.js';
import type { Task } from '../../requests/task.js';

const limits = {
  onTruncate: choice('truncate', 'error'),
  splitSpecialTokens: trueOrFalse,
};
/** The settings of searching: those of `generate` that a request may have. */
const searching: Readonly<Record<string, TSchema>> = {
  ...limits,
  numBeams: whole(1),
  maxLength: whole(1),
  maxNewTokens: whole(1),
  minLength: whole(0),
  minNewTokens: whole(0),
  lengthPenalty: number,
  earlyStopping: Type.Union([trueOrFalse, Type.Literal('never')], { description: 'true, false or "never"' }),
  repetitionPenalty: number,
  noRepeatNgramSize: whole(0),
  encoderNoRepeatNgramSize: whole(0),
  renormalizeLogits: trueOrFalse,
  stop: Type.Union([text, texts], { description: 'a text or a list of texts' }),
};

/** The tasks that write texts. */
export const generationTasks = {
  translate: {
    ability: 'generate',
    summary: 'Translations',
    input: text,
    options: {
      ...searching,
      targetLanguage: text,
      sourceLanguage: text,
      split: choice('sentences', 'none'),
    },
    run: (model, inputs, options) => translate(model, inputs, options),
  },
  summarize: {
    ability: 'generate',
    summary: 'Summaries',
    input: text,
    options: searching,
    run: async (model, inputs, options) => {
      const found = (await summarize(model, inputs as string | readonly string[], options)) as GeneratedText | GeneratedText[];
      return Array.isArray(found) ? found.map(toAnswer) : toAnswer(found);
    },
    stream: generateStream,
  },
  generate: {
    ability: 'generate',
    summary: 'What a model writes, or how it goes on with a text',
    input: text,
    options: {
      ...searching,
      doSample: trueOrFalse,
      temperature: number,
      topK: whole(0),
      topP: number,
      minP: number,
      typicalP: number,
      seed: whole(0),
      numReturnSequences: whole(1),
    },
    run: async (model, inputs, options) => {
      const lists = await generate(model, [inputs as string | readonly string[]].flat(), options);
      const found = lists.map((all) => ({ generated: all.map(toAnswer), truncated: all[0]!.truncated }));
      return Array.isArray(inputs) ? found : found[0]!;
    },
    stream: generateStream,
  },
} satisfies Readonly<Record<string, Task>>;

function toAnswer({ text: written, score, finishReason, seed, ids, tokens, truncated }: GeneratedText): object {
  return { text: written, score, finishReason, ...(seed === undefined ? {} : { seed }), ids: [...ids], tokens, truncated };
}
