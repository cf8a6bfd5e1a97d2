import { families } from '../../architectures/registry.js';
import type { Family } from '../../architectures/family.js';
import { wordTable, type HeadBuilder } from '../../architectures/heads.js';
import { WeightReader } from '../../architectures/weight-reader.js';
import { readInputs, requireModel, type TextInput } from '../../calls/inputs.js';
import { limitSchema, type LimitOptions } from '../../calls/options.js';
import { WeightMap } from '../../checkpoint/weights/weights.js';
import { unexpected } from '../../expected.js';
import { openSource, requireEncoder, type Model } from '../../models/index.js';
import { ProgramBuilder } from '../../models/program/program.js';
import { integer, readOptions } from '../../options.js';
import { runSchema } from '../../runtime/options/run-options.js';
import type { RunOptions } from '../../runtime/session.js';
import { requireHead } from '../../tasks/require-head.js';
import { descending } from '../../tasks/scoring/scores.js';
import { RowEngine } from '../engine/row-engine.js';
import { rowProgram } from '../engine/row-program.js';
import { readExplained, type ExplainedToken } from '../reading/explained-text.js';

/** Options of `logitLens`. */
export interface LensOptions extends Pick<LimitOptions, 'maxLength' | 'splitSpecialTokens'>, Omit<RunOptions, 'group'> {
  /** Words for each layer. Default 5. */
  readonly topK?: number | undefined;
}

/** A word and its probability. */
export interface LensWord {
  readonly id: number;
  readonly word: string;
  readonly logProbability: number;
}

/** What the masked-word head reads in one layer's output. */
export interface LensLayer {
  /** 0: the embeddings; then the layers. */
  readonly layer: number;
  /** The likeliest first. */
  readonly words: readonly LensWord[];
  /** Of the word that the last layer chooses: its place here, from 0, and its log-probability. */
  readonly rankOfFinal: number;
  readonly logProbabilityOfFinal: number;
  /** Of the distribution over all words, in nats. */
  readonly entropy: number;
}

/** A mask through the layers. The head was trained on the last layer's output alone. */
export interface LensMask {
  /** The mask's position among the tokens. */
  readonly position: number;
  readonly final: string;
  readonly layers: readonly LensLayer[];
}

/** What a masked-word head reads at every mask, layer by layer. */
export interface Lens {
  readonly text: string;
  readonly textPair?: string;
  readonly tokens: readonly ExplainedToken[];
  readonly masks: readonly LensMask[];
  readonly truncated: boolean;
  /** The model's directory. */
  readonly model: string;
}

const { maxLength, splitSpecialTokens } = limitSchema;
const schema = { topK: integer(1, 1000), maxLength, splitSpecialTokens, ...runSchema };

/**
 * Puts the masked-word head on the output of each layer, at every mask of a text.
 *
 * Errors: NO_HEAD, NO_MASK, NO_GRADIENT (the weights are in no files), INVALID_ARG, INVALID_OPTION, MAX_LENGTH, DISPOSED, those of `forward`.
 *
 * @example
 * const { masks } = await logitLens(model, 'The capital of France is [MASK].');
 * for (const { layer, words } of masks[0].layers) console.log(layer, words[0].word);
 */
export async function logitLens(model: Model, input: TextInput, options?: LensOptions): Promise<Lens> {
  requireModel(model, 'logitLens');
  requireHead(model, 'maskedLm', 'logitLens');
  const { topK = 5, maxLength: limit, splitSpecialTokens: splits, ...run } = readOptions('logitLens', options, schema);
  const [text] = readInputs('logitLens', [input]);
  const read = await readExplained('logitLens', model, text!, { maxLength: limit, splitSpecialTokens: splits, signal: run.signal });
  const positions = Array.from(read.tokens.keys()).filter((i) => read.tokens[i]!.id === model.tokenizer.maskId);
  if (positions.length === 0) {
    const mask = model.tokenizer.maskId === undefined ? 'a mask' : model.tokenizer.idToToken(model.tokenizer.maskId);
    throw unexpected('NO_MASK', `a text with ${mask} for logitLens`, 'one without');
  }
  const logits = await lensLogits(model, read.encoding, positions, run);
  const numLayers = model.values.hiddenStates.length;
  return {
    text: read.text,
    ...(read.textPair === undefined ? {} : { textPair: read.textPair }),
    tokens: read.tokens,
    masks: positions.map((position, m) => describe(model, position, logits.slice(m * numLayers, (m + 1) * numLayers), topK)),
    truncated: read.truncated,
    model: model.directory,
  };
}

/** The logits of words at positions, for each of them one row a layer, the embeddings first. Errors: those of `forward` and `RowEngine.run`. */
export async function lensLogits(
  model: Model,
  encoding: { readonly ids: Int32Array; readonly typeIds: Int32Array },
  positions: readonly number[],
  { signal, priority, deadlineMs }: Omit<RunOptions, 'group'> = {},
): Promise<Float32Array[]> {
  const states = model.values.hiddenStates;
  const outputs = await model.session.run(model.pack([encoding]), states, { signal, priority, deadlineMs });
  const engine = await headEngine(model);
  try {
    const sequences = positions.flatMap((position) =>
      outputs.map((output, i) => ({
        rows: output.slice(position * states[i]!.width, (position + 1) * states[i]!.width),
        selected: Int32Array.of(0),
        coefficients: new Float32Array(model.config.vocabSize),
      })),
    );
    return (await engine.run(sequences, { gradients: false, signal })).map(({ value }) => value);
  } finally {
    engine.dispose();
  }
}

/** Outputs of layers that the head reads at once. */
const kMostRows = 256;

/** The masked-word head alone, over rows that are layers' outputs. */
async function headEngine(model: Model): Promise<RowEngine> {
  const { source } = model;
  if (source === undefined) throw unexpected('NO_GRADIENT', 'a model that loadModel has read from files', 'one that training has changed');
  const directory = await openSource(source);
  try {
    requireEncoder(directory, 'the lens');
    const { config } = directory;
    const family: Family = families[config.modelType];
    const aliases = new Map(config.tieWordEmbeddings ? [[family.wordTable ?? wordTable, family.decoder]] : []);
    const weights = new WeightMap(directory.tensors, { prefixes: family.prefixes, aliases });
    const b = new ProgramBuilder({ vocabSize: kMostRows, typeVocabSize: 0, maxSeqLen: 1 });
    const [like] = directory.tensors.values();
    const word = b.table({ ...like!, name: 'states', shape: [1, config.hiddenSize] });
    const build = family.heads.maskedLm as HeadBuilder<'maskedLm'>;
    const head = build(new WeightReader(b, config, weights), { hiddenStates: [b.embed({ word })], attentions: [] });
    const program = b.build();
    const states = program.weights.findIndex(({ name }) => name === 'states');
    const native = rowProgram(program, head!.logits, kMostRows);
    // Nobody looks the placeholder's row up, and no file has it.
    const placeholder = { ...native.native.weights[states]!, parts: [] };
    const withoutFile = { ...native.native, weights: native.native.weights.map((weight, i) => (i === states ? placeholder : weight)) };
    const engine = await RowEngine.load({ ...native, native: withoutFile }, kMostRows);
    await directory.verifyUnchanged();
    return engine;
  } finally {
    await directory.close();
  }
}

function describe({ tokenizer }: Model, position: number, rows: readonly Float32Array[], topK: number): LensMask {
  const wordOf = (id: number): string => tokenizer.idToToken(id) ?? String(id);
  const final = descending(rows.at(-1)!)[0]!;
  const layers = rows.map((row, layer): LensLayer => {
    const log = logSoftmax(row);
    const order = descending(row);
    return {
      layer,
      words: order.slice(0, topK).map((id) => ({ id, word: wordOf(id), logProbability: log[id]! })),
      rankOfFinal: order.indexOf(final),
      logProbabilityOfFinal: log[final]!,
      entropy: log.reduce((sum, value) => sum - (value === -Infinity ? 0 : Math.exp(value) * value), 0),
    };
  });
  return { position, final: wordOf(final), layers };
}

function logSoftmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((all, logit) => all + Math.exp(logit - most), 0);
  return Float64Array.from(logits, (logit) => logit - most - Math.log(sum));
}
