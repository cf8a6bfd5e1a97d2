import { unexpected, wrongArgument } from '../../expected.js';
import type { Encoding, Tokenizer } from '../../tokenizer/index.js';
import { withCamelCase } from '../snake-case.js';
import { Tensor } from '../tensor/tensor.js';
import { encodeOptions, type CallOptions } from './call-options.js';

/** Rows of whole numbers, each [tokens] or [tokens, 2] or a number of its own. */
interface Field {
  readonly rows: readonly Int32Array[];
  /** Numbers a token; 0: one number for the text. */
  readonly width: 0 | 1 | 2;
}

/**
 * Tokenizes texts, or pairs, as a tokenizer's call does, into tensors or lists.
 *
 * Errors: INVALID_ARG for what are no texts, pairs that do not fit, or texts of several lengths for a tensor; those of `encodeBatch`.
 */
export function encodeTexts(tokenizer: Tokenizer, text: string | readonly string[], options: CallOptions): object {
  const items = readTexts(text, options.textPair);
  const encodings = tokenizer.encodeBatch(items, encodeOptions(tokenizer, options));
  const overflows = options.returnOverflowingTokens === true;
  const samples = encodings.flatMap((encoding, i) => [encoding, ...(overflows ? encoding.overflowing : [])].map((row) => ({ row, i })));
  const rows = samples.map(({ row }) => row);
  const field = (make: (row: Encoding) => Int32Array, width: 0 | 1 | 2 = 1): Field => ({ rows: rows.map(make), width });
  const fields: Record<string, Field> = {
    input_ids: field(({ ids }) => ids),
    ...(options.returnAttentionMask === false ? {} : { attention_mask: field(({ attentionMask }) => attentionMask) }),
    ...(options.returnTokenTypeIds === false ? {} : { token_type_ids: field(({ typeIds }) => typeIds) }),
    ...(options.returnSpecialTokensMask === true ? { special_tokens_mask: field(({ specialTokensMask }) => specialTokensMask) } : {}),
    ...(options.returnOffsetsMapping === true ? { offset_mapping: field(({ offsets }) => offsets!, 2) } : {}),
    ...(options.returnLength === true ? { length: field(({ length }) => Int32Array.of(length), 0) } : {}),
    ...(overflows ? { overflow_to_sample_mapping: { rows: samples.map(({ i }) => Int32Array.of(i)), width: 0 } } : {}),
  };
  const isTensor = options.returnTensor ?? options.returnTensors ?? true;
  const isOne = typeof text === 'string' && !overflows;
  // As in Python, what is one number a text stays a list for one text too.
  const shape = (each: Field): unknown => (isTensor ? toTensor(each) : isOne && each.width > 0 ? toLists(each)[0] : toLists(each));
  return withCamelCase(Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, shape(each)])));
}

function readTexts(text: unknown, pair: unknown): (string | [string, string])[] {
  if (typeof text === 'string') {
    if (pair === undefined) return [text];
    if (typeof pair === 'string') return [[text, pair]];
    throw wrongArgument('a string for text_pair, as for the text,', pair);
  }
  if (!Array.isArray(text) || text.length === 0) throw wrongArgument('a string or a list of at least one for the text', text);
  if (pair === undefined) return text as string[];
  if (Array.isArray(pair) && pair.length === text.length) return text.map((each: string, i) => [each, pair[i] as string]);
  throw wrongArgument(`a list of ${text.length} strings for text_pair`, pair);
}

function toLists({ rows, width }: Field): unknown[] {
  return rows.map((row) => {
    if (width === 0) return row[0]!;
    if (width === 1) return Array.from(row);
    return Array.from({ length: row.length / 2 }, (_, token) => [row[2 * token]!, row[2 * token + 1]!]);
  });
}

function toTensor({ rows, width }: Field): Tensor<Int32Array> {
  const length = rows[0]!.length;
  if (rows.some((row) => row.length !== length)) {
    throw unexpected('INVALID_ARG', 'texts of one length for a tensor', 'several lengths', { hint: 'Use padding: true.' });
  }
  const data = new Int32Array(rows.length * length);
  rows.forEach((row, i) => data.set(row, i * length));
  return new Tensor(data, [rows.length, ...(width === 0 ? [] : width === 1 ? [length] : [length / 2, 2])]);
}
