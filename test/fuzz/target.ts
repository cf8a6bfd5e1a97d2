import { createTokenizer } from '../../src/architectures/create-tokenizer.js';

/** A reader of untrusted bytes. `read` throws a BerthaError for what it refuses, and anything else where the reader is wrong. */
export interface Target {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  /** How many of a hundred inputs it gets. */
  readonly share: number;
  read(bytes: Buffer): void | Promise<void>;
}

/** Fails the fuzzer: an accepted input breaks a promise. */
export function promise(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken promise: ${what}`);
}

/** Makes a tokenizer and uses all of it. */
export function useTokenizer(files: Parameters<typeof createTokenizer>[0], text: string): void {
  const tokenizer = createTokenizer(files);
  const encoding = tokenizer.encode(text, { pair: 'hello 京!' });
  promise(
    encoding.ids.every((id) => id >= 0 && id < tokenizer.vocabSize),
    'ids lie in the vocabulary',
  );
  promise(encoding.typeIds.length === encoding.ids.length, 'every id has a type');
  const { ids } = tokenizer.encodeIds(text, 8);
  promise(ids.length <= 8, 'the limit holds');
  tokenizer.decode(ids);
}
