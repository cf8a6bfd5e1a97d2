import { sigmoid } from './scores.js';

/** What becomes of a logit. */
export type LogitFunction = (logit: number) => number;

const softplus: LogitFunction = (x) => (x > 20 ? x : Math.log1p(Math.exp(x)));
const elu: LogitFunction = (x) => (x > 0 ? x : Math.expm1(x));
const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
/** SELU's published constants. */
const [kSeluScale, kSeluAlpha] = [1.0507009873554805, 1.6732632423543772] as const;

/** Classes of torch.nn as they act on the one logit of a text, built without arguments and not in training. */
const FUNCTIONS: ReadonlyMap<string, LogitFunction> = new Map<string, LogitFunction>([
  ['Identity', (x) => x],
  ['Sigmoid', sigmoid],
  ['LogSigmoid', (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)))],
  ['Tanh', Math.tanh],
  ['Tanhshrink', (x) => x - Math.tanh(x)],
  ['Softsign', (x) => x / (1 + Math.abs(x))],
  ['Softplus', softplus],
  ['ReLU', (x) => Math.max(x, 0)],
  ['ReLU6', (x) => clamp(x, 0, 6)],
  ['LeakyReLU', (x) => (x > 0 ? x : 0.01 * x)],
  ['PReLU', (x) => (x > 0 ? x : 0.25 * x)],
  ['RReLU', (x) => (x > 0 ? x : ((1 / 8 + 1 / 3) / 2) * x)],
  ['ELU', elu],
  ['CELU', elu],
  ['SELU', (x) => kSeluScale * (x > 0 ? x : kSeluAlpha * Math.expm1(x))],
  ['GELU', (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2))],
  ['SiLU', (x) => x * sigmoid(x)],
  ['Mish', (x) => x * Math.tanh(softplus(x))],
  ['Hardtanh', (x) => clamp(x, -1, 1)],
  ['Hardsigmoid', (x) => clamp(x / 6 + 0.5, 0, 1)],
  ['Hardswish', (x) => x * clamp(x / 6 + 0.5, 0, 1)],
  ['Softshrink', (x) => (Math.abs(x) > 0.5 ? x - Math.sign(x) * 0.5 : 0)],
  ['Hardshrink', (x) => (Math.abs(x) > 0.5 ? x : 0)],
  // Over the one label of a row.
  ['Softmax', () => 1],
  ['Softmin', () => 1],
  ['LogSoftmax', () => 0],
]);

/** The function of a torch class, by its full name or as `torch.nn` exports it; undefined for others. */
export function logitFunction(className: string): LogitFunction | undefined {
  const name = /^torch\.nn\.(?:modules\.)?(?:(?:activation|linear)\.)?(\w+)$/.exec(className)?.[1];
  return name === undefined ? undefined : FUNCTIONS.get(name);
}

/** The error function to float64's accuracy: a series of positive terms, which converges wherever erf is not yet 1. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
