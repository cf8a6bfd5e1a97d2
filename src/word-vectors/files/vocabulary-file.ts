import { unexpected } from '../../expected.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { NativeWordVectors } from '../../runtime/words/native-words.js';
import { readLines } from '../../text-files/lines.js';
import { nativeWords } from '../native-words.js';
import { readChunks } from './read-chunks.js';

/**
 * Reads the counts of words from lines "word count"; words that the vectors lack are passed over.
 *
 * Errors: IO, VECTORS_FORMAT with the line, the signal's reason.
 */
export async function readVocabulary(path: string, vectors: NativeWordVectors, signal: AbortSignal | undefined): Promise<void> {
  const native = nativeWords();
  const budget = new Budget(signal);
  for await (const lines of readLines(readChunks(path), path)) {
    for (const { text, number } of lines) {
      const [, word, count] = /^(.+)[ \t](\d{1,15})[ \t]*$/su.exec(text) ?? [];
      if (word === undefined)
        throw unexpected('VECTORS_FORMAT', `a word and its count in line ${number} of ${path}`, JSON.stringify(text.slice(0, 60)));
      const row = native.indexOf(vectors, word);
      if (row >= 0) native.setCount(vectors, row, Number(count));
      if (budget.isSpent) await budget.yield();
    }
  }
}
