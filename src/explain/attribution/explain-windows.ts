import { requireModel, requireString } from '../../calls/inputs.js';
import { encodeSlices, inSlices } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { integer, readOptions } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { Encoding } from '../../tokenizer/index.js';
import { explain, type Explanation } from './explain.js';
import { explainSchema, type ExplainOptions } from './explain-options.js';

/** Options of `explainWindows`. */
export interface WindowsOptions extends ExplainOptions {
  /** Tokens at most that a window shares with the one before. Default 32, or a quarter of a window where that is less. */
  readonly stride?: number | undefined;
}

/** A window of a text and what each of its words adds to the model's answer to it. Offsets count in the whole text. */
export interface ExplainedWindow extends Explanation {
  /** Where the window is in the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Which of how many windows it is, from 0. */
  readonly window: number;
  readonly windows: number;
}

const schema = { ...explainSchema, stride: integer(0, 1 << 20) };
/** Tokens that windows share unless the caller says. */
const kStride = 32;

/**
 * Explains a text that is longer than the model reads, window by window, one after the other: each is as long as the model reads, begins and ends
 * between words, and has its own answer and score.
 *
 * Errors: as `explain`, with the first window that is asked for; MAX_LENGTH where special tokens leave no room; INVALID_OPTION for a stride that is as long
 * as a window.
 *
 * @example
 * for await (const { start, end, target, attributions } of explainWindows(model, document, { stride: 64 })) {
 *   console.log(start, end, target.label, attributions.length);
 * }
 */
export async function* explainWindows(model: Model, text: string, options?: WindowsOptions): AsyncGenerator<ExplainedWindow, void, void> {
  requireModel(model, 'explainWindows');
  requireString(text, 'the text of explainWindows');
  readOptions('explainWindows', options, schema);
  const { stride: wanted, ...own } = options ?? {};
  const { signal, maxLength = model.maxTokens, splitSpecialTokens } = own;
  const { tokenizer } = model;
  const room = maxLength - tokenizer.encode('').ids.length;
  if (room < 1) throw unexpected('MAX_LENGTH', 'a limit with room for the text', `${maxLength} tokens, which special tokens fill`);
  const stride = wanted ?? Math.min(kStride, room >> 2);
  if (stride >= room) throw unexpected('INVALID_OPTION', `a stride below ${room}, the tokens of a window,`, stride);
  const options_ = { addSpecialTokens: false, truncation: false, offsets: true, splitSpecialTokens } as const;
  const encoding = await inSlices(encodeSlices(tokenizer, text, options_), new Budget(signal));
  const places = windowsOf(encoding, room, stride, text.length);
  for (const [window, [start, end]] of places.entries()) {
    const found = await explain(model, text.slice(start, end), own);
    const moved = <T extends { readonly start: number; readonly end: number }>(list: readonly T[]): T[] =>
      list.map((each) => ({ ...each, start: each.start + start, end: each.end + start }));
    const tokens = found.tokens.map((token) => (token.special ? token : moved([token])[0]!));
    yield { ...found, attributions: moved(found.attributions), tokens, start, end, window, windows: places.length };
  }
}

/** Where windows begin and end in the text: between words, unless one word alone is longer than a window. */
function windowsOf({ ids, offsets, wordIds }: Encoding, room: number, stride: number, length: number): (readonly [number, number])[] {
  const count = ids.length;
  if (count <= room) return [[0, length]];
  const isInside = (token: number): boolean => token > 0 && token < count && wordIds[token] === wordIds[token - 1];
  /** The first token of the word of a token, where that is behind `least`. */
  const wordStart = (token: number, least: number): number => {
    let at = token;
    while (at > least && isInside(at)) at--;
    return at > least ? at : token;
  };
  const places: (readonly [number, number])[] = [];
  for (let first = 0; ;) {
    const last = first + room >= count ? count : wordStart(first + room, first);
    places.push([places.length === 0 ? 0 : offsets![2 * first]!, last === count ? length : offsets![2 * last - 1]!]);
    if (last === count) return places;
    first = wordStart(Math.max(last - stride, first + 1), first);
  }
}
