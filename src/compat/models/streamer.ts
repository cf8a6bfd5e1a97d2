import type { SearchEngine } from '../../generation/engine.js';
import { GrowingText } from '../../generation/growing-text.js';
import { unexpected, wrongArgument, wrongOption } from '../../expected.js';
import { callback, flag, readOptions } from '../../options.js';
import type { Tokenizer } from '../../tokenizer/index.js';
import { toCamelCase } from '../snake-case.js';
import type { PreTrainedTokenizer } from '../tokenizer/index.js';

/** What hears a text while it is generated, as transformers.js has it: ids as [1, n] int64, those that the text begins with first, then one at a time. */
export interface Streamer {
  put(value: bigint[][]): void;
  end(): void;
}

/** Options of `TextStreamer`, also in camel case. */
export interface TextStreamerOptions {
  /** Leaves out what the text begins with. Default false. */
  readonly skip_prompt?: boolean | undefined;
  /** Hears parts of the text that can no longer change. Default: writes to standard output, and a line break at the end. */
  readonly callback_function?: ((text: string) => void) | null | undefined;
  /** Hears the ids, one or those of the beginning. */
  readonly token_callback_function?: ((ids: bigint[]) => void) | null | undefined;
  /** Default true. False is refused: parts of such texts change. */
  readonly skip_special_tokens?: boolean | undefined;
}

const orNull =
  <T>(check: (value: unknown, name: string) => T) =>
  (value: unknown, name: string) =>
    value === null ? undefined : check(value, name);
const streamerSchema = {
  skipPrompt: flag,
  callbackFunction: orNull(callback),
  tokenCallbackFunction: orNull(callback),
  skipSpecialTokens: flag,
};

/**
 * Tells a text's parts while it is generated, each of which stays as it is: never half a character.
 *
 * Errors: INVALID_OPTION.
 *
 * @example
 * const streamer = new TextStreamer(tokenizer, { skip_prompt: true, callback_function: (text) => process.stdout.write(text) });
 * await model.generate({ ...tokenizer('The house'), streamer });
 */
export class TextStreamer implements Streamer {
  readonly #tokenizer: Tokenizer;
  readonly #skipPrompt: boolean;
  readonly #callback: ((text: string) => void) | undefined;
  readonly #tokenCallback: ((ids: bigint[]) => void) | undefined;
  #growing: GrowingText | undefined;
  #length = 0;
  #isPrompt = true;

  constructor(tokenizer: PreTrainedTokenizer | Tokenizer, given?: TextStreamerOptions | Readonly<Record<string, unknown>>) {
    const options = readOptions('TextStreamer', toCamelCase(given), streamerSchema);
    if (options.skipSpecialTokens === false) throw wrongOption('no skip_special_tokens: false for TextStreamer', false);
    this.#tokenizer = typeof tokenizer === 'function' ? tokenizer.tokenizer : tokenizer;
    this.#skipPrompt = options.skipPrompt ?? false;
    this.#callback = options.callbackFunction as ((text: string) => void) | undefined;
    this.#tokenCallback = options.tokenCallbackFunction as ((ids: bigint[]) => void) | undefined;
  }

  /** Takes the ids that a text begins with, or its next one. Errors: INVALID_ARG for several texts. */
  put(value: bigint[][]): void {
    if (value.length !== 1) throw unexpected('INVALID_ARG', 'one text for TextStreamer', value.length);
    const [isPrompt, ids] = [this.#isPrompt, value[0]!];
    this.#isPrompt = false;
    if (isPrompt && this.#skipPrompt) return;
    this.#tokenCallback?.(ids);
    this.#growing ??= new GrowingText(this.#tokenizer, []);
    this.#growing.add(ids.map(Number));
    this.#tell(this.#growing.settledLength);
  }

  /** Tells the rest of the text. The next text may follow. */
  end(): void {
    this.#tell(this.#growing?.text.length ?? 0);
    if (this.#callback === undefined) process.stdout.write('\n');
    [this.#growing, this.#length, this.#isPrompt] = [undefined, 0, true];
  }

  #tell(end: number): void {
    if (end <= this.#length) return;
    const text = this.#growing!.text.slice(this.#length, end);
    this.#length = end;
    if (this.#callback === undefined) process.stdout.write(text);
    else this.#callback(text);
  }
}

/** Reads the option `streamer`. Errors: INVALID_ARG, INVALID_OPTION beside several texts. */
export function readStreamer(value: unknown, texts: number): Streamer | undefined {
  if (value === undefined || value === null) return undefined;
  const { put, end } = value as Partial<Streamer>;
  if (typeof put !== 'function' || typeof end !== 'function') throw wrongArgument('an object with put and end for streamer', value);
  if (texts !== 1) throw wrongOption('one text beside streamer', texts);
  return value as Streamer;
}

/** An engine that tells a streamer what it writes. Errors: those of `engine` and of the streamer; INVALID_OPTION with beams or several texts. */
export function streaming(engine: SearchEngine, streamer: Streamer | undefined): SearchEngine {
  if (streamer === undefined) return engine;
  return async (task, run) => {
    const { numBeams, numReturnSequences } = task.settings;
    if (numBeams > 1 || numReturnSequences > 1) {
      throw wrongOption('one beam and one text beside streamer', `${numBeams} beams, ${numReturnSequences} texts`, {
        hint: 'Pass num_beams: 1 and num_return_sequences: 1.',
      });
    }
    streamer.put([Array.from(task.prompt, BigInt)]);
    let isStopped = false;
    const found = await engine(task, {
      ...run,
      onIds: ([ids = []], stop) => {
        for (const id of ids) {
          if (isStopped) return;
          streamer.put([[BigInt(id)]]);
          run.onIds?.([[id]], (sequence) => {
            isStopped = true;
            stop(sequence);
          });
        }
      },
    });
    streamer.end();
    return found;
  };
}
