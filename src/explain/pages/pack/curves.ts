import type { TrainingCurve, TrainingCurves } from '../../training/training-curves.js';
import type { TrainingBody } from '../data.js';

/** Stretches of a curve that is longer than twice as many points. */
const kStretches = 500;

/** A path of more than two parts, of which a page tells the last two: nobody needs to know where its author keeps files. */
const kQuotedPath = /"[^"]*[\\/]([^"\\/]+[\\/]+[^"\\/]+)"/;

/** Curves as a page holds them: runs by as little of their paths as tells them apart, long curves thinned. */
export function curvesBody({ curves, warnings }: TrainingCurves): TrainingBody {
  const names = shortNames([...new Set(curves.map(({ run }) => run))]);
  return {
    curves: curves.map((curve) => {
      const kept = placesOf(curve);
      return {
        run: names.get(curve.run)!,
        name: curve.name,
        steps: kept.map((place) => curve.steps[place]!),
        values: kept.map((place) => (Number.isFinite(curve.values[place]) ? Number(curve.values[place]!.toPrecision(6)) : null)),
      };
    }),
    warnings: warnings.map((warning) => warning.replace(kQuotedPath, '"$1"')),
  };
}

/** All places, or of many the first, the last and those of the least and the largest number of each stretch; a stretch without numbers is a gap. */
function placesOf({ values }: TrainingCurve): number[] {
  const count = values.length;
  if (count <= 2 * kStretches) return [...values.keys()];
  const kept = new Set([0]);
  for (let stretch = 0; stretch < kStretches; stretch++) {
    const [from, to] = [stretch, stretch + 1].map((edge) => Math.floor((edge * count) / kStretches)) as [number, number];
    let [least, most] = [from, from];
    for (let place = from; place < to; place++) {
      if (!(values[place]! >= values[least]!) && !Number.isNaN(values[place])) least = place;
      if (!(values[place]! <= values[most]!) && !Number.isNaN(values[place])) most = place;
    }
    for (const place of [Math.min(least, most), Math.max(least, most)]) kept.add(place);
  }
  return [...kept.add(count - 1)];
}

/** The last parts of paths, as many as it takes for all to differ. */
function shortNames(paths: readonly string[]): ReadonlyMap<string, string> {
  const parts = paths.map((path) => path.split(/[\\/]/).filter((part) => part !== ''));
  const longest = Math.max(0, ...parts.map(({ length }) => length));
  for (let count = 1; ; count++) {
    const names = parts.map((own) => own.slice(-count).join('/'));
    if (new Set(names).size === names.length || count >= longest) return new Map(paths.map((path, i) => [path, names[i]!]));
  }
}
