/** A number with its sign and three places, the sign as wide as a plus. */
export function signed(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const text = Math.abs(value).toFixed(3);
  return `${value < 0 && Number(text) !== 0 ? '−' : '+'}${text}`;
}

/** A number of three places. */
export function fixed(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const text = Math.abs(value).toFixed(3);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** A number of any size in four places. */
export function short(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : String(Number(value.toPrecision(4))).replace('-', '−');
}

/** A share of 1 in per cent. */
export function percent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined || !Number.isFinite(share) ? '–' : `${(100 * share).toFixed(digits)} %`;
}

/** The largest absolute value, at least a little above 0. */
export function largestOf(values: Iterable<number>): number {
  let largest = 1e-12;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** Round numbers from at most `least` to at least `most`, about `count` of them. */
export function ticks(least: number, most: number, count = 5): number[] {
  const raw = (most - least || 1) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((each) => each * power >= raw) ?? 10);
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first) + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
