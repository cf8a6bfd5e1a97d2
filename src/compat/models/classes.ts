import { BerthaError } from '../../errors.js';
import { received } from '../../options.js';
import { loadModel, type Heads, type Model } from '../../models/index.js';
import { classNames, headOfClass, type ClassSuffix } from '../../architectures/class-names.js';
import type { ModelConfig } from '../../architectures/config.js';
import type { Family } from '../../architectures/family.js';
import { families, type ModelType } from '../../architectures/registry.js';
import type { Value } from '../../models/program/program.js';
import { compute, requireHead, requireModel, type Sequence } from '../../tasks/task-call.js';
import { readConfigFields, type PretrainedConfig } from './config.js';
import { toRows, type IntegerInput } from '../tensor/integer-rows.js';
import { readPretrained, type PretrainedOptions } from '../loading/options.js';
import { Tensor } from '../tensor/index.js';

/** A padded batch, [texts, tokens] each, as a tokenizer's call makes it; for multiple choice one row a choice. */
export interface ModelInputs {
  readonly input_ids: IntegerInput;
  /** 0 for padding, at either end of a row. Without it nothing is padding. */
  readonly attention_mask?: IntegerInput | undefined;
  readonly token_type_ids?: IntegerInput | undefined;
  readonly output_hidden_states?: boolean | undefined;
  readonly output_attentions?: boolean | undefined;
}

/** What a model computes, as transformers names it. Rows of padding hold zeros. */
export interface ModelOutput {
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

/** A model that is called as in transformers.js. */
export interface PreTrainedModel {
  (inputs: ModelInputs): Promise<ModelOutput>;
  readonly model: Model;
  /** What was read of config.json, and its fields as they are spelled there. */
  readonly config: ModelConfig & PretrainedConfig;
  dispose(): Promise<void>;
}

/** `AutoModel`, `BertForMaskedLM` and their like. */
export interface ModelClass {
  /** Errors: as `loadModel`; NO_HEAD, CONFIG_UNSUPPORTED (a directory of another architecture). */
  from_pretrained(model: string, options?: PretrainedOptions): Promise<PreTrainedModel>;
}

/** What a class computes: the keys of its output and where the values come from. */
type Outputs = (model: Model) => Readonly<Record<string, Value | undefined>>;

const encoderOutputs: Outputs = ({ values }) => ({ last_hidden_state: values.lastHiddenState, pooler_output: values.poolerOutput });

/** What a class with one head computes. */
function outputsOf(head: keyof Heads): Outputs {
  return (model) => {
    if (head === 'maskedLm') return { logits: requireHead(model, head, 'from_pretrained').logits };
    return { [head === 'questionAnswering' ? 'spans' : 'logits']: requireHead(model, head, 'from_pretrained') };
  };
}

/** What transformers pretrains a family with: one head's outputs, or BERT's two under names of their own. */
function pretrainingOutputs(type: ModelType): Outputs {
  const { pretraining }: Family = families[type];
  if (pretraining.length === 1) return outputsOf(pretraining[0]!);
  return (model) => ({
    prediction_logits: requireHead(model, 'maskedLm', 'from_pretrained').logits,
    seq_relationship_logits: requireHead(model, 'nextSentence', 'from_pretrained'),
  });
}

function classOf(outputs: Outputs, modelType?: ModelType): ModelClass {
  return {
    from_pretrained: async (directory, given) => {
      const found = await readPretrained(directory, given);
      const model = await loadModel(found.model, { heads: outputs !== encoderOutputs, ...found.options });
      try {
        if (modelType !== undefined && model.config.modelType !== modelType) {
          throw new BerthaError(
            'CONFIG_UNSUPPORTED',
            `Expected a ${modelType} model for this class but received ${model.config.modelType}. AutoModel takes any.`,
          );
        }
        return callable(model, outputs(model), await readConfigFields(model.directory));
      } catch (error) {
        model.dispose();
        throw error;
      }
    },
  };
}

/** The classes of a family by their names, without those for which it has no head. */
function classesOf<Name extends string>(type: ModelType): Readonly<Record<`${Name}${ClassSuffix}`, ModelClass>> {
  const family: Family = families[type];
  const outputs = (name: string): Outputs => {
    const head = headOfClass(family, name);
    if (head !== undefined) return outputsOf(head);
    return name.endsWith('ForPreTraining') ? pretrainingOutputs(type) : encoderOutputs;
  };
  const classes = classNames(family).map((name) => [name, classOf(outputs(name), type)] as const);
  return Object.fromEntries(classes) as Record<`${Name}${ClassSuffix}`, ModelClass>;
}

export const AutoModel = classOf(encoderOutputs);
export const AutoModelForPreTraining = classOf((model) => pretrainingOutputs(model.config.modelType)(model));
export const AutoModelForMaskedLM = classOf(outputsOf('maskedLm'));
export const AutoModelForNextSentencePrediction = classOf(outputsOf('nextSentence'));
export const AutoModelForSequenceClassification = classOf(outputsOf('sequenceClassification'));
export const AutoModelForTokenClassification = classOf(outputsOf('tokenClassification'));
export const AutoModelForQuestionAnswering = classOf(outputsOf('questionAnswering'));
export const AutoModelForMultipleChoice = classOf(outputsOf('multipleChoice'));

// Modules cannot compute the names of their exports: each family's stand here once more, and test/models/families.test.ts holds them equal.
export const {
  BertModel,
  BertForPreTraining,
  BertForMaskedLM,
  BertForNextSentencePrediction,
  BertForSequenceClassification,
  BertForTokenClassification,
  BertForQuestionAnswering,
  BertForMultipleChoice,
} = classesOf<'Bert'>('bert');
export const {
  DistilBertModel,
  DistilBertForMaskedLM,
  DistilBertForSequenceClassification,
  DistilBertForTokenClassification,
  DistilBertForQuestionAnswering,
  DistilBertForMultipleChoice,
} = classesOf<'DistilBert'>('distilbert');
export const {
  ElectraModel,
  ElectraForPreTraining,
  ElectraForMaskedLM,
  ElectraForSequenceClassification,
  ElectraForTokenClassification,
  ElectraForQuestionAnswering,
  ElectraForMultipleChoice,
} = classesOf<'Electra'>('electra');
export const {
  MPNetModel,
  MPNetForMaskedLM,
  MPNetForSequenceClassification,
  MPNetForTokenClassification,
  MPNetForQuestionAnswering,
  MPNetForMultipleChoice,
} = classesOf<'MPNet'>('mpnet');

function callable(model: Model, outputs: Readonly<Record<string, Value | undefined>>, fields: PretrainedConfig): PreTrainedModel {
  const call = (inputs: ModelInputs) => run(model, outputs, inputs);
  const dispose = async (): Promise<void> => model.dispose();
  return Object.assign(call, { model, config: { ...fields, ...model.config }, dispose });
}

/** A row of the batch without its padding, and where it begins in the padded one. */
interface Unpadded extends Sequence {
  readonly begin: number;
}

async function run(model: Model, outputs: Readonly<Record<string, Value | undefined>>, inputs: ModelInputs): Promise<ModelOutput> {
  requireModel(model, 'the call');
  if (typeof inputs !== 'object' || inputs === null)
    throw new BerthaError('INVALID_ARG', `Expected an object with input_ids for the call but received ${received(inputs)}.`);
  const { rows, width } = unpad(inputs);
  const own = Object.entries(outputs).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
  const hidden = inputs.output_hidden_states === true ? model.values.hiddenStates : [];
  const attentions = inputs.output_attentions === true ? model.values.attentions : [];
  const values = [...own.map(({ value }) => value), ...hidden, ...attentions];
  const results = await compute(model, rows, values, {});
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
  return {
    ...named,
    ...(hidden.length > 0 ? { hidden_states: tensors.slice(own.length, own.length + hidden.length) } : {}),
    ...(attentions.length > 0 ? { attentions: tensors.slice(own.length + hidden.length) } : {}),
  };
}

function unpad(inputs: ModelInputs): { rows: Unpadded[]; width: number } {
  const ids = toRows(inputs.input_ids, 'input_ids');
  const width = ids[0]?.length ?? 0;
  const like = (input: IntegerInput | undefined, name: string) => {
    if (input === undefined) return undefined;
    const rows = toRows(input, name);
    if (rows.length === ids.length && rows.every(({ length }) => length === width)) return rows;
    throw new BerthaError('INVALID_ARG', `Expected ${name} of shape [${ids.length}, ${width}], as input_ids, but received another.`);
  };
  if (ids.some(({ length }) => length !== width))
    throw new BerthaError('INVALID_ARG', 'Expected rows of one length for input_ids but received several.');
  const masks = like(inputs.attention_mask, 'attention_mask');
  const types = like(inputs.token_type_ids, 'token_type_ids');
  const rows = ids.map((row, r) => {
    const { begin, end } = masks === undefined ? { begin: 0, end: width } : bounds(masks[r]!, r);
    const length = end - begin;
    return {
      begin,
      ids: row.subarray(begin, end),
      typeIds: types?.[r]!.subarray(begin, end) ?? new Int32Array(length),
      selected: Int32Array.from({ length }, (_, i) => i),
    };
  });
  return { rows, width };
}

function bounds(mask: Int32Array, row: number): { begin: number; end: number } {
  const begin = mask.indexOf(1);
  const end = mask.lastIndexOf(1) + 1;
  if (begin >= 0 && mask.subarray(begin, end).every((value) => value === 1)) return { begin, end };
  throw new BerthaError(
    'INVALID_ARG',
    `Expected an attention_mask of ones with zeros only at its ends but received another in row ${row}.`,
  );
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
