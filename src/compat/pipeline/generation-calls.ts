import { unexpected } from '../../expected.js';
import { generateBy, type GeneratedText } from '../../generation/generate.js';
import { nativeEngine } from '../../generation/native-engine.js';
import { summarize, translate } from '../../generation/translate.js';
import type { Model } from '../../models/index.js';
import { readStreamer, streaming } from '../models/streamer.js';
import { toSnakeCase, withCamelCase } from '../snake-case.js';
import { settingNames } from './setting-names.js';
import type { OneOrMany } from './types.js';

function checkInput(task: string, input: OneOrMany<string>): void {
  const wrong = [input].flat().find((each) => typeof each !== 'string');
  if (wrong !== undefined) throw unexpected('INVALID_ARG', `a text or a list of texts for ${task}`, typeof wrong);
}

type Named = Readonly<Record<string, unknown>>;

const named = (name: string, text: string): object => withCamelCase(toSnakeCase({ [name]: text }));

/** Pipeline `translation`. */
export async function translationCall(model: Model, input: OneOrMany<string>, options?: object): Promise<unknown> {
  const translations = await translate(model, [input].flat(), settingNames(options));
  return translations.map(({ text }) => named('translationText', text));
}

/** Pipeline `summarization`. */
export async function summarizationCall(model: Model, input: OneOrMany<string>, options?: object): Promise<unknown> {
  const summaries = await summarize(model, [input].flat(), settingNames(options));
  return summaries.map(({ text }) => named('summaryText', text));
}

/** Texts of inputs; `streamer` hears the one of one. */
function generateAll(
  task: string,
  model: Model,
  inputs: readonly string[],
  { streamer: given, ...options }: Named,
): Promise<GeneratedText[][]> {
  const engine = streaming(nativeEngine(model), readStreamer(given, inputs.length));
  return generateBy(engine, task, model, inputs, options) as Promise<GeneratedText[][]>;
}

/** Pipeline `text2text-generation`. */
export async function textToTextCall(model: Model, input: OneOrMany<string>, options?: object): Promise<unknown> {
  checkInput('text2text-generation', input);
  const lists = await generateAll('text2text-generation', model, [input].flat(), settingNames(options));
  return lists.flat().map(({ text }) => named('generatedText', text));
}

/** Pipeline `text-generation`: `return_full_text` (true) puts the input in front. */
export async function textGenerationCall(model: Model, input: OneOrMany<string>, given?: object): Promise<unknown> {
  checkInput('text-generation', input);
  const { returnFullText = true, ...options } = settingNames(given);
  if (typeof returnFullText !== 'boolean')
    throw unexpected('INVALID_OPTION', 'true or false for text-generation option returnFullText', typeof returnFullText);
  const inputs = [input].flat();
  const lists = await generateAll('text-generation', model, inputs, options);
  const results = lists.map((texts, i) =>
    texts.map((each) => named('generatedText', returnFullText ? inputs[i]! + continuation(model, each) : each.text)),
  );
  return Array.isArray(input) ? results : results[0];
}

/** What comes after the prompt in the text of both, so that a space between them is there. */
function continuation({ tokenizer }: Model, { promptIds, ids, text, finishReason }: GeneratedText): string {
  if (finishReason === 'stop') return text;
  const options = { skipSpecialTokens: true };
  const before = tokenizer.decode(promptIds, options).length;
  return tokenizer.decode(Int32Array.from([...promptIds, ...ids]), options).slice(before);
}
