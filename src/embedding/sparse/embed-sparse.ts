import { Call } from '../../calls/call.js';
import { checkTexts } from '../../calls/inputs.js';
import type { Job } from '../../calls/job.js';
import { callSchema, limitSchema, promptSchema, type CallOptions, type LimitOptions, type PromptOptions } from '../../calls/options.js';
import { TextSource } from '../../calls/source.js';
import { asIds, TextReader, type TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { integer, oneOf, type Options } from '../../options.js';
import type { EncodedIds, Tokenizer } from '../../tokenizer/index.js';
import { forPurpose, type Purpose } from '../purpose.js';
import { strongest, type SparseVector } from '../../vectors/sparse-vectors.js';

/** How one call of `embedSparse` embeds. */
export interface EmbedSparseOptions extends LimitOptions, PromptOptions, CallOptions {
  /** What the texts are: it chooses the prompt of that name, and the way of queries where a model has one of their own. Default `'document'`, without its prompt. */
  readonly as?: Purpose | undefined;
  /** Keep the so many largest weights of each text (`max_active_dims` in Python). Default: all above 0. */
  readonly topK?: number | undefined;
}

/** What a text became: weights of the vocabulary's words. */
export interface SparseEmbedding extends SparseVector {
  /** Tokens the model read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the limit, so that its end was not read. */
  readonly truncated: boolean;
}

/** The checks of `EmbedSparseOptions`. */
export const sparseSchema = {
  ...limitSchema,
  ...promptSchema,
  ...callSchema,
  as: oneOf(['query', 'document']),
  topK: integer(1, Number.MAX_SAFE_INTEGER),
};

/** A job's rows have a number for each word: fewer tokens and jobs than of dense vectors bound their memory. */
const kLimits = { jobTokens: 2048, jobsInFlight: 2 };

/** `embedSparse` of a model. `queryTokenizer` is that of a table for queries. Errors: POOLING for a model of dense vectors, as `embed`. */
export async function embedSparse(
  model: Model,
  queryTokenizer: Tokenizer | undefined,
  given: string | readonly string[],
  settings: Options<typeof sparseSchema>,
): Promise<SparseEmbedding[]> {
  const { sparse } = model;
  const value = model.values.sparse;
  if (sparse === undefined || value === undefined) {
    throw unexpected('POOLING', 'a model of sparse vectors (SpladePooling) for embedSparse', 'another one');
  }
  const texts = checkTexts('embedSparse', given);
  const call = new Call('embedSparse', model, settings);
  const reading = forPurpose(settings, sparse.prompts);
  const sentence = { ...sparse, pooling: { modes: ['max'], includePrompt: true, wordEmbeddingDimension: value.width } } as const;
  const results = new Array<SparseEmbedding>(texts.length);
  if (settings.as === 'query' && sparse.queries !== undefined && queryTokenizer !== undefined) {
    const { weights } = sparse.queries;
    const table: TextModel = { tokenizer: queryTokenizer, maxTokens: undefined, config: { maxSequenceLength: Infinity }, sentence };
    const reader = new TextReader('embedSparse', table, reading, { addSpecialTokens: false });
    for (const [i, text] of texts.entries()) {
      const { ids, truncated } = await call.read(reader.read(text, i, asIds));
      results[i] = { ...strongest(weightsOf(ids, weights), settings.topK), tokens: ids.length, truncated };
    }
    reader.warn();
  } else {
    const { tokenizer, maxTokens, config } = model;
    const reader = new TextReader('embedSparse', { tokenizer, maxTokens, config, sentence }, reading);
    const source = new TextSource(texts, reader, asIds, (ids) => [ids]);
    const take = ({ first, sequences }: Job<EncodedIds>, [rows]: readonly Float32Array[]): void => {
      sequences.forEach(({ ids, truncated }, i) => {
        const row = rows!.subarray(i * value.width, (i + 1) * value.width);
        results[first + i] = { ...strongest(row, settings.topK), tokens: ids.length, truncated };
      });
    };
    await call.compute(source, [value], take, kLimits);
    reader.warn();
  }
  call.finish();
  return results;
}

/** The weights of the tokens that occur, 0 elsewhere: [vocabulary]. */
function weightsOf(ids: Int32Array, weights: Float32Array): Float32Array {
  const row = new Float32Array(weights.length);
  for (const id of ids) if (id < row.length) row[id] = weights[id]!;
  return row;
}
