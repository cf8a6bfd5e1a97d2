import type { IndexProgress } from '../indexing/index-documents.js';

/** Between two lines where nobody watches, and between two states of a terminal's line. */
const kLineMs = 10_000;
const kTerminalMs = 200;

/** Says on standard error how far a run is: on a terminal in one line, else in a line now and then. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #begin = performance.now();
  #last = performance.now();

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show(progress: IndexProgress): void {
    const now = performance.now();
    if (now - this.#last < (this.#stream.isTTY ? kTerminalMs : kLineMs)) return;
    this.#last = now;
    const line = progressText(progress, (now - this.#begin) / 1000);
    this.#stream.write(this.#stream.isTTY ? `\r\u001b[2K${line}` : `${line}\n`);
  }

  stop(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[2K');
  }
}

/** How far a run is, its rate and the time left. */
export function progressText({ done, total, documents, embedded }: IndexProgress, seconds: number): string {
  const rate = seconds > 0 ? embedded / seconds : 0;
  const share = total === undefined || total === 0 ? '' : `${Math.floor((100 * done) / total)} %, `;
  const left = total === undefined || done === 0 ? '' : `, ${duration((seconds * (total - done)) / done)} left`;
  return `${share}${documents} documents, ${embedded} chunks embedded, ${rate.toFixed(0)}/s${left}`;
}

/** Seconds as 42 s, 3 min or 2 h 5 min. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
