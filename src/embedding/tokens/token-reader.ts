import type { LimitOptions, PromptOptions } from '../../calls/options.js';
import { TextReader, asIds } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';
import type { EncodedIds, Tokenizer } from '../../tokenizer/index.js';
import { forPurpose, type Purpose } from '../purpose.js';

/** A text as a multi-vector model reads it. */
export interface ReadTokens {
  readonly ids: Int32Array;
  readonly typeIds?: Int32Array;
  readonly numKeys?: number;
  readonly truncated: boolean;
  /** Which tokens have a vector. */
  readonly kept: readonly number[];
}

/** Reads queries, or documents: the prompt or marker in front, the length limit, mask tokens behind a query, and which tokens have no vector. */
export class TokenReader {
  readonly reader: TextReader;
  readonly #expansion;
  readonly #marker: number | undefined;
  readonly #maskId: number;
  readonly #skipped: ReadonlySet<number>;

  /** Errors: as `TextReader`; TOKENIZER for a marker or a mask token that the vocabulary lacks. */
  constructor(
    name: string,
    { tokenizer, multiVector, maxTokens, config, values }: Model,
    as: Purpose,
    settings: LimitOptions & PromptOptions,
  ) {
    const { expansion, queryLength, documentLength, skipped, skippedIn, markers, prompts } = multiVector!;
    this.#expansion = as === 'query' ? expansion : undefined;
    const marker = markers[as]?.trim();
    this.#marker = marker === undefined ? undefined : idOf(tokenizer, marker, `the marker of a ${as}`);
    const own = this.#expansion?.isFixed === true ? this.#expansion.length : as === 'query' ? queryLength : documentLength;
    const limit = Math.min(settings.maxLength ?? own ?? maxTokens, config.maxSequenceLength) - (this.#marker === undefined ? 0 : 1);
    const pooling = { modes: ['mean'], includePrompt: true, wordEmbeddingDimension: values.tokenVectors!.width } as const;
    const model = { tokenizer, maxTokens: limit, config, sentence: { ...multiVector!, pooling } };
    const { maxLength: _, ...reading } = forPurpose({ ...settings, as }, prompts);
    this.reader = new TextReader(name, model, reading);
    this.#maskId = this.#expansion === undefined ? 0 : idOf(tokenizer, this.#expansion.token ?? maskOf(tokenizer), 'a mask token');
    this.#skipped = new Set(skippedIn.includes(as) ? skipped.flatMap((word) => tokenizer.tokenToId(word) ?? []) : []);
  }

  /** Reads a text in slices. Errors: MAX_LENGTH, INPUT_TOO_LARGE. */
  *read(text: string, index: number): Generator<void, ReadTokens> {
    const encoded: EncodedIds = yield* this.reader.read(text, index, asIds);
    const own = Array.from(encoded.ids);
    const marked = this.#marker === undefined ? own : [...own.slice(0, 1), this.#marker, ...own.slice(1)];
    const expanded = Math.max(0, (this.#expansion?.length ?? 0) - marked.length);
    const ids = Int32Array.from([...marked, ...new Array<number>(expanded).fill(this.#maskId)]);
    const kept = Array.from(ids.keys()).filter((i) => !this.#skipped.has(ids[i]!));
    return { ids, truncated: encoded.truncated, kept, ...(this.#expansion?.attend === false ? { numKeys: marked.length } : {}) };
  }
}

function maskOf(tokenizer: Tokenizer): string {
  return ['[MASK]', '<mask>'].find((token) => tokenizer.tokenToId(token) !== undefined) ?? '[MASK]';
}

function idOf(tokenizer: Tokenizer, token: string, name: string): number {
  const id = tokenizer.tokenToId(token);
  if (id === undefined) throw unexpected('TOKENIZER', `${name} in the vocabulary`, token);
  return id;
}
