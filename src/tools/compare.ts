import { Call } from '../calls/call.js';
import { rowsOf } from '../calls/job.js';
import { callSchema, type CallOptions } from '../calls/options.js';
import { TextSource } from '../calls/source.js';
import { asIds, TextReader } from '../calls/text-reader.js';
import { readReference, type Reference, type ReferenceLayer } from '../checkpoint/reference-file.js';
import { BerthaError } from '../errors.js';
import { unexpected, wrongOption } from '../expected.js';
import { filePath, type FilePath } from '../file-path.js';
import { readModelPath, type ModelPath } from '../hub/index.js';
import { loadModel } from '../models/index.js';
import { integer, readOptions, type Check } from '../options.js';
import { parsePrecision, type PrecisionOption, type PrecisionReport } from '../runtime/options/precision.js';

/** What `compare` compares a model with: one of `reference`, `with`, or `precision` alone (then with the same model in float32). */
export interface CompareOptions extends Pick<CallOptions, 'signal'> {
  /** File of expected values, safetensors or .jsonl, as `bertha embed` writes them; hidden states may be in it too. */
  readonly reference?: FilePath | undefined;
  /** Directory of another model, computed in float32. */
  readonly with?: ModelPath | undefined;
  /** Precision of the model. Default `'fp32'`. */
  readonly precision?: PrecisionOption | undefined;
  /** Texts to compare on. Default: those of the reference file, else a few sentences. */
  readonly texts?: readonly string[] | undefined;
  /**
   * Largest relative L2 difference that counts as the same. Default: 1e-5 in fp32, and what rounding explains in others (fp16-weights
   * 2e-3, bf16 0.03, int8 0.25, int8-fast 0.4).
   */
  readonly tolerance?: number | undefined;
  /** Threads that compute. Default: what the machine grants. */
  readonly threads?: number | undefined;
}

/** How far two arrays lie apart. */
export interface Difference {
  readonly maxAbs: number;
  /** |actual - expected|₂ / |expected|₂ */
  readonly relativeL2: number;
  readonly cosine: number;
}

/** How one text's values lie apart. */
export interface TextComparison {
  readonly text: string;
  readonly tokens: number;
  /** One a layer. */
  readonly differences: readonly Difference[];
  /** The first layer beyond the tolerance. */
  readonly firstDeparture?: string;
}

/** What `compare` found. */
export interface Comparison {
  readonly model: string;
  readonly against: string;
  readonly precision: PrecisionReport;
  readonly tolerance: number;
  /** Names of what was compared, in order of computation: `input`, `layer 1`, …, `embedding`. */
  readonly layers: readonly string[];
  readonly texts: readonly TextComparison[];
  /** The worst of all texts, one a layer. */
  readonly worst: readonly Difference[];
  /** The first layer in which any text goes beyond the tolerance. */
  readonly firstDeparture?: string;
  /** Whether no text does. */
  readonly within: boolean;
}

/** A layer's values of one text. */
type Values = ReadonlyMap<string, Float32Array>;

const positive: Check<number> = (value, name) => {
  if (typeof value === 'number' && value > 0) return value;
  throw wrongOption(`a number above 0 for ${name}`, value);
};
const textList: Check<readonly string[]> = (value, name) => {
  if (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string')) return value as string[];
  throw wrongOption(`a list of texts, at least one, for ${name}`, value);
};
const schema = {
  reference: filePath,
  with: (value: unknown, name: string) => readModelPath(value, name, 'INVALID_OPTION'),
  precision: parsePrecision,
  texts: textList,
  tolerance: positive,
  threads: integer(1, 1024),
  signal: callSchema.signal,
};

const kTolerances = { fp32: 1e-5, 'fp16-weights': 2e-3, fp16: 5e-3, bf16: 0.03, int8: 0.25, 'int8-fast': 0.4 } as const;
/** Every layer's output of so many tokens fits memory many times over. */
const kJobTokens = 2048;
const kSampleTexts: readonly string[] = [
  'A cat sits on the mat.',
  'no',
  'The committee postponed its decision until the figures for the last quarter had been checked by an independent accountant.',
  'Der schnelle braune Fuchs springt über den faulen Hund.',
  'How do I reset the password of my account?',
  'E = mc², 3.14159, https://example.org/a?b=c',
  '東京は日本の首都です。',
  'Whereas recognition of the inherent dignity and of the equal and inalienable rights of all members of the human family is the foundation of freedom, justice and peace in the world',
];

/**
 * Says how far a model's values lie from expected ones, layer by layer and text by text, and where they first depart.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, REFERENCE (files or models of other shapes; says which), those of `loadModel`, or the signal's
 * reason.
 */
export async function compare(model: ModelPath | undefined, options: CompareOptions): Promise<Comparison> {
  const {
    reference: file,
    with: other,
    precision = 'fp32',
    texts: given,
    tolerance,
    threads,
    signal,
  } = readOptions('compare', options, schema);
  if (file !== undefined && other !== undefined) throw unexpected('INVALID_OPTION', 'reference or with for compare', 'both');
  if (file === undefined && other === undefined && precision === 'fp32') {
    throw unexpected('INVALID_OPTION', 'reference, with or a precision other than fp32 for compare', 'none');
  }
  const reference = file === undefined ? undefined : await readReference(file);
  const texts = given ?? reference?.texts ?? (reference === undefined ? kSampleTexts : undefined);
  if (texts === undefined) throw unexpected('INVALID_OPTION', `texts for compare, as ${file} has none,`, 'none');
  const actual = await computeAll(model, { precision, threads }, texts, signal);
  const expected =
    reference === undefined
      ? await computeAll(other ?? model, { threads }, texts, signal)
      : { values: split(reference, actual.tokens, file!), name: file! };
  if (other !== undefined) checkShapes(actual, expected as Computed);
  const known = [...actual.values[0]!.keys()];
  const unknown = reference && [...expected.values[0]!.keys()].find((layer) => !known.includes(layer));
  if (unknown !== undefined) {
    throw unexpected('REFERENCE', `only ${known.join(', ')} in ${file}, as the model has,`, `${unknown} as well`);
  }
  const layers = known.filter((layer) => expected.values[0]!.has(layer));
  const limit = tolerance ?? kTolerances[actual.precision.chosen];
  const compared = texts.map((each, i): TextComparison => {
    const differences = layers.map((layer) =>
      difference(actual.values[i]!.get(layer)!, expected.values[i]!.get(layer)!, `${layer} of text ${i}`),
    );
    return { text: each, tokens: actual.tokens[i]!, differences, ...departure(layers, differences, limit) };
  });
  const worst = layers.map((_, layer) => worstOf(compared.map(({ differences }) => differences[layer]!)));
  return {
    model: actual.name,
    against: reference === undefined && other === undefined ? `${actual.name} in fp32` : expected.name,
    precision: actual.precision,
    tolerance: limit,
    layers,
    texts: compared,
    worst,
    ...departure(layers, worst, limit),
    within: departure(layers, worst, limit).firstDeparture === undefined,
  };
}

/** Two models can be compared where they cut texts into as many tokens and give each as many numbers. */
function checkShapes(model: Computed, other: Computed): void {
  const differing = model.tokens.findIndex((count, i) => count !== other.tokens[i]);
  if (differing !== -1) {
    throw new BerthaError(
      'REFERENCE',
      `Expected ${model.tokens[differing]} tokens of text ${differing}, as ${model.name} makes, but ${other.name} makes ${other.tokens[differing]}.`,
    );
  }
  for (const [layer, values] of model.values[0]!) {
    const rows = layer === 'embedding' ? 1 : model.tokens[0]!;
    const [width, otherWidth] = [values.length / rows, (other.values[0]!.get(layer)?.length ?? values.length) / rows];
    if (width !== otherWidth)
      throw new BerthaError(
        'REFERENCE',
        `Expected ${width} numbers a row in ${layer}, as ${model.name} has, but ${other.name} has ${otherWidth}.`,
      );
  }
}

interface Computed {
  readonly name: string;
  readonly precision: PrecisionReport;
  readonly values: readonly Values[];
  readonly tokens: readonly number[];
}

async function computeAll(
  directory: ModelPath | undefined,
  options: { readonly precision?: PrecisionOption; readonly threads: number | undefined },
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Computed> {
  const model = await loadModel(directory, { ...options, heads: false });
  try {
    const { hiddenStates, normalizedEmbedding, sentenceEmbedding, normalizes } = model.values;
    const wanted = [...hiddenStates, normalizes ? normalizedEmbedding : sentenceEmbedding];
    const names = wanted.map((_, i) => (i === hiddenStates.length ? 'embedding' : layerName(i)));
    const reader = new TextReader('compare', model, {});
    const source = new TextSource(texts, reader, asIds, (encoded) => [encoded]);
    const values: Values[] = [];
    const tokens: number[] = [];
    const call = new Call('compare', model, { signal });
    await call.compute(
      source,
      wanted,
      ({ sequences }, outputs, batch) => {
        for (const [i, { ids }] of sequences.entries()) {
          values.push(new Map(wanted.map((value, v) => [names[v]!, rowsOf(outputs[v]!, value, batch, i).slice()])));
          tokens.push(ids.length);
        }
      },
      { jobTokens: kJobTokens, jobsInFlight: 1 },
    );
    return { name: model.directory, precision: model.precision, values, tokens };
  } finally {
    model.dispose();
  }
}

function layerName(layer: number): string {
  return layer === 0 ? 'input' : `layer ${layer}`;
}

/** Deals a file's rows out to the texts. */
function split({ embeddings, hiddenStates }: Reference, tokens: readonly number[], file: string): Values[] {
  const total = tokens.reduce((sum, count) => sum + count, 0);
  const layers: [string, ReferenceLayer, readonly number[]][] = [...hiddenStates]
    .sort(([a], [b]) => a - b)
    .map(([layer, values]) => [layerName(layer), values, tokens]);
  if (embeddings !== undefined) layers.push(['embedding', embeddings, tokens.map(() => 1)]);
  const texts = tokens.map(() => new Map<string, Float32Array>());
  for (const [name, { data, rows, width }, counts] of layers) {
    const wanted = name === 'embedding' ? tokens.length : total;
    if (rows !== wanted) {
      const what = name === 'embedding' ? `${wanted} texts` : `${wanted} tokens of ${tokens.length} texts`;
      throw unexpected('REFERENCE', `${wanted} rows, for ${what}, for ${name} in ${file}`, rows);
    }
    let row = 0;
    counts.forEach((count, i) => texts[i]!.set(name, data.subarray(row * width, (row += count) * width)));
  }
  return texts;
}

function difference(actual: Float32Array, expected: Float32Array, what: string): Difference {
  if (actual.length !== expected.length) {
    throw new BerthaError('REFERENCE', `Expected ${expected.length} values for ${what} but the model gives ${actual.length}.`);
  }
  let [maxAbs, squares, actualSquares, expectedSquares, dot] = [0, 0, 0, 0, 0];
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    maxAbs = Math.max(maxAbs, Math.abs(a - e));
    squares += (a - e) ** 2;
    actualSquares += a * a;
    expectedSquares += e * e;
    dot += a * e;
  }
  const norms = Math.sqrt(actualSquares * expectedSquares);
  const relativeL2 = squares === 0 ? 0 : Math.sqrt(squares / expectedSquares);
  return { maxAbs, relativeL2, cosine: norms === 0 ? (squares === 0 ? 1 : 0) : dot / norms };
}

/** What is not a number is worse than anything. */
function worstOf(differences: readonly Difference[]): Difference {
  return differences.reduce((worst, { maxAbs, relativeL2, cosine }) => ({
    maxAbs: Math.max(worst.maxAbs, maxAbs),
    relativeL2: Math.max(worst.relativeL2, relativeL2),
    cosine: Math.min(worst.cosine, cosine),
  }));
}

function departure(layers: readonly string[], differences: readonly Difference[], tolerance: number): { readonly firstDeparture?: string } {
  const first = layers.find((_, i) => !(differences[i]!.relativeL2 <= tolerance));
  return first === undefined ? {} : { firstDeparture: first };
}
