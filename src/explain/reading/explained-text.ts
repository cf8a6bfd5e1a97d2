import type { TextInput } from '../../calls/inputs.js';
import { asEncoding, inSlices, TextReader, type TextSettings } from '../../calls/text-reader.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { Model } from '../../models/index.js';
import type { Encoding } from '../../tokenizer/index.js';

/** A token as a model reads it. */
export interface ExplainedToken {
  /** As the vocabulary spells it. */
  readonly token: string;
  readonly id: number;
  /** Where it is in its text, in UTF-16 units; 0, 0 for special tokens. */
  readonly start: number;
  readonly end: number;
  /** 0 for the first text, 1 for the second, null for special tokens. */
  readonly sequence: number | null;
  /** Whether it is not of the text: [CLS], [SEP], a prompt. Such tokens get no attribution. */
  readonly special: boolean;
}

/** A stretch of a text. */
export interface TextRange {
  /** 0 for the first text, 1 for the second. */
  readonly sequence: number;
  /** In UTF-16 units of its text. */
  readonly start: number;
  readonly end: number;
}

/** A text, or a pair of texts, as a model reads it. */
export interface ExplainedText {
  readonly text: string;
  readonly textPair?: string;
  readonly tokens: readonly ExplainedToken[];
  readonly encoding: Encoding;
  /** Tokens at the start that pooling leaves out. */
  readonly poolSkip: number;
  /** Whether the text was longer than the limit, so that its end is not in `tokens`. */
  readonly truncated: boolean;
  /** What was not read of texts that were cut. */
  readonly unread: readonly TextRange[];
}

/** How texts are read: with `isSentence` as a sentence model reads them, with its prompt and lower case. */
export interface ReadingOptions extends TextSettings {
  readonly isSentence?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Reads a text, or a pair. Errors: MAX_LENGTH, INPUT_TOO_LARGE, INVALID_OPTION, the signal's reason. */
export async function readExplained(call: string, model: Model, input: TextInput, options: ReadingOptions = {}): Promise<ExplainedText> {
  const { isSentence = false, signal, ...settings } = options;
  const { tokenizer, maxTokens, config, sentence } = model;
  const textModel = { tokenizer, maxTokens, config, ...(isSentence && { sentence }) };
  const reader = new TextReader(call, textModel, settings, { offsets: true, overflow: false });
  const encoding = await inSlices(reader.read(input, 0, asEncoding), new Budget(signal));
  const { text, textPair } = typeof input === 'string' ? { text: input, textPair: undefined } : input;
  const promptEnd = encoding.specialTokensMask.indexOf(0) + reader.promptTokens;
  const tokens = encoding.tokens.map((token, i) => {
    const special = encoding.specialTokensMask[i] === 1 || (reader.promptTokens > 0 && i < promptEnd);
    const [start, end] = special ? [0, 0] : [encoding.offsets![2 * i]!, encoding.offsets![2 * i + 1]!];
    return { token, id: encoding.ids[i]!, start, end, sequence: special ? null : encoding.sequenceIds[i]!, special };
  });
  return {
    text,
    ...(textPair === undefined ? {} : { textPair }),
    tokens,
    encoding,
    poolSkip: reader.poolSkip,
    truncated: encoding.truncated,
    unread: encoding.truncated ? unreadOf([text, ...(textPair === undefined ? [] : [textPair])], tokens) : [],
  };
}

/** What lies before the first token of a text that was read, or behind the last. */
function unreadOf(texts: readonly string[], tokens: readonly ExplainedToken[]): TextRange[] {
  return texts.flatMap((text, sequence) => {
    const own = tokens.filter((token) => token.sequence === sequence);
    const [begin, end] = own.length === 0 ? [text.length, text.length] : [own[0]!.start, own.at(-1)!.end];
    const ranges = [
      { sequence, start: 0, end: begin },
      { sequence, start: end, end: text.length },
    ];
    return ranges.filter((range) => text.slice(range.start, range.end).trim() !== '');
  });
}
