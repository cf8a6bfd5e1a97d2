import { join } from 'node:path';
import { loadTestAddon } from '../../test/support/test-addon.js';
import { readTensors, type GoldenTensor } from './files.js';
import type { Report } from './report.js';

type Tensors = ReadonlyMap<string, GoldenTensor>;

const floats = (tensors: Tensors, name: string): Float32Array => Float32Array.from(tensors.get(name)!.values);

/** Single ops of the engine against their values in float64. */
export async function compareNumerics(path: string, report: Report): Promise<void> {
  const read = (name: string) => readTensors(join(path, `${name}.safetensors`));
  compareActivations(await read('activations'), report);
  compareLayerNorm(await read('layer_norm'), report);
  compareSoftmax(await read('softmax'), report);
  compareAttention(await read('attention'), report);
  compareLinear(await read('linear'), report);
}

function compareActivations(tensors: Tensors, report: Report): void {
  const input = floats(tensors, 'input');
  for (const [name, expected] of withPrefix(tensors, 'output.')) {
    report.compare(`activations ${name}`, loadTestAddon().ops.activation(name, input), expected);
  }
}

function compareLayerNorm(tensors: Tensors, report: Report): void {
  for (const [name, expected] of withPrefix(tensors, 'output.')) {
    const [width, eps] = name.split('.') as [string, string];
    const [rows, columns] = expected.dims as [number, number];
    const inputs = ['input', 'weight', 'bias'].map((each) => floats(tensors, `${each}.${width}`));
    const actual = loadTestAddon().ops.layerNorm(inputs[0]!, inputs[1]!, inputs[2]!, rows, columns, Number(eps));
    report.compare(`layer_norm ${name}`, actual, expected);
  }
}

/**
 * The engine has softmax inside attention and, as log-sum-exp, inside top-k. A head of one dimension whose queries are 1 and whose keys
 * are the inputs makes attention's scores the softmax of the inputs.
 */
function compareSoftmax(tensors: Tensors, report: Report): void {
  const { ops } = loadTestAddon();
  for (const [name, input] of withPrefix(tensors, 'input.')) {
    const [rows, width] = input.dims as [number, number];
    const values = floats(tensors, `input.${name}`);
    const probabilities = new Float32Array(rows * width);
    const logProbabilities = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const line = values.subarray(row * width, (row + 1) * width);
      const qkv = new Float32Array(3 * width);
      line.forEach((value, key) => qkv.set([1, value, 0], 3 * key));
      const { scores } = ops.attention(qkv, Int32Array.of(0, width), 1, 1, 1, null);
      probabilities.set(scores.subarray(0, width), row * width);
      const [logSum] = ops.topK(line.slice(), 1, width, 1);
      line.forEach((value, i) => (logProbabilities[row * width + i] = value - logSum!));
    }
    report.compare(`softmax ${name}`, probabilities, tensors.get(`output.${name}`)!);
    const expected = tensors.get(`log_output.${name}`)!;
    // Of inputs of 1e4, log-sum-exp itself is 1e4 and rounded as that: its unit of measure is the row's largest value.
    const scale = values.reduce((peak, value) => Math.max(peak, Math.abs(value)), 1);
    const scaled = (array: ArrayLike<number>) => Float64Array.from(array, (value) => value / scale);
    report.compare(`log_softmax ${name}`, scaled(logProbabilities), { ...expected, values: scaled(expected.values) });
  }
}

function compareAttention(tensors: Tensors, report: Report): void {
  const [, , heads, headDim] = tensors.get('qkv')!.dims as [number, number, number, number];
  const bounds = Int32Array.from(tensors.get('cu_seqlens')!.values);
  const { output } = loadTestAddon().ops.attention(floats(tensors, 'qkv'), bounds, heads, headDim, 1 / Math.sqrt(headDim), null);
  report.compare('attention', output, tensors.get('output')!);
}

function compareLinear(tensors: Tensors, report: Report): void {
  const [n, k] = tensors.get('weight')!.dims as [number, number];
  for (const [name, expected] of withPrefix(tensors, 'output.')) {
    const [rows, what] = name.split('.') as [string, string];
    const bias = what.startsWith('bias') ? floats(tensors, 'bias') : null;
    const residual = what === 'bias_residual' ? floats(tensors, `residual.${rows}`) : null;
    const activation = what.startsWith('bias_') && residual === null ? what.slice('bias_'.length) : 'none';
    const [input, weight] = [floats(tensors, `input.${rows}`), floats(tensors, 'weight')];
    report.compare(`linear ${name}`, loadTestAddon().ops.linear(input, weight, bias, residual, activation, Number(rows), n, k), expected);
  }
}

function withPrefix(tensors: Tensors, prefix: string): [string, GoldenTensor][] {
  return [...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, tensor]) => [name.slice(prefix.length), tensor]);
}
