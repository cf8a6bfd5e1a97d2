import { requireModel } from '../calls/inputs.js';
import type { Model } from '../models/index.js';
import { onAbort } from '../runtime/abort.js';
import type { SearchEngine } from './engine.js';
import { GrowingText } from './growing-text.js';
import { nativeEngine } from './native-engine.js';
import { GenerationCall, type GenerateOptions, type GenerationInput, type PreparedText } from './prepare.js';
import type { FinishReason, SearchSettings, Sequence } from './settings.js';

/** A text that was generated. */
export interface GeneratedText {
  /** What was written, without special tokens and without the prompt; a stop text and what follows it are left out. */
  readonly text: string;
  /** The ids that were written, an end token included. */
  readonly ids: Int32Array;
  /** What the decoder began with. */
  readonly promptIds: Int32Array;
  /** Log-probability of each id, after the rules. */
  readonly logProbabilities: Float64Array;
  /** Sum of the log-probabilities / number of ids to the power of `lengthPenalty`: what beams are compared by. */
  readonly score: number;
  /** Of beams: which beam of its step each id was added to. */
  readonly beams?: Int32Array;
  readonly finishReason: FinishReason;
  /** With `doSample`: the seed that gives this text again. */
  readonly seed?: number;
  /** Tokens of the input that the model read. */
  readonly tokens: number;
  /** Whether the input was longer than the limit, so that its end was not read. */
  readonly truncated: boolean;
}

/** Inputs of one call that are searched for at once; others wait until one is done. */
const mostAtOnce = 64;

/**
 * Generates text: a translation or a summary by an encoder-decoder, what a causal decoder goes on with. Greedy, by beams or by sampling, as transformers'
 * `generate` does it, but up to the decoder's positions where nothing says how long. A list of inputs gives a list of texts for each.
 *
 * Errors: INVALID_ARG, NO_HEAD (a model that does not write), INVALID_OPTION, INVALID_IDS, MAX_LENGTH, CONFIG, CONFIG_UNSUPPORTED, INPUT_TOO_LARGE, DISPOSED,
 * QUEUE_FULL, DEADLINE (it passed before a text began), DEVICE, OUT_OF_MEMORY, NON_FINITE, or the signal's reason.
 *
 * @example
 * const model = await loadModel('Helsinki-NLP/opus-mt-en-de');
 * const [{ text, score }] = await generate(model, 'Where is the station?', { numBeams: 4, maxNewTokens: 64 });
 */
export function generate(model: Model, input: GenerationInput, options?: GenerateOptions): Promise<GeneratedText[]>;
export function generate(model: Model, inputs: readonly GenerationInput[], options?: GenerateOptions): Promise<GeneratedText[][]>;
export async function generate(
  model: Model,
  input: GenerationInput | readonly GenerationInput[],
  options?: GenerateOptions,
): Promise<GeneratedText[] | GeneratedText[][]> {
  requireModel(model, 'generate');
  return generateBy(nativeEngine(model), 'generate', model, input, options);
}

/** `generate` of an engine. @internal */
export async function generateBy(engine: SearchEngine, name: string, model: Model, input: unknown, options: unknown) {
  const call = new GenerationCall(name, model, options);
  if (!Array.isArray(input)) {
    const [texts] = await searchAll(engine, call, [input as GenerationInput]);
    return texts!;
  }
  return searchAll(engine, call, input.slice() as GenerationInput[]);
}

async function searchAll(engine: SearchEngine, call: GenerationCall, inputs: readonly GenerationInput[]): Promise<GeneratedText[][]> {
  const { signal } = call.options;
  signal?.throwIfAborted();
  // The first failure ends the texts beside it.
  const ending = new AbortController();
  const unwatch = signal && onAbort(signal, () => ending.abort(signal.reason));
  const results: GeneratedText[][] = [];
  const failures: unknown[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < inputs.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await search(engine, call, await call.prepare(inputs[index]!, index), ending.signal);
      } catch (error) {
        failures.push(error);
        ending.abort(error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(mostAtOnce, inputs.length) }, work));
  } finally {
    unwatch?.();
  }
  if (failures.length > 0) throw failures[0];
  call.finish();
  return results;
}

async function search(engine: SearchEngine, call: GenerationCall, prepared: PreparedText, signal: AbortSignal): Promise<GeneratedText[]> {
  const { model, read } = call;
  const { settings } = prepared;
  const count = settings.doSample ? settings.numReturnSequences : 1;
  const growing = Array.from({ length: read.stop.length === 0 ? 0 : count }, () => new GrowingText(model.tokenizer, read.stop));
  const sequences = await call.search(engine, prepared, {
    signal,
    ...(growing.length > 0 && {
      onIds: (ids: readonly (readonly number[])[], stop: (sequence: number) => void) =>
        growing.forEach((text, i) => {
          if (text.isStopped) return;
          text.add(ids[i] ?? []);
          if (text.isStopped) stop(i);
        }),
    }),
  });
  return sequences.map((sequence) => toGenerated(model, prepared, sequence, read.stop));
}

/** What a caller gets of a sequence. @internal */
export function toGenerated(model: Model, prepared: PreparedText, sequence: Sequence, stop: readonly string[]): GeneratedText {
  const { settings, prompt, tokens, truncated } = prepared;
  const text = new GrowingText(model.tokenizer, stop);
  text.add(sequence.ids.slice(prompt.length));
  const logProbabilities = Float64Array.from(sequence.logProbabilities.slice(0, text.ids.length));
  return {
    text: text.text,
    ids: Int32Array.from(text.ids),
    promptIds: prompt,
    logProbabilities,
    score: text.isStopped ? scoreOf(logProbabilities, settings) : sequence.score,
    ...(settings.numBeams > 1 && { beams: Int32Array.from(sequence.beams) }),
    finishReason: text.isStopped ? 'stop' : sequence.finish!,
    ...(settings.doSample && { seed: settings.seed }),
    tokens,
    truncated,
  };
}

function scoreOf(logProbabilities: Float64Array, { lengthPenalty }: SearchSettings): number {
  return logProbabilities.reduce((sum, x) => sum + x, 0) / logProbabilities.length ** lengthPenalty;
}

export type { GenerateOptions, GenerationInput };
