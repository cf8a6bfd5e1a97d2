/** Ends all code points. */
const CODE_POINTS_END = 0x110000;

/** A set of code points as sorted ranges. */
export class CodePointSet {
  /** [start, endExclusive, start, endExclusive, …], ascending. */
  readonly bounds: Int32Array;

  /** `bounds`: ascending and apart. */
  constructor(bounds: Int32Array) {
    this.bounds = bounds;
  }

  /** What the tables hold: "gap length gap length …" in base 36. */
  static decode(encoded: string): CodePointSet {
    let at = 0;
    return new CodePointSet(Int32Array.from(encoded.split(' '), (field) => (at += parseInt(field, 36))));
  }

  /** All code points of some ranges, [start, endExclusive] in any order. */
  static ofRanges(ranges: Iterable<readonly [number, number]>): CodePointSet {
    const bounds: number[] = [];
    for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
      const last = bounds.length - 1;
      if (last > 0 && start <= (bounds[last] as number)) bounds[last] = Math.max(end, bounds[last] as number);
      else bounds.push(start, end);
    }
    return new CodePointSet(Int32Array.from(bounds));
  }

  /** The code points that any of some sets has. */
  static union(sets: readonly CodePointSet[]): CodePointSet {
    const ranges: [number, number][] = [];
    for (const set of sets) set.forEachRange((start, end) => ranges.push([start, end]));
    return CodePointSet.ofRanges(ranges);
  }

  /** The code points, ascending; for small sets. */
  codePoints(): number[] {
    const codePoints: number[] = [];
    this.forEachRange((start, end) => {
      for (let c = start; c < end; c++) codePoints.push(c);
    });
    return codePoints;
  }

  /** All other code points. */
  complement(): CodePointSet {
    const { bounds } = this;
    const startsAtZero = bounds[0] === 0;
    const endsAtLast = bounds.at(-1) === CODE_POINTS_END;
    const inner = [...bounds.subarray(startsAtZero ? 1 : 0, endsAtLast ? -1 : undefined)];
    return new CodePointSet(Int32Array.from([...(startsAtZero ? [] : [0]), ...inner, ...(endsAtLast ? [] : [CODE_POINTS_END])]));
  }

  has(codePoint: number): boolean {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.bounds[middle] as number) <= codePoint) low = middle + 1;
      else high = middle;
    }
    return (low & 1) === 1;
  }

  /** Calls `visit` with each range. */
  forEachRange(visit: (start: number, endExclusive: number) => void): void {
    for (let i = 0; i < this.bounds.length; i += 2) visit(this.bounds[i] as number, this.bounds[i + 1] as number);
  }
}

/** What the tables hold: "gap,target,target,… …" in base 36. */
export function decodeMapping(encoded: string): ReadonlyMap<number, readonly number[]> {
  const mapping = new Map<number, number[]>();
  let codePoint = 0;
  for (const entry of encoded.split(' ')) {
    const [gap, ...targets] = entry.split(',').map((field) => parseInt(field, 36)) as [number, ...number[]];
    codePoint += gap;
    const from = codePoint;
    mapping.set(
      from,
      targets.map((target) => from + target),
    );
  }
  return mapping;
}

/** The code points of a string. */
export function codePointsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}
