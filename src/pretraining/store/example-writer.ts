import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError } from '../../checkpoint/files.js';
import { unexpected } from '../../expected.js';
import { isCodedError } from '../../realms.js';
import type { TokenArena } from '../corpus/token-arena.js';
import type { DrawnExample } from '../examples/draw-examples.js';
import { encodeBlock, kExamplesPerBlock } from './example-block.js';

/** What is known of a file of examples without reading it. */
export interface ExampleIndex {
  readonly vocabSize: number;
  readonly examples: number;
  /** Tokens of all examples, without special tokens. */
  readonly tokens: number;
  /** [blocks + 1]: where each block begins, and the end of the last, in bytes. */
  readonly offsets: readonly number[];
  /** [blocks + 1]: the first example of each block, and how many there are. */
  readonly firsts: readonly number[];
  /** SHA-256 of the file. */
  readonly digest: string;
}

/** Writes examples to a file, a block at a time. */
export class ExampleWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #vocabSize: number;
  readonly #hash = createHash('sha256');
  readonly #offsets = [0];
  readonly #firsts = [0];
  #tokens = 0;

  constructor(handle: FileHandle, path: string, vocabSize: number) {
    this.#handle = handle;
    this.#path = path;
    this.#vocabSize = vocabSize;
  }

  /** Appends the examples of a part of the corpus; its last block may be short. Errors: IO (no space: how much was written). */
  async add(examples: readonly DrawnExample[], tokens: TokenArena): Promise<void> {
    for (let begin = 0; begin < examples.length; begin += kExamplesPerBlock) {
      const chosen = examples.slice(begin, begin + kExamplesPerBlock);
      const block = encodeBlock(chosen, tokens, this.#vocabSize);
      await this.#append(block.bytes);
      this.#hash.update(block.bytes);
      this.#offsets.push(this.#offsets.at(-1)! + block.bytes.byteLength);
      this.#firsts.push(this.#firsts.at(-1)! + chosen.length);
      this.#tokens += block.tokens;
    }
  }

  finish(): ExampleIndex {
    return {
      vocabSize: this.#vocabSize,
      examples: this.#firsts.at(-1)!,
      tokens: this.#tokens,
      offsets: this.#offsets,
      firsts: this.#firsts,
      digest: this.#hash.digest('hex'),
    };
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const begin = this.#offsets.at(-1)!;
    for (let done = 0; done < bytes.byteLength;) {
      try {
        done += (await this.#handle.write(bytes, done, bytes.byteLength - done, begin + done)).bytesWritten;
      } catch (error) {
        if (!isCodedError(error) || error.code !== 'ENOSPC') throw ioError(`write ${quotePath(this.#path)}`, error);
        throw unexpected(
          'IO',
          `room for the examples of the corpus in ${quotePath(this.#path)}`,
          `a full disk after ${begin + done} bytes`,
          {
            cause: error,
            hint: 'Some three bytes a token are needed. Option corpusDir says where they go.',
          },
        );
      }
    }
  }
}
