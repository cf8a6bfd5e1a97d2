import { requireModel } from '../calls/inputs.js';
import { wrongOption } from '../expected.js';
import type { Model } from '../models/index.js';
import { onAbort } from '../runtime/abort.js';
import type { SearchEngine } from './engine.js';
import { toGenerated, type GeneratedText } from './generate.js';
import { GrowingText } from './growing-text.js';
import { nativeEngine } from './native-engine.js';
import { GenerationCall, type GenerateOptions, type GenerationInput } from './prepare.js';

/** A part of a text while it is generated. */
export interface StreamedText {
  /** What has been added to the text; none of it changes any more. The parts together are the text. */
  readonly text: string;
  /** The ids that have been added. Their text may come with a later part. */
  readonly ids: Int32Array;
  /** Whether this is the last part. */
  readonly done: boolean;
  /** In the last part: the whole text, as `generate` gives it. */
  readonly result?: GeneratedText;
}

/**
 * Generates one text and tells its parts as they come: text that can no longer change, never half a character. Whoever leaves the loop ends the
 * generation. Parts that nobody takes are kept and joined, at most the text.
 *
 * Errors, from the first part on: as `generate`; INVALID_OPTION with beams or several texts, also where the model's files ask for them.
 *
 * @example
 * for await (const { text } of generateStream(model, 'Where?', { doSample: true, topP: 0.9, seed: 7 })) process.stdout.write(text);
 */
export async function* generateStream(
  model: Model,
  input: GenerationInput,
  options?: GenerateOptions,
): AsyncGenerator<StreamedText, void, undefined> {
  requireModel(model, 'generateStream');
  yield* streamBy(nativeEngine(model), 'generateStream', model, input, options);
}

/** `generateStream` of an engine. @internal */
export async function* streamBy(
  engine: SearchEngine,
  name: string,
  model: Model,
  input: GenerationInput,
  options: unknown,
): AsyncGenerator<StreamedText, void, undefined> {
  const call = new GenerationCall(name, model, options);
  const { numBeams, numReturnSequences } = call.read.values;
  if (numBeams! > 1) {
    throw wrongOption(`one beam for ${name}, from ${call.read.sourceOf('numBeams')}`, numBeams, {
      hint: 'The beams of a text change until its end: pass numBeams: 1, or call generate.',
    });
  }
  if (numReturnSequences! > 1)
    throw wrongOption(`one text for ${name}, from ${call.read.sourceOf('numReturnSequences')}`, numReturnSequences);
  const prepared = await call.prepare(input, 0);
  const leaving = new AbortController();
  const { signal } = call.options;
  const growing = new GrowingText(model.tokenizer, call.read.stop);
  signal?.throwIfAborted();
  const unwatch = signal && onAbort(signal, () => leaving.abort(signal.reason));
  const arrived = new Arrivals();
  const sequences = call.search(engine, prepared, {
    signal: leaving.signal,
    onIds: ([ids], stop) => arrived.add(ids ?? [], stop),
  });
  sequences.then(arrived.end, arrived.end);
  try {
    let [numIds, length] = [0, 0];
    for (let ids = await arrived.next(); ids !== undefined; ids = await arrived.next()) {
      if (growing.isStopped) continue;
      growing.add(ids);
      if (growing.isStopped) arrived.stop();
      const settled = growing.settledLength;
      if (settled <= length) continue;
      const text = growing.text.slice(length, settled);
      const newIds = Int32Array.from(growing.ids.slice(numIds));
      [numIds, length] = [growing.ids.length, settled];
      yield { text, ids: newIds, done: false };
    }
    const [sequence] = await sequences;
    call.finish();
    const result = toGenerated(model, prepared, sequence!, call.read.stop);
    yield { text: result.text.slice(length), ids: result.ids.slice(numIds), done: true, result };
  } finally {
    unwatch?.();
    leaving.abort();
  }
}

/** Ids that arrive while nobody waits for them: at most those of one text. */
class Arrivals {
  #ids: number[] = [];
  #isAtEnd = false;
  #wake: (() => void) | undefined;
  #stop: ((sequence: number) => void) | undefined;

  add(ids: readonly number[], stop: (sequence: number) => void): void {
    this.#ids.push(...ids);
    this.#stop = stop;
    this.#wake?.();
  }

  /** Ends the text. */
  stop(): void {
    if (!this.#isAtEnd) this.#stop?.(0);
  }

  readonly end = (): void => {
    this.#isAtEnd = true;
    this.#wake?.();
  };

  /** Those that have arrived, once there are any; undefined at the end. */
  async next(): Promise<number[] | undefined> {
    while (this.#ids.length === 0) {
      if (this.#isAtEnd) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#ids.splice(0);
  }
}
