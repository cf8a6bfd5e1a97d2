import { rerank, type RankedDocument } from 'bertha-encoder';
import { empty } from '../failures/failures.js';
import { sizeOfTexts, type ModelRequest } from '../requests/compute.js';
import { computeWith, type Exchange } from './exchange.js';
import { readTexts } from './inputs.js';
import { reading, type ReadingWish } from './reading.js';
import { tellTruncated } from './truncated.js';

/** A request to rank texts, whatever its API calls the fields. */
export interface RankWish extends ReadingWish {
  readonly query: string;
  readonly texts: readonly string[];
  readonly topK?: number | null | undefined;
  readonly rawScores?: boolean | null | undefined;
  /** Longest document in tokens, special ones not counted; the rest is not read. */
  readonly maxTokensPerText?: number | null | undefined;
}

/** Ranks texts, the best first. Errors: RequestError 400 for empty ones; as `computeWith` and `rerank`. */
export async function rankTexts(exchange: Exchange, body: ModelRequest, wish: RankWish): Promise<readonly RankedDocument[]> {
  const { query, topK, rawScores, maxTokensPerText } = wish;
  if (query === '') throw empty('Expected a text for query but it is empty.', 'query');
  const texts = readTexts(wish.texts, 'texts');
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
      ...reading(exchange.state, wish),
      topK: topK ?? undefined,
      activation,
    });
  });
  tellTruncated(exchange.reply, ranked);
  return ranked;
}
