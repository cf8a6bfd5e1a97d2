import { requireModel, type TextInput, readInputs } from '../../calls/inputs.js';
import { limitSchema, type LimitOptions } from '../../calls/options.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { Model, ModelTensor } from '../../models/index.js';
import { flag, oneOf, readOptions, type Check } from '../../options.js';
import { runSchema } from '../../runtime/options/run-options.js';
import type { RunOptions } from '../../runtime/session.js';
import { readExplained, type ExplainedToken } from '../reading/explained-text.js';
import { headOutputs, weightedNorms } from './value-norms.js';

/** Options of `attention`. */
export interface AttentionOptions extends Pick<LimitOptions, 'maxLength' | 'splitSpecialTokens'>, Omit<RunOptions, 'group'> {
  /** Layers, from 0. Default: all. */
  readonly layers?: readonly number[] | undefined;
  /** Heads, from 0. Default: all. */
  readonly heads?: readonly number[] | undefined;
  /**
   * `'probability'` (default): how much of a head's attention each token gets. `'norm'`: ‖α_ij v_j Wo_h‖, how much of each token the head hands on (Kobayashi
   * et al. 2020): a head that looks at [SEP] and takes nothing from there has small norms.
   */
  readonly weights?: 'probability' | 'norm' | undefined;
  /** Return the layers' outputs too. Default false. */
  readonly hiddenStates?: boolean | undefined;
}

/** The attention of a text. It shows where heads read, not why a model answers. */
export interface Attention {
  readonly text: string;
  readonly textPair?: string;
  readonly tokens: readonly ExplainedToken[];
  /** The layers and heads that `weights` has, by their numbers. */
  readonly layers: readonly number[];
  readonly heads: readonly number[];
  /** What `weights` are. */
  readonly kind: 'probability' | 'norm';
  /** For each of `layers` [heads, tokens, tokens]: row i says how much token i reads of each token; probabilities of a row add up to 1. */
  readonly weights: readonly ModelTensor[];
  /** [tokens, hidden] each: the embeddings, then every layer's output. */
  readonly hiddenStates?: readonly ModelTensor[];
  readonly truncated: boolean;
  /** The model's directory. */
  readonly model: string;
}

/** Bytes of weights that one call may return, or compute on its way. */
const kMostBytes = 2 ** 28;

const numbers: Check<readonly number[]> = (value, name) => {
  if (Array.isArray(value) && value.length > 0 && value.every((each) => Number.isInteger(each) && each >= 0)) return value as number[];
  throw wrongOption(`a list of whole numbers from 0 for ${name}`, value);
};
const { maxLength, splitSpecialTokens } = limitSchema;
const schema = {
  layers: numbers,
  heads: numbers,
  weights: oneOf(['probability', 'norm']),
  hiddenStates: flag,
  maxLength,
  splitSpecialTokens,
  ...runSchema,
};

/**
 * The attention weights of a text, or of a pair, by layer and head.
 *
 * Errors: INVALID_ARG, INVALID_OPTION (also for layers and heads that the model does not have), INPUT_TOO_LARGE above 256 MiB, with the bytes, MAX_LENGTH,
 * DISPOSED, those of `forward`; for norms NO_GRADIENT (the weights are in no files) and CONFIG_UNSUPPORTED (an adapter that is not merged).
 *
 * @example
 * const seen = await attention(model, 'The cat sat on the mat because it was tired.', { layers: [4], heads: [9] });
 * console.log(seen.tokens.map(({ token }) => token), seen.weights[0].dims);
 */
export async function attention(model: Model, input: TextInput, options?: AttentionOptions): Promise<Attention> {
  requireModel(model, 'attention');
  const { hiddenStates: withStates = false, weights: kind = 'probability', ...settings } = readOptions('attention', options, schema);
  const { numHeads } = model.config;
  const all = model.values.attentions;
  const layers = settings.layers ?? [...all.keys()];
  const heads = settings.heads ?? Array.from({ length: numHeads }, (_, head) => head);
  requireBelow(layers, all.length, 'layers');
  requireBelow(heads, numHeads, 'heads');
  const [text] = readInputs('attention', [input]);
  const { maxLength: limit, splitSpecialTokens: splits, signal, priority, deadlineMs } = settings;
  const read = await readExplained('attention', model, text!, { maxLength: limit, splitSpecialTokens: splits, signal });
  const tokens = read.tokens.length;
  if (tokens === 0) throw unexpected('EMPTY_INPUT', 'a text with tokens for attention', 'one without');
  requireRoom(4 * tokens ** 2 * numHeads, layers.length, tokens);
  const { ids, typeIds } = read.encoding;
  const batch = model.pack([{ ids, typeIds }]);
  const states = withStates ? model.values.hiddenStates : [];
  const behind = kind === 'norm' ? await headOutputs(model, layers) : [];
  const wanted = [...layers.map((layer) => all[layer]!), ...behind.map(({ value }) => value), ...states];
  const outputs = await model.session.run(batch, wanted, { signal, priority, deadlineMs });
  const square = tokens ** 2;
  const isWhole = heads.length === numHeads && heads.every((head, i) => head === i);
  const weights: ModelTensor[] = [];
  for (const [i, given] of outputs.slice(0, layers.length).entries()) {
    const output = kind === 'norm' ? await weightedNorms(given, outputs[layers.length + i]!, behind[i]!, numHeads, signal) : given;
    const data = isWhole ? output : new Float32Array(heads.length * square);
    if (!isWhole) heads.forEach((head, h) => data.set(output.subarray(head * square, (head + 1) * square), h * square));
    weights.push({ data, dims: [heads.length, tokens, tokens] });
  }
  return {
    text: read.text,
    ...(read.textPair === undefined ? {} : { textPair: read.textPair }),
    tokens: read.tokens,
    layers,
    heads,
    kind,
    weights,
    ...(withStates && {
      hiddenStates: outputs.slice(layers.length + behind.length).map((data) => ({ data, dims: [tokens, data.length / tokens] })),
    }),
    truncated: read.truncated,
    model: model.directory,
  };
}

function requireBelow(given: readonly number[], count: number, name: 'layers' | 'heads'): void {
  const wrong = given.find((each) => each >= count);
  if (wrong === undefined) return;
  throw unexpected('INVALID_OPTION', `numbers below ${count}, the model's ${name}, for attention option ${name}`, wrong);
}

function requireRoom(bytesOfLayer: number, layers: number, tokens: number): void {
  if (bytesOfLayer * layers <= kMostBytes) return;
  const most = Math.floor(kMostBytes / bytesOfLayer);
  const hint =
    most > 0 ? `Ask for at most ${most} layers (option layers), or set maxLength.` : 'Set maxLength: one layer alone is too large.';
  const wanted = `attention weights of at most ${kMostBytes} bytes`;
  throw unexpected('INPUT_TOO_LARGE', wanted, `${layers} layers of ${tokens} tokens, which take ${bytesOfLayer * layers}`, { hint });
}
