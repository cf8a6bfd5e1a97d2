import type { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { quote, quotePath } from './describe.js';
import { readTextFile } from './files.js';
import { SafetensorsFile, type TensorInfo } from './safetensors/safetensors.js';

/** Expected values of one layer: rows of all texts end to end, [texts, width] of vectors and [tokens of all texts, width] of states. */
export interface ReferenceLayer {
  readonly data: Float32Array;
  readonly rows: number;
  readonly width: number;
}

/** What a file expects of a model. */
export interface Reference {
  /** The texts, where the file has them. */
  readonly texts?: readonly string[];
  /** A vector for each text. */
  readonly embeddings?: ReferenceLayer;
  /** By number: 0 is what enters the first layer. */
  readonly hiddenStates: ReadonlyMap<number, ReferenceLayer>;
}

const kMaxBytes = 1 << 28;

/**
 * Reads expected values: a safetensors file with `embeddings` [texts, width] and `hidden_states.N` [tokens of all texts, width], or a
 * .jsonl file with an object a line: `embedding`, an array of numbers, and perhaps `text` and `hidden_states`, [layers + 1, tokens, width].
 * Both are what `bertha embed` writes.
 *
 * Errors: IO, REFERENCE (what was expected where), and those of a safetensors header.
 */
export async function readReference(path: string): Promise<Reference> {
  const reference = /\.(jsonl|ndjson)$/.test(path) ? await readJsonLines(path) : await readTensors(path);
  if (reference.embeddings === undefined && reference.hiddenStates.size === 0) {
    throw wrong(path, 'embeddings or hidden_states', 'neither');
  }
  return reference;
}

async function readTensors(path: string): Promise<Reference> {
  const file = await SafetensorsFile.open(path);
  try {
    const layer = async ({ name, shape }: TensorInfo): Promise<ReferenceLayer> => {
      const [rows, width] = shape;
      if (rows === undefined || width === undefined || shape.length !== 2)
        throw wrong(path, `two dimensions for ${quote(name)}`, `[${shape.join(', ')}]`);
      return { data: await file.readFloat32(name), rows, width };
    };
    const embeddings = file.tensors.get('embeddings');
    const hiddenStates = new Map<number, ReferenceLayer>();
    for (const [name, tensor] of file.tensors) {
      const number = /^hidden_states\.(\d{1,4})$/.exec(name)?.[1];
      if (number !== undefined) hiddenStates.set(Number(number), await layer(tensor));
    }
    return { hiddenStates, ...(embeddings === undefined ? {} : { embeddings: await layer(embeddings) }) };
  } finally {
    await file.close();
  }
}

async function readJsonLines(path: string): Promise<Reference> {
  const content = await readTextFile(path, kMaxBytes, 'REFERENCE');
  if (content === undefined) throw unexpected('IO', 'a file of reference values', `${quotePath(path)}, which is not there`);
  const lines = content.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, `line ${i + 1}`, path)]));
  const texts = lines.flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
  const vectors = lines.flatMap(({ embedding }) => (embedding === undefined ? [] : [embedding]));
  for (const [what, count] of [
    ['text', texts.length],
    ['embedding', vectors.length],
  ] as const) {
    if (count !== 0 && count !== lines.length) throw wrong(path, `${quote(what)} in all ${lines.length} lines or in none`, `${count}`);
  }
  const numLayers = new Set(lines.map(({ states }) => states.length));
  if (numLayers.size > 1) throw wrong(path, 'as many hidden_states in every line', [...numLayers].join(' and '));
  const hiddenStates = new Map(
    Array.from({ length: lines[0]?.states.length ?? 0 }, (_, layer) => [
      layer,
      stack(
        lines.flatMap(({ states }) => states[layer]!),
        `hidden_states[${layer}]`,
        path,
      ),
    ]),
  );
  return {
    hiddenStates,
    ...(texts.length === 0 ? {} : { texts }),
    ...(vectors.length === 0 ? {} : { embeddings: stack(vectors, 'embedding', path) }),
  };
}

interface ReferenceLine {
  readonly text: unknown;
  readonly embedding: readonly number[] | undefined;
  readonly states: readonly (readonly (readonly number[])[])[];
}

function parseLine(line: string, where: string, path: string): ReferenceLine {
  let object: unknown;
  try {
    object = JSON.parse(line);
  } catch {
    object = undefined;
  }
  if (typeof object !== 'object' || object === null) throw wrong(path, `a JSON object in ${where}`, quote(line.slice(0, 40)));
  const { text, embedding, hidden_states: states = [] } = object as Readonly<Record<string, unknown>>;
  if (embedding !== undefined && !isNumbers(embedding))
    throw wrong(path, `an array of numbers for embedding in ${where}`, 'something else');
  const isNested = Array.isArray(states) && states.every((layer) => Array.isArray(layer) && layer.every(isNumbers));
  if (!isNested) throw wrong(path, `arrays [layers + 1, tokens, width] for hidden_states in ${where}`, 'something else');
  return { text, embedding, states: states as ReferenceLine['states'] };
}

function stack(rows: readonly (readonly number[])[], name: string, path: string): ReferenceLayer {
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    if (row.length !== width) throw wrong(path, `${width} numbers in every row of ${name}`, `${row.length}`);
    data.set(row, i * width);
  });
  return { data, rows: rows.length, width };
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number');
}

function wrong(path: string, expected: string, got: string): BerthaError {
  return unexpected('REFERENCE', `${expected} in ${quotePath(path)}`, got);
}
