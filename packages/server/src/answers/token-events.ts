import type { FastifyReply } from 'fastify';
import type { GeneratedText, Model, StreamedText } from 'bertha-encoder';
import type { ModelRequest, WorkOptions, WorkSize } from '../requests/compute.js';
import { withEvents } from './events.js';
import { computeWith, type Exchange } from './exchange.js';

/** An event of text-generation-inference: a token, and with the last one the whole text. */
export interface TokenEvent {
  readonly index: number;
  /** `text`: what has become certain with it; that of all tokens together is the text. */
  readonly token: { readonly id: number; readonly text: string; readonly special: boolean };
  readonly generated_text: string | null;
  readonly details: TextDetails | null;
}

/** What text-generation-inference tells of a text. */
export interface TextDetails {
  readonly finish_reason: string;
  readonly generated_tokens: number;
  readonly seed: number | null;
}

const reasons: Readonly<Record<string, string>> = { eos: 'eos_token', stop: 'stop_sequence' };

/** Why a text ended, and how many tokens it has, in text-generation-inference's words. */
export function detailsOf({ finishReason, ids, seed }: GeneratedText): TextDetails {
  return { finish_reason: reasons[finishReason] ?? finishReason, generated_tokens: ids.length, seed: seed ?? null };
}

/** Answers with the tokens of a text while it is written; `before` stands in front of the whole text. Errors: as `computeWith`, and those of `write`. */
export function streamTokens(
  exchange: Exchange,
  body: ModelRequest,
  size: WorkSize,
  write: (model: Model, work: WorkOptions) => AsyncIterable<StreamedText>,
  before?: string,
): Promise<FastifyReply> {
  return withEvents(exchange, 'tei', (send) =>
    computeWith(exchange, body, 'generate', size, async ({ model }, work) => {
      const { tokenizer } = model;
      const special = new Set(tokenizer.specialTokens.map((token) => tokenizer.tokenToId(token)));
      for await (const event of tokenEvents(write(model, work), (id) => special.has(id), before)) await send(event);
    }),
  );
}

/** The tokens of a text while it is written, each an event. Errors: those of `parts`. */
async function* tokenEvents(
  parts: AsyncIterable<StreamedText>,
  isSpecial: (id: number) => boolean,
  before = '',
): AsyncGenerator<TokenEvent, void> {
  let index = 0;
  let last: { id: number; text: string } | undefined;
  const eventOf = ({ id, text }: { id: number; text: string }, result?: GeneratedText): TokenEvent => ({
    index: ++index,
    token: { id, text, special: isSpecial(id) },
    generated_text: result === undefined ? null : before + result.text,
    details: result === undefined ? null : detailsOf(result),
  });
  for await (const { text, ids, result } of parts) {
    for (const id of ids) {
      if (last !== undefined) yield eventOf(last);
      last = { id, text: '' };
    }
    // The last token waits for its successor: the one that ends the text carries what is left of it.
    last!.text += text;
    if (result !== undefined) yield eventOf(last!, result);
  }
}
