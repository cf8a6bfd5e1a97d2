import { requireModel, readInputs, type TextInput } from '../../calls/inputs.js';
import { limitSchema, type LimitOptions } from '../../calls/options.js';
import type { Model } from '../../models/index.js';
import { abortSignal, readOptions } from '../../options.js';
import { readExplained, type ExplainedToken } from './explained-text.js';

/** Options of `tokenization`. */
export interface TokenizationOptions extends Pick<LimitOptions, 'maxLength' | 'splitSpecialTokens'> {
  readonly signal?: AbortSignal | undefined;
}

/** A text as a model reads it. */
export interface TokenizedText {
  readonly text: string;
  readonly textPair?: string;
  /** `unknown` where the vocabulary has no such token. */
  readonly tokens: readonly (ExplainedToken & { readonly unknown: boolean })[];
  /** Whether the end of the text was not read. */
  readonly truncated: boolean;
}

/** Texts as a model reads them. */
export interface Tokenization {
  readonly texts: readonly TokenizedText[];
  /** The model's directory. */
  readonly model: string;
}

const { maxLength, splitSpecialTokens } = limitSchema;
const schema = { maxLength, splitSpecialTokens, signal: abortSignal };

/**
 * The tokens of texts, with what the vocabulary does not know and where a text is cut.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH, the signal's reason.
 *
 * @example
 * const { texts: read } = await tokenization(model, ['What a film.']);
 * console.log(read[0].tokens.map(({ token }) => token), read[0].truncated);
 */
export async function tokenization(model: Model, inputs: readonly TextInput[], options?: TokenizationOptions): Promise<Tokenization> {
  requireModel(model, 'tokenization');
  const settings = readOptions('tokenization', options, schema);
  const { unkId } = model.tokenizer;
  const texts: TokenizedText[] = [];
  for (const input of readInputs('tokenization', inputs)) {
    const { text, textPair, tokens, truncated } = await readExplained('tokenization', model, input, settings);
    const own = tokens.map((token) => ({ ...token, unknown: token.id === unkId }));
    texts.push({ text, ...(textPair === undefined ? {} : { textPair }), tokens: own, truncated });
  }
  return { texts, model: model.directory };
}
