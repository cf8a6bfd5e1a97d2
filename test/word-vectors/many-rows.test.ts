import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import type { BerthaError } from '../../src/errors.js';
import { loadWordVectors } from '../../src/word-vectors/index.js';

const t = suite('files of 2^31 rows');
const folder = mkdtempSync(join(tmpdir(), 'bertha-many-rows-'));
t.after(() => rmSync(folder, { recursive: true }));

const kRows = 2 ** 31;

/** A file that begins so and has so many bytes, of which the disk holds the first ones alone. */
function sparseFile(name: string, begin: Uint8Array, bytes: number): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  writeSync(file, begin);
  ftruncateSync(file, bytes);
  closeSync(file);
  return path;
}

/** fastText's header: one word, `bucket` n-gram rows, of which `pruned` are kept, -1 for all. */
function fastTextHeader(bucket: number, maxN: number, pruned: bigint): Uint8Array {
  const header = Buffer.alloc(92);
  // magic, version, dimensions, window, epochs, least count, negatives, word n-grams, loss, model, bucket, n-grams, rate of updates
  [793712314, 12, 1, 5, 5, 1, 5, 1, 2, 2, bucket, 3, maxN, 100].forEach((value, i) => header.writeInt32LE(value, 4 * i));
  header.writeDoubleLE(1e-4, 56);
  [1, 1, 0].forEach((value, i) => header.writeInt32LE(value, 64 + 4 * i)); // entries, words, labels
  header.writeBigInt64LE(1n, 76);
  header.writeBigInt64LE(pruned, 84);
  return header;
}

const files: Readonly<Record<string, () => string>> = {
  'text with a header': () => sparseFile('text.vec', Buffer.from(`${kRows} 2\n`), 6 * kRows),
  'word2vec, binary': () => sparseFile('binary.bin', Buffer.from(`${kRows} 1\n`), 7 * kRows),
  'fastText, one word and 2^31 - 1 n-grams': () => sparseFile('fasttext.bin', fastTextHeader(kRows - 1, 6, -1n), 5 * kRows),
  'fastText, 2^31 n-grams kept': () => sparseFile('pruned.bin', fastTextHeader(100, 6, BigInt(kRows)), 9 * kRows),
  'fastText, 2^31 n-grams kept of none': () => sparseFile('none.bin', fastTextHeader(0, 0, BigInt(kRows)), 9 * kRows),
};

for (const [name, make] of Object.entries(files)) {
  t(`${name}: refused at once, by its header`, async () => {
    const path = make();
    const [begin, before] = [performance.now(), process.memoryUsage().rss];
    const error: BerthaError = await loadWordVectors(path).then(
      () => {
        throw new Error('it was read');
      },
      (reason: unknown) => reason as BerthaError,
    );
    assert.is(error.code, 'VECTORS_FORMAT', error.message);
    assert.ok(error.message.includes(path), error.message);
    assert.ok(performance.now() - begin < 5000, 'within seconds');
    assert.ok(process.memoryUsage().rss - before < 2 ** 28, 'without room for the rows');
  });
}

t.run();
