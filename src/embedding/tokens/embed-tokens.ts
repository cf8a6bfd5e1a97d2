import { Call } from '../../calls/call.js';
import { checkTexts } from '../../calls/inputs.js';
import type { Job } from '../../calls/job.js';
import { callSchema, limitSchema, promptSchema, type CallOptions, type LimitOptions, type PromptOptions } from '../../calls/options.js';
import type { Source } from '../../calls/source.js';
import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { oneOf, type Options } from '../../options.js';
import type { BatchInputs } from '../../runtime/batch.js';
import type { VectorRowsOf } from '../../vectors/max-sim.js';
import type { Purpose } from '../purpose.js';
import { TokenReader, type ReadTokens } from './token-reader.js';

/** How one call of `embedTokens` embeds. */
export interface EmbedTokensOptions extends LimitOptions, PromptOptions, CallOptions {
  /** Queries and documents are read differently. Default `'document'`. */
  readonly as?: Purpose | undefined;
}

/** What a text became: `data` [vectors, dimension], a vector for each token that counts. */
export interface TokenEmbedding extends VectorRowsOf {
  /** Tokens the model read, special tokens and mask tokens behind a query included. */
  readonly tokens: number;
  /** Whether the text was longer than the limit, so that its end was not read. */
  readonly truncated: boolean;
}

/** The checks of `EmbedTokensOptions`. */
export const tokensSchema = { ...limitSchema, ...promptSchema, ...callSchema, as: oneOf(['query', 'document']) };

/** `EmbedTokensOptions`, checked. */
export type TokensSettings = Options<typeof tokensSchema>;

/** `embedTokens` of a model; `name` is what errors name. Errors: POOLING for a model of another kind, as `embed`. */
export async function embedTokens(
  name: string,
  model: Model,
  given: string | readonly string[],
  settings: TokensSettings,
): Promise<TokenEmbedding[]> {
  const value = model.values.tokenVectors;
  if (value === undefined) throw unexpected('POOLING', `a multi-vector model (ColBERT) for ${name}`, 'another one');
  const texts = checkTexts(name, given);
  const call = new Call(name, model, settings);
  const reader = new TokenReader(name, model, settings.as ?? 'document', settings);
  const results = new Array<TokenEmbedding>(texts.length);
  const take = ({ first, sequences }: Job<ReadTokens>, [rows]: readonly Float32Array[], { cuSeqlens }: BatchInputs): void => {
    sequences.forEach(({ ids, kept, truncated }, i) => {
      const data = new Float32Array(kept.length * value.width);
      kept.forEach((token, row) => {
        const begin = (cuSeqlens[i]! + token) * value.width;
        data.set(rows!.subarray(begin, begin + value.width), row * value.width);
      });
      results[first + i] = { data, dims: [kept.length, value.width], tokens: ids.length, truncated };
    });
  };
  await call.compute(sourceOf(texts, reader), [value], take);
  reader.reader.warn();
  call.finish();
  return results;
}

function sourceOf(texts: readonly string[], reader: TokenReader): Source<ReadTokens> {
  let next = 0;
  return {
    count: texts.length,
    get isAtEnd() {
      return next === texts.length;
    },
    poolSkip: 0,
    *readNext(job) {
      const index = next++;
      job.add(yield* reader.read(texts[index]!, index));
    },
  };
}
