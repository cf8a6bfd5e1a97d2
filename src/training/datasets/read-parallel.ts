import { unexpected } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { readLines as linesOf, type Line } from '../../text-files/lines.js';
import { chunksOf, fileDataset, type FileDataset } from './file-dataset.js';
import { notePlace, type Row } from './row.js';

/**
 * A row `{ source, target }` for each line of two files of equally many lines, as parallel corpora are kept. Lines that are blank in both are passed over.
 *
 * Errors: INVALID_OPTION; while reading: DATASET (one file has more lines), EMPTY_INPUT, INPUT_TOO_LARGE, IO.
 */
export function readParallel(source: FilePath, target: FilePath): FileDataset<Row> {
  const other = filePath(target, 'the second file of readParallel');
  return fileDataset('readParallel', source, async function* (chunks, name) {
    const targets = new LineQueue(linesOf(chunksOf(other), other));
    let last = 0;
    for await (const lines of linesOf(chunks, name)) {
      const rows: Row[] = [];
      for (const { text, number } of lines) {
        last = number;
        const line = await targets.next();
        if (line === undefined) throw unexpected('DATASET', `a line ${number} in ${other}, beside that of ${name}`, `${number - 1} lines`);
        if (text.trim() === '' && line.text.trim() === '') continue;
        rows.push(notePlace({ source: text, target: line.text }, name, number));
      }
      yield rows;
    }
    const more = await targets.next();
    if (more !== undefined) throw unexpected('DATASET', `${last} lines in ${other}, as in ${name}`, `a line ${more.number}`);
  });
}

/** Blocks of lines, one after the other. */
class LineQueue {
  readonly #blocks: AsyncIterator<readonly Line[]>;
  #block: readonly Line[] = [];
  #next = 0;

  constructor(blocks: AsyncIterable<readonly Line[]>) {
    this.#blocks = blocks[Symbol.asyncIterator]();
  }

  /** undefined behind the last. */
  async next(): Promise<Line | undefined> {
    while (this.#next >= this.#block.length) {
      const { done, value } = await this.#blocks.next();
      if (done === true) return undefined;
      [this.#block, this.#next] = [value, 0];
    }
    return this.#block[this.#next++];
  }
}
