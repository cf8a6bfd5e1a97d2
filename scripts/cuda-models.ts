// Writes golden models as test/native/cuda/models_test.cc reads them, on machines without Node: program, weights, batch and float64 results
// in one stream of 4-byte little-endian numbers.   node --import tsx scripts/cuda-models.ts
import { mkdirSync, readSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openModelDirectory } from '../src/models/model-directory.js';
import { buildModel } from '../src/models/build-model.js';
import { toNativeProgram } from '../src/models/program/native-program.js';
import type { NativeOp } from '../src/runtime/native.js';
import { readCases, readTensors, type TinyCases } from './golden/files.js';

const root = fileURLToPath(new URL('..', import.meta.url));
// One of each architecture that has kernels' paths of its own: a pooler, narrower embeddings, a relative attention bias; windows, heads that
// turn and gates; slopes.
const models = [
  'golden/tiny/bert-sequence-classification',
  'golden/tiny/electra-sequence-classification',
  'golden/tiny/mpnet-base',
  'golden-families/tiny/modernbert-biases',
  'golden-families/tiny/jina-base',
];

// Numbered as in native/engine/program/ops.h and program.h.
const domainKinds = ['packed', 'sequences', 'pairs', 'constant'];
const kinds = ['matrix', 'table', 'vector'];
const activations = [
  'none',
  'gelu',
  'gelu_tanh',
  'relu',
  'silu',
  'tanh',
  'sigmoid',
  'quick_gelu',
  'relu6',
  'relu_squared',
  'leaky_relu',
  'mish',
];
const modes = ['cls', 'mean', 'max', 'mean_sqrt_len', 'weightedmean', 'lasttoken'];

class Words {
  readonly #parts: Buffer[] = [];
  ints(...values: readonly number[]): void {
    this.#parts.push(Buffer.from(Int32Array.from(values).buffer));
  }
  floats(values: ArrayLike<number>): void {
    this.#parts.push(Buffer.from(Float32Array.from(values).buffer));
  }
  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A name: its length and its characters' codes. */
function nameOf(name: string): number[] {
  return [name.length, ...Array.from(name, (character) => character.charCodeAt(0))];
}

function place(list: readonly string[], name: unknown): number {
  const found = list.indexOf(name as string);
  if (found < 0) throw new Error(`Expected one of ${list.join(', ')} but received ${String(name)}.`);
  return found;
}

/** The op's name, then each of its fields: its name, how many numbers, the numbers. */
function writeOp(words: Words, { op, ...fields }: NativeOp): void {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  words.ints(...nameOf(op), given.length);
  for (const [name, value] of given) {
    const numbers = [value]
      .flat()
      .map((each) => (typeof each === 'string' ? place(name === 'modes' ? modes : activations, each) : Number(each)));
    words.ints(...nameOf(name), numbers.length);
    words.floats(numbers);
  }
}

async function exportModel(golden: string): Promise<void> {
  const path = join(root, 'test', golden);
  const name = basename(golden);
  const sequences = readCases<TinyCases>(path).cases.flatMap(({ id, sequences: list }) =>
    list.map((sequence, i) => ({ name: list.length === 1 ? id : `${id}#${i}`, sequence })),
  );
  const expected = await readTensors(join(path, 'expected.safetensors'));
  const directory = await openModelDirectory(path);
  const { program, encoder } = buildModel(directory, { heads: false });
  const native = toNativeProgram(program);
  const words = new Words();
  const domains = native.domains.map((domain) => domain.name);
  const domainOf = (domain: string | undefined): number => (domain === undefined ? -1 : place(domains, domain));
  words.ints(native.domains.length);
  for (const { name: domain, kind, offsets = '', pairsOf, minRows = 0, maxRows = 0 } of native.domains) {
    words.ints(...nameOf(domain), ...nameOf(offsets), place(domainKinds, kind), domainOf(pairsOf), minRows, maxRows);
  }
  words.ints(native.inputs.length);
  for (const { name: input, rows, width = 1, limit = 0, pointsInto, required = false } of native.inputs) {
    words.ints(...nameOf(input), domainOf(rows), width, limit, domainOf(pointsInto), Number(required));
  }
  words.ints(native.values.length, ...native.values.flatMap((value) => [domainOf(value.rows), value.width]));
  words.ints(native.weights.length, ...native.weights.flatMap((weight) => [place(kinds, weight.kind), weight.rows, weight.cols]));
  words.ints(native.ops.length);
  for (const op of native.ops) writeOp(words, op);
  const lengths = sequences.map(({ sequence }) => sequence.input_ids.length);
  words.ints(sequences.length, ...lengths);
  for (const { sequence } of sequences) words.ints(...sequence.input_ids);
  for (const { sequence } of sequences) words.ints(...(sequence.token_type_ids ?? sequence.input_ids.map(() => 0)));
  const wanted = [
    { id: encoder.hiddenStates.at(-1)!.id, tensor: 'last_hidden_state' },
    ...(encoder.poolerOutput === undefined ? [] : [{ id: encoder.poolerOutput.id, tensor: 'pooler_output' }]),
  ];
  words.ints(wanted.length);
  for (const { id, tensor } of wanted) {
    const values = sequences.flatMap((each) => Array.from(expected.get(`${tensor}.${each.name}`)!.values));
    words.ints(id, values.length);
    words.floats(values);
  }
  for (const weight of native.weights) {
    for (const { fd, offset, dtype, rows: count } of weight.parts) {
      if (dtype !== 'F32') throw new Error(`Expected a model in F32 but ${name} has ${dtype}.`);
      const data = Buffer.alloc(4 * (weight.kind === 'vector' ? count : count * weight.cols));
      readSync(fd, data, 0, data.length, offset);
      words.floats(new Float32Array(data.buffer, data.byteOffset, data.length / 4));
    }
  }
  await directory.close();
  const bytes = words.bytes();
  const folder = join(root, 'test', 'native', 'cuda', 'models');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.bin`), bytes);
  process.stdout.write(`${name}: ${bytes.length} bytes, ${sequences.length} texts\n`);
}

for (const name of models) await exportModel(name);
