/** What one update, or neighbouring updates together, looked like: the last one's step and learning rate, the mean loss and gradient norm. */
export interface StepPoint {
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly gradNorm: number;
}

/** Points that a curve keeps at most: more than a screen has columns for. */
const kMost = 1000;

/** A run's updates, each a point until there are too many, then two, four … of them together. */
export class StepCurve {
  #width = 1;
  #points: StepPoint[] = [];
  /** Updates that are no whole point yet. */
  #open: StepPoint[] = [];

  add(point: StepPoint): void {
    this.#open.push(point);
    if (this.#open.length < this.#width) return;
    this.#points.push(mean(this.#open));
    this.#open = [];
    if (this.#points.length < kMost) return;
    this.#points = Array.from({ length: kMost / 2 }, (_, i) => mean(this.#points.slice(2 * i, 2 * i + 2)));
    this.#width *= 2;
  }

  /** All points, in order. */
  get points(): readonly StepPoint[] {
    return this.#open.length === 0 ? this.#points : [...this.#points, mean(this.#open)];
  }

  /** What a checkpoint keeps; JSON. */
  save(): Readonly<Record<string, unknown>> {
    return { width: this.#width, points: this.#points, open: this.#open };
  }

  /** Takes what `save` gave. */
  restore({ width, points, open }: Readonly<Record<string, unknown>>): void {
    if (typeof width !== 'number' || !Array.isArray(points) || !Array.isArray(open)) return;
    this.#width = width;
    this.#points = [...(points as StepPoint[])];
    this.#open = [...(open as StepPoint[])];
  }
}

function mean(points: readonly StepPoint[]): StepPoint {
  const of = (value: (point: StepPoint) => number) => points.reduce((sum, point) => sum + value(point), 0) / points.length;
  return { ...points.at(-1)!, loss: of(({ loss }) => loss), gradNorm: of(({ gradNorm }) => gradNorm) };
}
