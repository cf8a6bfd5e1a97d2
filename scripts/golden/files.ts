import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { kTokenizerCases } from './tokenizers.js';
import { hasMaskedCases } from './masked.js';
import { hasPieceCases } from './sentencepiece.js';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';

/** One tokenized text as cases.json has it; offsets count code points. */
export interface GoldenSequence {
  readonly input_ids: readonly number[];
  readonly token_type_ids?: readonly number[];
  readonly tokens: readonly string[];
  readonly offsets: readonly (readonly [number, number])[];
}

/** One case of a tiny model: a text, pair or question, its sequences, and for most tasks an answer. */
export interface TinyCase {
  readonly id: string;
  readonly text: string;
  readonly text_pair?: string;
  readonly choices?: readonly string[];
  readonly sequences: readonly GoldenSequence[];
  readonly answer?: unknown;
}

/** cases.json of a tiny model. */
export interface TinyCases {
  readonly model: string;
  readonly class: string;
  readonly task: string;
  readonly cases: readonly TinyCase[];
}

/** One case of a sentence-transformers directory: a row of a tensor. */
export interface SentenceCase extends GoldenSequence {
  readonly id: string;
  readonly tensor: string;
  readonly row: number;
  readonly text: string;
  readonly prompt: string;
}

/** One text of minilm/. */
export interface MinilmCase extends GoldenSequence {
  readonly id: string;
  readonly text: string;
}

/** What a folder holds, told from its files. */
export type GoldenKind =
  'tiny' | 'sentence' | 'sparse' | 'multi-vector' | 'generation' | 'minilm' | 'numerics' | 'tokenizer' | 'sentencepiece' | 'masked';

/** A folder of reference values. */
export interface GoldenFolder {
  readonly kind: GoldenKind;
  /** As its reports call it: its own name and its parent's. */
  readonly name: string;
  readonly path: string;
}

/** cases.json of a folder. */
export function readCases<T>(folder: string): T {
  return JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as T;
}

/** Every folder of reference values at or below `path`, by name. */
export function findGoldenFolders(path: string): GoldenFolder[] {
  const kind = kindOf(path);
  if (kind !== undefined) {
    const name = kind !== 'minilm' && kind !== 'numerics' ? `${basename(dirname(path))}/${basename(path)}` : basename(path);
    return [{ kind, name, path }];
  }
  const folders = readdirSync(path)
    .map((name) => join(path, name))
    .filter((entry) => statSync(entry).isDirectory());
  return folders.sort().flatMap(findGoldenFolders);
}

function kindOf(path: string): GoldenKind | undefined {
  const has = (name: string) => existsSync(join(path, name));
  if (has('layer_norm.safetensors') && has('linear.safetensors')) return 'numerics';
  if (has(kTokenizerCases)) return 'tokenizer';
  if (hasPieceCases(path)) return 'sentencepiece';
  if (hasMaskedCases(path)) return 'masked';
  if (!has('cases.json') || !has('expected.safetensors')) return undefined;
  const cases = readCases<{ readonly kind?: 'sparse' | 'multi-vector' }>(path);
  if (cases.kind !== undefined) return cases.kind;
  if (!has('config.json')) return 'minilm';
  if ('generation' in cases) return 'generation';
  return 'class' in cases ? 'tiny' : 'sentence';
}

/** A tensor of reference values. */
export interface GoldenTensor {
  readonly values: Float32Array | Float64Array | Int32Array;
  readonly dims: readonly number[];
}

/** Every tensor of a file, at the precision it is stored in. */
export async function readTensors(path: string): Promise<Map<string, GoldenTensor>> {
  const file = await SafetensorsFile.open(path);
  try {
    const tensors = new Map<string, GoldenTensor>();
    for (const [name, { dtype, shape }] of file.tensors) {
      const { buffer, byteLength } = await file.read(name);
      if (dtype === 'F64') tensors.set(name, { values: new Float64Array(buffer, 0, byteLength / 8), dims: shape });
      else if (dtype === 'F32') tensors.set(name, { values: new Float32Array(buffer, 0, byteLength / 4), dims: shape });
      else if (dtype === 'I32') tensors.set(name, { values: new Int32Array(buffer, 0, byteLength / 4), dims: shape });
      else throw new Error(`Expected F64, F32 or I32 for ${name} of ${path} but received ${dtype}.`);
    }
    return tensors;
  } finally {
    await file.close();
  }
}
