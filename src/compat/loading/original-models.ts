import path from 'node:path';
import { readTextFile } from '../../checkpoint/files.js';
import { parseJsonObject } from '../../checkpoint/json-fields.js';
import { resolveModel, type HubOptions } from '../../hub/index.js';
import { warnOnce } from '../../runtime/warn-once.js';

/** Repositories of conversions to ONNX, which have no safetensors. */
const CONVERTERS = ['Xenova', 'onnx-community'];

/** Owners of the models that were converted most, by the owner's names. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'sentence-transformers': [
    'all-MiniLM-L6-v2',
    'all-MiniLM-L12-v2',
    'all-mpnet-base-v2',
    'LaBSE',
    'msmarco-distilbert-base-v4',
    'multi-qa-MiniLM-L6-cos-v1',
    'multi-qa-distilbert-cos-v1',
    'multi-qa-mpnet-base-cos-v1',
    'multi-qa-mpnet-base-dot-v1',
    'paraphrase-MiniLM-L6-v2',
    'paraphrase-multilingual-MiniLM-L12-v2',
  ],
  BAAI: ['bge-small-en-v1.5', 'bge-base-en-v1.5', 'bge-large-en-v1.5', 'bge-small-zh-v1.5', 'bge-base-zh-v1.5', 'bge-large-zh-v1.5'],
  thenlper: ['gte-small', 'gte-base', 'gte-large'],
  intfloat: ['e5-small', 'e5-base', 'e5-large', 'e5-small-v2', 'e5-base-v2', 'e5-large-v2'],
  'google-bert': [
    'bert-base-uncased',
    'bert-base-cased',
    'bert-base-chinese',
    'bert-base-multilingual-cased',
    'bert-base-multilingual-uncased',
  ],
  distilbert: [
    'distilbert-base-uncased',
    'distilbert-base-cased',
    'distilbert-base-multilingual-cased',
    'distilbert-base-uncased-finetuned-sst-2-english',
    'distilbert-base-cased-distilled-squad',
    'distilbert-base-uncased-distilled-squad',
  ],
  typeform: ['distilbert-base-uncased-mnli'],
  dslim: ['bert-base-NER', 'bert-base-NER-uncased'],
  Davlan: ['bert-base-multilingual-cased-ner-hrl', 'distilbert-base-multilingual-cased-ner-hrl'],
  nlptown: ['bert-base-multilingual-uncased-sentiment'],
  unitary: ['toxic-bert'],
  ProsusAI: ['finbert'],
  'cross-encoder': ['ms-marco-MiniLM-L-6-v2', 'ms-marco-MiniLM-L-12-v2', 'ms-marco-TinyBERT-L-2-v2'],
};
const ORIGINALS = new Map(Object.entries(NAMES).flatMap(([owner, names]) => names.map((name) => [name, `${owner}/${name}`])));

/**
 * The repository that an id of `Xenova` or `onnx-community` was converted from: by the table above, else as `_name_or_path` of its
 * config.json says; any other id, and one that says nothing, is undefined. A warning tells of it.
 *
 * Errors: those of `resolveModel`.
 */
export async function findOriginal(id: string, options: HubOptions): Promise<string | undefined> {
  const [owner, name, ...rest] = id.split('/');
  if (!CONVERTERS.includes(owner!) || name === undefined || rest.length > 0) return undefined;
  const original = ORIGINALS.get(name.replace(/-ONNX$/i, '')) ?? (await readOrigin(id, options));
  if (original === undefined) return undefined;
  warnOnce(
    'BERTHA_MODEL',
    id,
    `${JSON.stringify(id)} holds a conversion for ONNX, which Bertha does not read: ${JSON.stringify(original)}, which it was made from, is loaded.`,
  );
  return original;
}

async function readOrigin(id: string, options: HubOptions): Promise<string | undefined> {
  const directory = await resolveModel(id, options, 'tokenizer');
  const file = path.join(directory, 'config.json');
  const text = await readTextFile(file, 1 << 24, 'CONFIG');
  const origin = text === undefined ? undefined : parseJsonObject(text, file, 'CONFIG')['_name_or_path'];
  const isId = typeof origin === 'string' && /^[\w.-]+\/[\w.-]+$/.test(origin) && !origin.startsWith('.');
  return isId && !CONVERTERS.includes(origin.split('/')[0]!) ? origin : undefined;
}
