import type { FileHandle } from 'node:fs/promises';
import { readFully } from '../../checkpoint/files.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { OrderedDataset, SamplingArguments } from '../../training/datasets/dataset.js';
import { epochOrder, epochOrderInTurns } from '../../training/trainer/sampling.js';
import { decodeBlock, type PretrainingExample } from './example-block.js';
import type { ExampleIndex } from './example-writer.js';

/** Blocks that are in memory at once while an epoch is read, 16,384 examples: they are shuffled as a whole. */
const kBlocksPerGroup = 64;

/**
 * The examples of a corpus in a file. An epoch takes blocks of 256 examples in a random order, 64 at a time, and gives these in a random order; up to
 * 16,384 examples this is a shuffle of all of them. The order is a function of (args, epoch), and what a run has done is not read again.
 */
export class ExampleStore implements OrderedDataset<PretrainingExample> {
  readonly length: number;
  readonly tokens: number;
  readonly digest: string;
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #index: ExampleIndex;
  readonly #dispose: () => Promise<void>;

  /** `handle` is read by positions; `dispose` is called after it was closed. */
  constructor(handle: FileHandle, path: string, index: ExampleIndex, dispose: () => Promise<void> = () => Promise.resolve()) {
    this.#handle = handle;
    this.#path = path;
    this.#index = index;
    this.#dispose = dispose;
    [this.length, this.tokens, this.digest] = [index.examples, index.tokens, index.digest];
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PretrainingExample, void, undefined> {
    for (let block = 0; block + 1 < this.#index.offsets.length; block++) yield* await this.#read(block);
  }

  async *inOrder(
    args: SamplingArguments,
    epoch: number,
    from: number,
  ): AsyncGenerator<{ readonly row: PretrainingExample; readonly index: number }, void, undefined> {
    const { firsts } = this.#index;
    const blocks = this.#blockOrder(args, epoch);
    let skipped = from;
    for (let begin = 0; begin < blocks.length; begin += kBlocksPerGroup) {
      const group = blocks.subarray(begin, begin + kBlocksPerGroup);
      const count = group.reduce((sum, block) => sum + firsts[block + 1]! - firsts[block]!, 0);
      if (skipped >= count) {
        skipped -= count;
        continue;
      }
      const rows: { readonly row: PretrainingExample; readonly index: number }[] = [];
      for (const block of group) (await this.#read(block)).forEach((row, i) => rows.push({ row, index: firsts[block]! + i }));
      // Groups of an epoch have streams of random numbers of their own; that of the first is the epoch's.
      const stream = epoch + (begin / kBlocksPerGroup) * 2 ** 32;
      const lengths = Uint32Array.from(rows, ({ row }) => row.ids.length);
      const order = await epochOrderInTurns(new Budget(undefined, 'bulk'), args, stream, rows.length, lengths);
      for (const place of order.subarray(skipped)) yield rows[place]!;
      skipped = 0;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
    await this.#dispose();
  }

  #blockOrder({ trainSamplingStrategy, ...args }: SamplingArguments, epoch: number): Uint32Array {
    const blocks = this.#index.offsets.length - 1;
    const isShuffled = trainSamplingStrategy !== 'sequential' && blocks > kBlocksPerGroup;
    return epochOrder({ ...args, trainSamplingStrategy: isShuffled ? 'random' : 'sequential' }, epoch, blocks);
  }

  async #read(block: number): Promise<PretrainingExample[]> {
    const { offsets, firsts, vocabSize } = this.#index;
    const bytes = new Uint8Array(offsets[block + 1]! - offsets[block]!);
    await readFully(this.#handle, bytes, offsets[block]!, this.#path);
    return decodeBlock(bytes, firsts[block + 1]! - firsts[block]!, vocabSize);
  }
}
