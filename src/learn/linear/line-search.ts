// The line search of Moré and Thuente (ACM TOMS 20, 1994), with the constants that L-BFGS-B gives it.

/** A point on the line: the step, the value and the derivative there. */
export interface LinePoint {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

const kDecrease = 1e-3;
const kCurvature = 0.9;
const kInterval = 0.1;
const kMostStep = 1e10;
const kMostEvaluations = 50;
/** Relative differences of values that rounding may make. */
const kRounding = 8 * Number.EPSILON;

/**
 * Looks for a step that decreases the value enough, from `start` (step 0), first at `step`. `evaluate` gives value and slope at a step.
 * Undefined when there is none, or when the slope at the start does not fall.
 */
export async function lineSearch(
  start: LinePoint,
  step: number,
  evaluate: (step: number) => Promise<LinePoint>,
): Promise<LinePoint | undefined> {
  if (start.slope >= 0) return undefined;
  const wanted = kDecrease * start.slope;
  let [best, other] = [start, start];
  let isBracketed = false;
  let isFirstStage = true;
  let width = kMostStep;
  let lastWidth = 2 * width;
  let [low, high] = [0, step + 4 * step];
  for (let evaluations = 0; evaluations < kMostEvaluations; evaluations++) {
    const point = await evaluate(step);
    const bound = start.value + step * wanted;
    // Where rounding hides the decrease, the slope alone says how far to go (Hager & Zhang, SIAM J. Optim. 16, 2005).
    const isHidden = Math.abs(point.value - start.value) <= kRounding * Math.abs(start.value);
    if (isFirstStage && point.value <= bound && point.slope >= 0) isFirstStage = false;
    if ((isHidden || point.value <= bound) && Math.abs(point.slope) <= kCurvature * -start.slope) return point;
    if (isBracketed && (step <= low || step >= high || high - low <= kInterval * high)) return undefined;
    if (step === kMostStep && point.value <= bound && point.slope <= wanted) return point;
    const isModified = isFirstStage && point.value <= best.value && point.value > bound;
    const tilt = (p: LinePoint, sign: number): LinePoint =>
      isModified ? { step: p.step, value: p.value - sign * p.step * wanted, slope: p.slope - sign * wanted } : p;
    const next = cubicStep(tilt(best, 1), tilt(other, 1), tilt(point, 1), isBracketed, low, high);
    best = tilt(next.best, -1);
    other = tilt(next.other, -1);
    isBracketed = next.isBracketed;
    step = next.step;
    if (isBracketed) {
      if (Math.abs(other.step - best.step) >= 0.66 * lastWidth) step = best.step + 0.5 * (other.step - best.step);
      lastWidth = width;
      width = Math.abs(other.step - best.step);
      [low, high] = [Math.min(best.step, other.step), Math.max(best.step, other.step)];
    } else {
      [low, high] = [step + 1.1 * (step - best.step), step + 4 * (step - best.step)];
    }
    step = Math.min(Math.max(step, 0), kMostStep);
    if (isBracketed && (step <= low || step >= high || high - low <= kInterval * high)) step = best.step;
  }
  return undefined;
}

interface Interval {
  readonly best: LinePoint;
  readonly other: LinePoint;
  readonly isBracketed: boolean;
  readonly step: number;
}

/** The next step from the ends of the interval and a point between or beyond: by cubic and quadratic interpolation. */
function cubicStep(best: LinePoint, other: LinePoint, point: LinePoint, isBracketed: boolean, low: number, high: number): Interval {
  const opposite = point.slope * (best.slope / Math.abs(best.slope));
  const theta = (3 * (best.value - point.value)) / (point.step - best.step) + best.slope + point.slope;
  const scale = Math.max(Math.abs(theta), Math.abs(best.slope), Math.abs(point.slope));
  const root = (slope: number): number => (theta / scale) ** 2 - (best.slope / scale) * (slope / scale);
  let step: number;
  if (point.value > best.value) {
    const gamma = scale * Math.sqrt(root(point.slope)) * (point.step < best.step ? -1 : 1);
    const ratio = (gamma - best.slope + theta) / (gamma - best.slope + gamma + point.slope);
    const cubic = best.step + ratio * (point.step - best.step);
    const quadratic =
      best.step + (best.slope / ((best.value - point.value) / (point.step - best.step) + best.slope) / 2) * (point.step - best.step);
    step = Math.abs(cubic - best.step) < Math.abs(quadratic - best.step) ? cubic : cubic + (quadratic - cubic) / 2;
    isBracketed = true;
  } else if (opposite < 0) {
    const gamma = scale * Math.sqrt(root(point.slope)) * (point.step > best.step ? -1 : 1);
    const cubic = point.step + ((gamma - point.slope + theta) / (gamma - point.slope + gamma + best.slope)) * (best.step - point.step);
    const secant = point.step + (point.slope / (point.slope - best.slope)) * (best.step - point.step);
    step = Math.abs(cubic - point.step) > Math.abs(secant - point.step) ? cubic : secant;
    isBracketed = true;
  } else if (Math.abs(point.slope) < Math.abs(best.slope)) {
    const gamma = scale * Math.sqrt(Math.max(0, root(point.slope))) * (point.step > best.step ? -1 : 1);
    const ratio = (gamma - point.slope + theta) / (gamma + (best.slope - point.slope) + gamma);
    const beyond = point.step > best.step ? high : low;
    const cubic = ratio < 0 && gamma !== 0 ? point.step + ratio * (best.step - point.step) : beyond;
    const secant = point.step + (point.slope / (point.slope - best.slope)) * (best.step - point.step);
    const isCubicNear = Math.abs(cubic - point.step) < Math.abs(secant - point.step);
    if (isBracketed) {
      step = isCubicNear ? cubic : secant;
      const limit = point.step + 0.66 * (other.step - point.step);
      step = point.step > best.step ? Math.min(limit, step) : Math.max(limit, step);
    } else {
      step = Math.min(Math.max(isCubicNear ? secant : cubic, low), high);
    }
  } else if (isBracketed) {
    const theta2 = (3 * (point.value - other.value)) / (other.step - point.step) + other.slope + point.slope;
    const scale2 = Math.max(Math.abs(theta2), Math.abs(other.slope), Math.abs(point.slope));
    const inner = (theta2 / scale2) ** 2 - (other.slope / scale2) * (point.slope / scale2);
    const gamma = scale2 * Math.sqrt(inner) * (point.step > other.step ? -1 : 1);
    step = point.step + ((gamma - point.slope + theta2) / (gamma - point.slope + gamma + other.slope)) * (other.step - point.step);
  } else {
    step = point.step > best.step ? high : low;
  }
  if (point.value > best.value) return { best, other: point, isBracketed, step };
  return { best: point, other: opposite < 0 ? best : other, isBracketed, step };
}
