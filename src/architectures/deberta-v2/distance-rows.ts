/** How distances share the rows of a table. */
export interface DistanceBuckets {
  /** Rows of the table in either direction. */
  readonly span: number;
  /** Distances beyond half of them share rows, logarithmically; 0: none do. */
  readonly buckets: number;
  /** Distances from this one on are one. */
  readonly longest: number;
}

/** [2 · longest input - 1]: the row of the table for each distance from query to key, the most negative first. */
export function distanceRows({ span, buckets, longest }: DistanceBuckets, longestInput: number): number[] {
  return Array.from({ length: 2 * longestInput - 1 }, (_, i) => {
    const distance = i - (longestInput - 1);
    const bucket = buckets > 0 ? logBucket(distance, buckets, longest) : distance;
    return Math.min(Math.max(bucket + span, 0), 2 * span - 1);
  });
}

/** The distance itself up to half of the buckets, beyond that logarithmically; rounded to float32 as transformers does, since `ceil` shows the last bit. */
function logBucket(distance: number, buckets: number, longest: number): number {
  const middle = Math.trunc(buckets / 2);
  const size = Math.abs(distance);
  if (size <= middle) return distance;
  const log = (x: number): number => Math.fround(Math.log(Math.fround(x)));
  const share = Math.fround(log(size / middle) / log((longest - 1) / middle));
  return Math.sign(distance) * (Math.ceil(Math.fround(share * (middle - 1))) + middle);
}
