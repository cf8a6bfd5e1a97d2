import { trainWordPiece, type WordPieceProgress } from '../../pretraining/index.js';
import { stopBar } from '../terminal/bars.js';
import { startBar } from '../terminal/progress.js';

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
  const progress = new Bars();
  const learned = await trainWordPiece(files, { ...options, onProgress: (state) => progress.show(state) }).finally(() => progress.stop());
  await learned.save(output);
  const { total, different } = learned.words;
  process.stdout.write(`${output}: ${learned.tokens.length} tokens from ${total} words, ${different} different ones\n`);
}

/** A bar for each phase, where a person may be watching. */
class Bars {
  #phase: WordPieceProgress['phase'] | undefined;
  #bar: ReturnType<typeof startBar> | undefined;

  show({ phase, done, total }: WordPieceProgress): void {
    if (total === undefined || !process.stderr.isTTY) return;
    if (phase !== this.#phase) {
      this.stop();
      const what = phase === 'count' ? 'reading' : 'joining pieces';
      this.#bar = startBar(`${what} {bar} {percentage}%, {eta_formatted} left`, total, 0);
      this.#phase = phase;
    }
    this.#bar?.update(done);
  }

  stop(): void {
    if (this.#bar !== undefined) stopBar(this.#bar);
    this.#bar = undefined;
  }
}
