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
