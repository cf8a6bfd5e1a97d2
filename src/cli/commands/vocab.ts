import { trainWordPiece } from '../../pretraining/index.js';
import { VocabularyBars } from '../terminal/corpus-bars.js';

/** The flags of `bertha vocab`, as commander hands them over. */
export interface VocabFlags {
  readonly output: string;
  readonly vocabSize?: number;
  readonly minFrequency?: number;
  readonly limitAlphabet?: number;
  readonly lowercase?: boolean;
  readonly stripAccents?: boolean;
  readonly handleChineseChars?: boolean;
}

/** Learns a WordPiece vocabulary from files of text and writes the tokenizer. */
export async function vocab(files: readonly string[], { output, ...options }: VocabFlags): Promise<void> {
  const progress = new VocabularyBars();
  const learned = await trainWordPiece(files, { ...options, onProgress: (state) => progress.show(state) }).finally(() => progress.stop());
  await learned.save(output);
  const { total, different } = learned.words;
  process.stdout.write(`${output}: ${learned.tokens.length} tokens from ${total} words, ${different} different ones\n`);
}
