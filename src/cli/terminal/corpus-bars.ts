import type { WordPieceProgress } from '../../pretraining/index.js';
import { stopBar } from './bars.js';
import { startBar } from './progress.js';

/** A bar for each phase, where a person may be watching. */
export class VocabularyBars {
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

/** A bar while a corpus is read, where a person may be watching; it ends with the last byte. */
export class ReadingBar {
  #bar: ReturnType<typeof startBar> | undefined;

  show(bytes: number, total: number | undefined): void {
    if (total === undefined || !process.stderr.isTTY) return;
    if (bytes >= total) return this.stop();
    this.#bar ??= startBar('reading {bar} {percentage}%, {eta_formatted} left', total, 0);
    this.#bar.update(bytes);
  }

  stop(): void {
    if (this.#bar !== undefined) stopBar(this.#bar);
    this.#bar = undefined;
  }
}
