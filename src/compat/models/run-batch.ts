import { unexpected, wrongArgument } from '../../expected.js';
import type { Model } from '../../models/index.js';
import type { Value } from '../../models/program/program.js';
import { computeSequences } from '../../calls/compute.js';
import { refuseUnknownKeys, requireModel } from '../../calls/inputs.js';
import type { Sequence } from '../../calls/job.js';
import { toSnakeCase, withCamelCase, type CamelCase, type WithCamelCase } from '../snake-case.js';
import { toRows, type IntegerInput } from '../tensor/integer-rows.js';
import { Tensor } from '../tensor/tensor.js';

/** A padded batch, [texts, tokens] each, as a tokenizer's call makes it; for multiple choice one row a choice. Names in camel case are taken as well. */
export interface ModelInputs {
  readonly input_ids: IntegerInput;
  /** 0 for padding, at either end of a row. Without it nothing is padding. */
  readonly attention_mask?: IntegerInput | undefined;
  readonly token_type_ids?: IntegerInput | undefined;
  readonly output_hidden_states?: boolean | undefined;
  readonly output_attentions?: boolean | undefined;
  /** What else a tokenizer's call returns is not read. */
  readonly special_tokens_mask?: unknown;
  readonly offset_mapping?: unknown;
  readonly length?: unknown;
  readonly overflow_to_sample_mapping?: unknown;
}

/** What a model computes, as transformers names it. Rows of padding hold zeros. */
export interface OutputFields {
  /** [texts, tokens, hidden] */
  readonly last_hidden_state?: Tensor<Float32Array>;
  /** [texts, hidden] */
  readonly pooler_output?: Tensor<Float32Array>;
  /** [texts, labels], over tokens [texts, tokens, labels], over words [texts, tokens, vocab]. */
  readonly logits?: Tensor<Float32Array>;
  /** [texts, tokens] */
  readonly start_logits?: Tensor<Float32Array>;
  readonly end_logits?: Tensor<Float32Array>;
  readonly prediction_logits?: Tensor<Float32Array>;
  readonly seq_relationship_logits?: Tensor<Float32Array>;
  /** [texts, tokens, hidden] each: the embeddings, then every layer. */
  readonly hidden_states?: readonly Tensor<Float32Array>[];
  /** [texts, heads, tokens, tokens] each, one a layer. */
  readonly attentions?: readonly Tensor<Float32Array>[];
}

/** What a model computes; the names are read in camel case too, which JSON and spreading do not see. */
export type ModelOutput = WithCamelCase<OutputFields>;

const kKeys: readonly (keyof ModelInputs)[] = [
  'input_ids',
  'attention_mask',
  'token_type_ids',
  'output_hidden_states',
  'output_attentions',
  'special_tokens_mask',
  'offset_mapping',
  'length',
  'overflow_to_sample_mapping',
];

/** A row of the batch without its padding, and where it begins in the padded one. */
interface Unpadded extends Sequence {
  readonly begin: number;
}

/**
 * Runs a model on a padded batch: rows are computed without their padding and put back where they were.
 *
 * Errors: INVALID_ARG for inputs that do not fit, unknown keys among them; INVALID_IDS; those of `forward`.
 */
export async function runBatch(
  model: Model,
  outputs: Readonly<Record<string, Value | undefined>>,
  given: ModelInputs | CamelCase<ModelInputs>,
): Promise<ModelOutput> {
  requireModel(model, 'the call');
  if (typeof given !== 'object' || given === null) throw wrongArgument('an object with input_ids for the call', given);
  const inputs = toSnakeCase(given) as object as ModelInputs;
  refuseUnknownKeys(inputs, kKeys, 'the inputs of the call');
  const { rows, width } = unpad(inputs);
  const own = Object.entries(outputs).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
  const hidden = inputs.output_hidden_states === true ? model.values.hiddenStates : [];
  const attentions = inputs.output_attentions === true ? model.values.attentions : [];
  const values = [...own.map(({ value }) => value), ...hidden, ...attentions];
  const results = await computeSequences(model, rows, values);
  const tensors = values.map((value, v) =>
    pad(
      value,
      results.map((result) => result[v]!),
      rows,
      width,
    ),
  );
  const named: Record<string, Tensor<Float32Array>> = {};
  own.forEach(({ key }, i) => {
    if (key === 'spans') Object.assign(named, splitSpans(tensors[i]!));
    else named[key] = tensors[i]!;
  });
  return withCamelCase({
    ...named,
    ...(hidden.length > 0 ? { hidden_states: tensors.slice(own.length, own.length + hidden.length) } : {}),
    ...(attentions.length > 0 ? { attentions: tensors.slice(own.length + hidden.length) } : {}),
  });
}

/** The rows of a padded batch without their padding. Errors: INVALID_ARG, INVALID_IDS. */
export function unpad(inputs: Pick<ModelInputs, 'input_ids' | 'attention_mask' | 'token_type_ids'>): { rows: Unpadded[]; width: number } {
  const ids = toRows(inputs.input_ids, 'input_ids');
  const width = ids[0]?.length ?? 0;
  const like = (input: IntegerInput | undefined, name: string) => {
    if (input === undefined) return undefined;
    const rows = toRows(input, name);
    if (rows.length === ids.length && rows.every(({ length }) => length === width)) return rows;
    throw unexpected('INVALID_ARG', `${name} of shape [${ids.length}, ${width}], as input_ids,`, 'another');
  };
  if (ids.some(({ length }) => length !== width)) throw unexpected('INVALID_ARG', 'rows of one length for input_ids', 'several');
  const masks = like(inputs.attention_mask, 'attention_mask');
  const types = like(inputs.token_type_ids, 'token_type_ids');
  const rows = ids.map((row, r) => {
    const { begin, end } = masks === undefined ? { begin: 0, end: width } : bounds(masks[r]!, r);
    const length = end - begin;
    return {
      begin,
      ids: row.subarray(begin, end),
      ...(types === undefined ? {} : { typeIds: types[r]!.subarray(begin, end) }),
      selected: Int32Array.from({ length }, (_, i) => i),
    };
  });
  return { rows, width };
}

function bounds(mask: Int32Array, row: number): { begin: number; end: number } {
  const begin = mask.indexOf(1);
  const end = mask.lastIndexOf(1) + 1;
  if (begin >= 0 && mask.subarray(begin, end).every((value) => value === 1)) return { begin, end };
  throw unexpected('INVALID_ARG', 'an attention_mask of ones with zeros only at its ends', `another in row ${row}`);
}

/** Puts the rows of every text back where they were in the padded batch. */
function pad(value: Value, parts: readonly Float32Array[], rows: readonly Unpadded[], width: number): Tensor<Float32Array> {
  if (value.rows === 'scores') return padScores(value.width, parts, rows, width);
  const tokens = value.rows === 'sequences' ? 1 : width;
  const data = new Float32Array(rows.length * tokens * value.width);
  parts.forEach((part, r) => data.set(part, (r * tokens + (tokens === 1 ? 0 : rows[r]!.begin)) * value.width));
  if (value.rows === 'sequences') return new Tensor(data, [rows.length, value.width]);
  return new Tensor(data, value.width === 1 ? [rows.length, width] : [rows.length, width, value.width]);
}

function padScores(heads: number, parts: readonly Float32Array[], rows: readonly Unpadded[], width: number): Tensor<Float32Array> {
  const data = new Float32Array(rows.length * heads * width * width);
  parts.forEach((part, r) => {
    const { begin, ids } = rows[r]!;
    for (let line = 0; line < heads * ids.length; line++) {
      const head = Math.floor(line / ids.length);
      const query = begin + (line % ids.length);
      data.set(part.subarray(line * ids.length, (line + 1) * ids.length), ((r * heads + head) * width + query) * width + begin);
    }
  });
  return new Tensor(data, [rows.length, heads, width, width]);
}

function splitSpans({ data, dims }: Tensor<Float32Array>): Pick<ModelOutput, 'start_logits' | 'end_logits'> {
  const column = (offset: number) =>
    new Tensor(
      data.filter((_, i) => i % 2 === offset),
      dims.slice(0, 2),
    );
  return { start_logits: column(0), end_logits: column(1) };
}
