/** Words as runs of pieces, which merging shortens. */
export class WordPieces {
  /** Pieces of all words end to end. */
  readonly #pieces: Int32Array;
  /** [words + 1] */
  readonly #starts: Int32Array;
  /** [words] */
  readonly #lengths: Int32Array;

  constructor(pieces: Int32Array, starts: Int32Array) {
    this.#pieces = pieces;
    this.#starts = starts;
    this.#lengths = Int32Array.from({ length: starts.length - 1 }, (_, word) => starts[word + 1]! - starts[word]!);
  }

  /** How many words there are. */
  get size(): number {
    return this.#lengths.length;
  }

  /** Calls `visit` for each two neighbours of a word. */
  forEachPair(word: number, visit: (left: number, right: number) => void): void {
    const start = this.#starts[word]!;
    const end = start + this.#lengths[word]!;
    for (let i = start; i + 1 < end; i++) visit(this.#pieces[i]!, this.#pieces[i + 1]!);
  }

  /**
   * Puts `merged` in place of `left` and `right` wherever they are neighbours, from the left. Calls `change` for each pair that this
   * takes away (-1) or makes (1), but not for the merged pair itself.
   */
  merge(word: number, left: number, right: number, merged: number, change: (left: number, right: number, by: 1 | -1) => void): void {
    const pieces = this.#pieces;
    const start = this.#starts[word]!;
    const end = start + this.#lengths[word]!;
    let to = start;
    for (let from = start; from < end; from++) {
      const isMerged = pieces[from] === left && from + 1 < end && pieces[from + 1] === right;
      if (!isMerged) {
        pieces[to++] = pieces[from]!;
        continue;
      }
      from++;
      if (to > start) {
        change(pieces[to - 1]!, left, -1);
        change(pieces[to - 1]!, merged, 1);
      }
      pieces[to++] = merged;
      if (from + 1 < end) {
        change(right, pieces[from + 1]!, -1);
        change(merged, pieces[from + 1]!, 1);
      }
    }
    this.#lengths[word] = to - start;
  }
}
