import { rerank, type RankedDocument } from 'bertha-encoder';
import { empty, invalid } from '../failures/failures.js';
import { sizeOfTexts, type ModelRequest } from '../requests/compute.js';
import { computeWith, type Exchange } from './exchange.js';
import { readTexts } from './inputs.js';
import { tellTruncated, truncation } from './truncated.js';

/** A request to rank texts, whatever its API calls the fields. */
export interface RankWish {
  readonly query: string;
  readonly texts: readonly string[];
  readonly topK?: number | null | undefined;
  readonly rawScores?: boolean | null | undefined;
  readonly truncate?: boolean | null | undefined;
  readonly direction?: string | null | undefined;
  /** Longest document in tokens, special ones not counted; the rest is not read. */
  readonly maxTokensPerText?: number | null | undefined;
}

/** Ranks texts, the best first. Errors: RequestError 400 for empty ones; as `computeWith` and `rerank`. */
export async function rankTexts(exchange: Exchange, body: ModelRequest, wish: RankWish): Promise<readonly RankedDocument[]> {
  const { query, direction, topK, rawScores, maxTokensPerText } = wish;
  if (query === '') throw empty('Expected a text for query but it is empty.', 'query');
  const texts = readTexts(wish.texts, 'texts');
  requireRight(direction);
  const size = sizeOfTexts(texts);
  const pairs = { ...size, units: size.units + texts.length * query.length };
  const ranked = await computeWith(exchange, body, 'rerank', pairs, ({ model }, options) => {
    const cut = (text: string): string => {
      const maxLength = Math.min(maxTokensPerText!, model.maxTokens); // clients ask for 4096, whatever the model
      const settings = { truncation: true, maxLength, addSpecialTokens: false, offsets: true } as const;
      const { offsets, truncated } = model.tokenizer.encode(text, settings);
      return truncated ? text.slice(0, offsets!.at(-1)) : text;
    };
    const documents = typeof maxTokensPerText === 'number' ? texts.map(cut) : texts;
    const activation = rawScores === true ? 'none' : undefined;
    return rerank(model, query, documents, {
      ...options,
      ...truncation(exchange.state, wish.truncate),
      topK: topK ?? undefined,
      activation,
    });
  });
  tellTruncated(exchange.reply, ranked);
  return ranked;
}

/** Pairs are cut at their ends. Errors: RequestError 422. */
export function requireRight(direction: string | null | undefined): void {
  if (direction?.toLowerCase() === 'left') {
    throw invalid('Expected right for truncation_direction: only /embed cuts at the left.', 'truncation_direction', 'INVALID_OPTION');
  }
}
