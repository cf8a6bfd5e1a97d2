/** What `onProgress` hears, in the shapes of transformers.js: one file's way from `initiate` to `done`, and the sum over all files. */
export type ProgressEvent =
  { readonly status: 'initiate' | 'download' | 'done'; readonly name: string; readonly file: string } | FileProgress | TotalProgress;

/** How far a file is; `progress` in percent, the others in bytes. */
export interface FileProgress {
  readonly status: 'progress';
  readonly name: string;
  readonly file: string;
  readonly progress: number;
  readonly loaded: number;
  readonly total: number;
}

/** How far all files are of which a download is known to be needed. */
export interface TotalProgress {
  readonly status: 'progress_total';
  readonly name: string;
  readonly progress: number;
  readonly loaded: number;
  readonly total: number;
  readonly files: Readonly<Record<string, { readonly loaded: number; readonly total: number }>>;
}

/** A file tells of itself at most so often, and at its end. */
const kIntervalMs = 50;

/** Turns what a download does into events. */
export class Progress {
  readonly #name: string;
  readonly #tell: ((event: ProgressEvent) => void) | undefined;
  readonly #files = new Map<string, { loaded: number; total: number }>();
  readonly #toldAt = new Map<string, number>();

  constructor(name: string, tell: ((event: ProgressEvent) => void) | undefined) {
    this.#name = name;
    this.#tell = tell;
  }

  /** Counts a file in the sum before its turn comes. */
  expect(file: string, total: number): void {
    this.#files.set(file, { loaded: 0, total });
  }

  begin(file: string, total: number): void {
    this.expect(file, total);
    this.#tell?.({ status: 'initiate', name: this.#name, file });
    this.#tell?.({ status: 'download', name: this.#name, file });
  }

  /** `loaded` counts from the file's beginning, so that what an earlier download left behind counts too. */
  advance(file: string, loaded: number, total: number): void {
    this.#files.set(file, { loaded, total });
    const now = performance.now();
    if (this.#tell === undefined || (loaded < total && now - (this.#toldAt.get(file) ?? -Infinity) < kIntervalMs)) return;
    this.#toldAt.set(file, now);
    this.#tell({ status: 'progress', name: this.#name, file, progress: percent(loaded, total), loaded, total });
    const sums = { loaded: 0, total: 0 };
    for (const each of this.#files.values()) {
      sums.loaded += each.loaded;
      sums.total += each.total;
    }
    const files = Object.fromEntries(Array.from(this.#files, ([key, value]) => [key, { ...value }]));
    this.#tell({ status: 'progress_total', name: this.#name, progress: percent(sums.loaded, sums.total), ...sums, files });
  }

  finish(file: string): void {
    this.#tell?.({ status: 'done', name: this.#name, file });
  }
}

function percent(loaded: number, total: number): number {
  return total === 0 ? 100 : (loaded / total) * 100;
}
