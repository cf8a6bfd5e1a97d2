/** Pieces of a Unigram model as they are read, one after the other: columns that grow. */
export class PieceColumns {
  /** Pieces end to end, and what was written of the next one. */
  units: Uint16Array;
  /** [pieces + 1]: where they begin. */
  starts: Int32Array;
  /** [pieces] */
  scores: Float64Array;
  size = 0;

  /** `capacity`: how many pieces are expected. */
  constructor(capacity: number) {
    this.units = new Uint16Array(8 * capacity + 1);
    this.starts = new Int32Array(capacity + 1);
    this.scores = new Float64Array(capacity);
  }

  /** Ends the piece that was written to `units` up to `end`. */
  push(end: number, score: number): void {
    const id = this.size;
    if (id === this.scores.length) {
      this.starts = grown(this.starts, new Int32Array(2 * id + 2));
      this.scores = grown(this.scores, new Float64Array(2 * id + 1));
    }
    this.starts[id + 1] = end;
    this.scores[id] = score;
    this.size = id + 1;
  }

  /** Makes room for `end` units and more; returns `units`. */
  growUnits(end: number): Uint16Array {
    return (this.units = grown(this.units, new Uint16Array(2 * end)));
  }
}

function grown<T extends Uint16Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
