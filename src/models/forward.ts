import type { ModelConfig } from '../architectures/config.js';
import type { DecoderOutputs } from '../architectures/encoder-decoder/decoder.js';
import type { EncoderOutputs } from '../architectures/encoder.js';
import { received, unexpected } from '../expected.js';
import { flag, readOptions, type Check } from '../options.js';
import { isInt32Array } from '../realms.js';
import { joined, packInputs, type BatchInputs } from '../runtime/batch.js';
import { runSchema } from '../runtime/options/run-options.js';
import type { RunOptions, Session } from '../runtime/session.js';
import type { Encoding } from '../tokenizer/index.js';
import type { Value } from './program/program.js';

/** What `forward` returns besides the last hidden state. */
export interface ForwardOptions extends RunOptions {
  /** Every layer's output, the embeddings first. Default false. */
  readonly hiddenStates?: boolean | undefined;
  /** Every layer's attention probabilities. Default false. */
  readonly attentions?: boolean | undefined;
  /** The pooler's output, an error where the model has none. Default: where the model has one. */
  readonly pooler?: boolean | undefined;
  /** Of an encoder-decoder: what its decoder reads beside the text, start token included; for several texts a list each. Without it only the encoder runs. */
  readonly decoderInputIds?: Int32Array | readonly Int32Array[] | undefined;
  /** Every decoder layer's attention to the text. Only beside `decoderInputIds`. Default false. */
  readonly crossAttentions?: boolean | undefined;
}

/** Numbers with their shape, outermost dimension first, in row-major order. */
export interface ModelTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** What a model made of one text. */
export interface ForwardResult {
  /** [tokens, hidden]; of an encoder-decoder the encoder's, as everything without "decoder" in its name. */
  readonly lastHiddenState: ModelTensor;
  /** [hidden] */
  readonly poolerOutput?: ModelTensor;
  /** [tokens, hidden] each; the embeddings, then every layer. */
  readonly hiddenStates?: readonly ModelTensor[];
  /** [heads, tokens, tokens] each, one a layer. */
  readonly attentions?: readonly ModelTensor[];
  /** Of a model that writes: scores of each word as the next one, a row for each token that the decoder reads: [tokens, vocab]. */
  readonly logits?: ModelTensor;
  /** [decoder tokens, hidden] each; what enters the decoder's first layer, then the output of every layer. */
  readonly decoderHiddenStates?: readonly ModelTensor[];
  /** [heads, decoder tokens, decoder tokens] each, one a layer. */
  readonly decoderAttentions?: readonly ModelTensor[];
  /** [heads, decoder tokens, tokens] each, one a layer. */
  readonly crossAttentions?: readonly ModelTensor[];
}

/** What `forward` needs of an `Encoding`. */
export type ForwardInput = Pick<Encoding, 'ids'> & Partial<Pick<Encoding, 'typeIds'>>;

interface ForwardModel {
  readonly config: ModelConfig;
  readonly session: Session;
  readonly values: EncoderOutputs & { readonly lastHiddenState: Value; readonly decoder?: DecoderOutputs };
}

const decoderIds: Check<Int32Array | readonly Int32Array[]> = (value, name) => {
  const isIds = isInt32Array(value) || (Array.isArray(value) && value.every(isInt32Array));
  if (isIds) return value as Int32Array | readonly Int32Array[];
  throw unexpected('INVALID_IDS', `an Int32Array, or one for each text, for ${name}`, received(value));
};

const forwardSchema = {
  hiddenStates: flag,
  attentions: flag,
  pooler: flag,
  decoderInputIds: decoderIds,
  crossAttentions: flag,
  ...runSchema,
};

/** As `Model.forward` says, for a list of texts; `isAlone`: the call named one text, not a list. */
export async function forward(
  model: ForwardModel,
  inputs: readonly ForwardInput[],
  settings: ForwardOptions | undefined,
  isAlone: boolean,
): Promise<ForwardResult[]> {
  const options = readOptions('forward', settings, forwardSchema);
  inputs.forEach(checkInput);
  const targets = readTargets(model, options, inputs.length, isAlone);
  if (options.pooler === true && model.values.poolerOutput === undefined) {
    throw unexpected('INVALID_ARG', 'a model with a pooler for the option pooler', 'one without');
  }
  const wanted = wantedOf(model, options, targets !== undefined);
  const batch = { ...packInputs(inputs, model.config.typeVocabSize > 0), ...(targets && packTargets(targets)) };
  const values = Object.values(wanted).flat();
  const outputs = await model.session.run(batch, values, options);
  const tensors = new Map(values.map((value, i) => [value, split(value, outputs[i]!, batch)]));
  return inputs.map((_, text) => resultOf(wanted, (value) => tensors.get(value)![text]!));
}

/** The values that a call asks for, by the field of a result: one, or one for each layer. */
type Wanted = { readonly [Field in keyof ForwardResult]: ForwardResult[Field] extends ModelTensor | undefined ? Value : readonly Value[] };

function wantedOf({ values }: ForwardModel, options: ForwardOptions, hasTargets: boolean): Wanted {
  const { decoder } = values;
  const { hiddenStates = false, attentions = false, crossAttentions = false } = options;
  const writes = decoder?.logits !== undefined && (hasTargets || decoder.logits.rows === 'tokens');
  return {
    lastHiddenState: values.lastHiddenState,
    ...(options.pooler !== false && values.poolerOutput && { poolerOutput: values.poolerOutput }),
    ...(hiddenStates && { hiddenStates: values.hiddenStates }),
    ...(attentions && { attentions: values.attentions }),
    ...(writes && { logits: decoder.logits }),
    ...(hasTargets && hiddenStates && { decoderHiddenStates: decoder!.hiddenStates }),
    ...(hasTargets && attentions && { decoderAttentions: decoder!.attentions }),
    ...(crossAttentions && { crossAttentions: decoder!.crossAttentions }),
  };
}

function resultOf(wanted: Wanted, tensorOf: (value: Value) => ModelTensor): ForwardResult {
  const entries = Object.entries(wanted) as [string, Value | readonly Value[]][];
  const fields = entries.map(([field, values]) => [field, 'id' in values ? tensorOf(values) : values.map(tensorOf)]);
  return Object.fromEntries(fields) as ForwardResult;
}

/** What the decoder reads beside each text. Errors: INVALID_OPTION (a model whose decoder reads no text), INVALID_IDS. */
function readTargets(
  { values: { decoder }, config }: ForwardModel,
  { decoderInputIds: given, crossAttentions }: ForwardOptions,
  texts: number,
  isAlone: boolean,
): readonly Int32Array[] | undefined {
  if (given === undefined) {
    if (crossAttentions === true)
      throw unexpected('INVALID_OPTION', 'decoderInputIds beside crossAttentions for forward', 'crossAttentions alone');
    return undefined;
  }
  if (config.decoder === undefined || decoder === undefined) {
    throw unexpected(
      'INVALID_OPTION',
      'an encoder-decoder, loaded with its heads, for forward option decoderInputIds',
      config.architectures[0] ?? config.modelType,
    );
  }
  const lists = isInt32Array(given) ? [given] : given;
  if (lists.length !== texts || (isAlone && !isInt32Array(given))) {
    const expected = isAlone ? 'an Int32Array' : `${texts} lists of ids, one for each text,`;
    throw unexpected('INVALID_IDS', `${expected} for forward option decoderInputIds`, `${lists.length} lists`);
  }
  const { vocabSize, maxSequenceLength } = config.decoder;
  lists.forEach((ids, text) => {
    const wrong = ids.find((id) => id < 0 || id >= vocabSize);
    if (wrong !== undefined) throw unexpected('INVALID_IDS', `ids of 0..${vocabSize - 1} in decoderInputIds of text ${text}`, wrong);
    if (ids.length > 0 && ids.length <= maxSequenceLength) return;
    const code = ids.length === 0 ? 'INVALID_IDS' : 'MAX_LENGTH';
    throw unexpected(code, `1 to ${maxSequenceLength} ids in decoderInputIds of text ${text}`, ids.length);
  });
  return lists;
}

function packTargets(lists: readonly Int32Array[]): Required<Pick<BatchInputs, 'targetIds' | 'cuTarget'>> {
  const cuTarget = new Int32Array(lists.length + 1);
  lists.forEach(({ length }, i) => (cuTarget[i + 1] = cuTarget[i]! + length));
  return { targetIds: joined(lists, (length) => new Int32Array(length)), cuTarget };
}

/** Deals a value's packed rows out to the texts; every tensor has memory of its own. */
function split({ rows, width }: Value, data: Float32Array, { cuSeqlens, cuTarget }: BatchInputs): ModelTensor[] {
  const lengthsOf = (offsets: Int32Array | undefined, text: number): number =>
    offsets === undefined ? 0 : offsets[text + 1]! - offsets[text]!;
  let begin = 0;
  return Array.from({ length: cuSeqlens.length - 1 }, (_, text) => {
    const [tokens, targets] = [lengthsOf(cuSeqlens, text), lengthsOf(cuTarget, text)];
    const dims = shapeOf(rows, width, tokens, targets);
    const length = dims.reduce((product, size) => product * size, 1);
    begin += length;
    return { data: own(data, begin - length, length), dims };
  });
}

function shapeOf(rows: Value['rows'], width: number, tokens: number, targets: number): readonly number[] {
  switch (rows) {
    case 'tokens':
      return [tokens, width];
    case 'target':
      return [targets, width];
    case 'scores':
      return [width, tokens, tokens];
    case 'targetScores':
      return [width, targets, targets];
    case 'crossScores':
      return [width, targets, tokens];
    default:
      return [width];
  }
}

/** A part of a result with memory of its own: the result itself where there is no more in it. */
function own(data: Float32Array, begin: number, length: number): Float32Array {
  return length === data.length ? data : data.slice(begin, begin + length);
}

function checkInput(input: unknown, index: number): void {
  const { ids, typeIds } = (input ?? {}) as { readonly ids?: unknown; readonly typeIds?: unknown };
  if (!isInt32Array(ids)) throw unexpected('INVALID_IDS', `an Int32Array for the ids of text ${index}`, received(ids));
  if (typeIds === undefined || (isInt32Array(typeIds) && typeIds.length === ids.length)) return;
  const got = isInt32Array(typeIds) ? `${typeIds.length} numbers` : received(typeIds);
  throw unexpected('INVALID_ARG', `an Int32Array of ${ids.length} numbers for the typeIds of text ${index}`, got);
}
