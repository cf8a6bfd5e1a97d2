import { checkTexts, requireModel } from '../calls/inputs.js';
import { unexpected, wrongOption } from '../expected.js';
import type { Model } from '../models/index.js';
import { oneOf, text as string } from '../options.js';
import type { TaskFunction } from '../tasks/task.js';
import { generateBy, type GeneratedText, type GenerateOptions } from './generate.js';
import { nativeEngine } from './native-engine.js';
import { partsOf } from './sentences.js';

/** Options of `translate`: those of `generate`, for one text each. */
export interface TranslateOptions extends Omit<GenerateOptions, 'numReturnSequences' | 'decoderInputIds'> {
  /** The code of the language to translate into, of a model for several: `'de'` for `>>de<<`. Default: what the text begins with. */
  readonly targetLanguage?: string | undefined;
  /** `'sentences'`: each sentence by itself, for texts that are longer than the model reads. Default `'none'`. */
  readonly split?: 'sentences' | 'none' | undefined;
  /** The language of the texts, whose rules tell sentences apart, as a tag of BCP 47. Default: the system's. */
  readonly sourceLanguage?: string | undefined;
}

/** A sentence and what it became. */
export interface TranslatedSentence {
  readonly source: string;
  readonly text: string;
  readonly score: number;
  readonly finishReason: GeneratedText['finishReason'];
  /** Tokens that the model read, and whether the sentence had more. */
  readonly tokens: number;
  readonly truncated: boolean;
}

/** A text in another language. */
export interface Translation {
  /** The translated sentences, with the white space that was around them. */
  readonly text: string;
  readonly sentences: readonly TranslatedSentence[];
  /** Whether any sentence was longer than the model reads: `sentences` say which. */
  readonly truncated: boolean;
}

const kSplit = oneOf(['sentences', 'none']);

/**
 * Translates a text, or a list of texts, by an encoder-decoder such as opus-mt. Blank texts stay as they are, without a call; the white space around
 * a text, and between its sentences with `split: 'sentences'`, is kept.
 *
 * Errors: those of `generate`; INVALID_OPTION also for a language that the model has no code for (with the codes it has) or that is no tag of BCP 47.
 *
 * @example
 * const { text } = await translate(model, 'Where is the station? It rains.', { split: 'sentences', numBeams: 4 });
 */
export function translate(model: Model, text: string, options?: TranslateOptions): Promise<Translation>;
export function translate(model: Model, texts: readonly string[], options?: TranslateOptions): Promise<Translation[]>;
export async function translate(
  model: Model,
  input: string | readonly string[],
  options: TranslateOptions = {},
): Promise<Translation | Translation[]> {
  requireModel(model, 'translate');
  const texts = checkTexts('translate', input);
  const { targetLanguage, split = 'none', sourceLanguage, ...settings } = options;
  kSplit(split, 'translate option split');
  refuseSeveral('translate', settings);
  const code = targetLanguage === undefined ? '' : `${codeOf(model, string(targetLanguage, 'translate option targetLanguage'))} `;
  const parts = texts.map((text) => {
    try {
      return partsOf(text, split, sourceLanguage);
    } catch (cause) {
      throw wrongOption('a language tag such as "en" for translate option sourceLanguage', sourceLanguage, { cause });
    }
  });
  const sentences = parts.flat().flatMap(({ sentence }) => (sentence === '' ? [] : [sentence]));
  const prompted = sentences.map((sentence) => code + sentence);
  const generated = (await generateBy(nativeEngine(model), 'translate', model, prompted, settings)) as GeneratedText[][];
  let next = 0;
  const translations = parts.map((own) => {
    const done: TranslatedSentence[] = [];
    const text = own.map(({ before, sentence, after }) => {
      if (sentence === '') return before + after;
      const [best] = generated[next++]!;
      const { text: written, score, finishReason, tokens, truncated } = best!;
      done.push({ source: sentence, text: written, score, finishReason, tokens, truncated });
      return before + written + after;
    });
    return { text: text.join(''), sentences: done, truncated: done.some(({ truncated }) => truncated) };
  });
  return Array.isArray(input) ? translations : translations[0]!;
}

/**
 * Summarizes a text, or a list of texts, by an encoder-decoder such as bert2bert. What is longer than the model reads is cut and reported.
 *
 * Errors: those of `generate`.
 *
 * @example
 * const { text } = await summarize(model, 'A long article.', { numBeams: 4, maxNewTokens: 142 });
 */
export const summarize = (async (model: Model, input: string | readonly string[], options: SummarizeOptions = {}) => {
  requireModel(model, 'summarize');
  refuseSeveral('summarize', options);
  const texts = checkTexts('summarize', input);
  const summaries = ((await generateBy(nativeEngine(model), 'summarize', model, texts, options)) as GeneratedText[][]).map(
    ([best]) => best!,
  );
  return Array.isArray(input) ? summaries : summaries[0]!;
}) as TaskFunction<string, SummarizeOptions, GeneratedText>;

/** Options of `summarize`: those of `generate`, for one text each. */
export type SummarizeOptions = Omit<GenerateOptions, 'numReturnSequences' | 'decoderInputIds'>;

/** Errors: INVALID_OPTION for options that give several texts, or begin each. */
function refuseSeveral(call: string, options: GenerateOptions): void {
  for (const name of ['numReturnSequences', 'decoderInputIds'] as const) {
    if (options[name] === undefined || options[name] === null) continue;
    throw wrongOption(`no ${name} for ${call}`, options[name], { hint: 'It gives one text for each: use generate.' });
  }
}

/** What a text begins with to be translated into a language. Errors: INVALID_OPTION. */
function codeOf({ tokenizer }: Model, language: string): string {
  const { languageCodes } = tokenizer;
  const code = `>>${language}<<`;
  if (languageCodes.includes(code)) return code;
  const known = languageCodes.map((each) => each.slice(2, -2));
  const expected =
    known.length === 0
      ? 'no targetLanguage for translate by a model of one language'
      : `one of ${known.join(', ')} for translate option targetLanguage`;
  throw unexpected('INVALID_OPTION', expected, JSON.stringify(language));
}
