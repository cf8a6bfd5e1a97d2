import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ErrorCode } from '../errors.js';
import { unexpected } from '../expected.js';
import { MAX_CONFIG_BYTES, readSmallFile, readTextFile } from './files.js';
import { JsonFields, parseJsonObject } from './json-fields.js';

/** Contents of a model's tokenizer files; absent ones are absent. */
export interface TokenizerFiles {
  readonly tokenizerJson?: string;
  /** vocab.txt. */
  readonly vocab?: string;
  /** vocab.json and merges.txt, of byte-level BPE. */
  readonly vocabJson?: string;
  readonly merges?: string;
  /** Of a pair of languages: source.spm, target.spm and target_vocab.json, beside vocab.json. */
  readonly sourceSpm?: Uint8Array;
  readonly targetSpm?: Uint8Array;
  readonly targetVocabJson?: string;
  /** spiece.model of BertGeneration. */
  readonly spiece?: Uint8Array;
  readonly tokenizerConfig?: string;
  readonly specialTokensMap?: string;
}

// The largest published WordPiece files are 9 MB (tokenizer.json, 500,000 entries) and 6 MB (vocab.txt).
const kMaxTokenizerBytes = 128 << 20;
const kMaxVocabBytes = 64 << 20;
const kSentencePieceFiles = ['sentencepiece.bpe.model', 'spiece.model', 'spm.model', 'sentencepiece.model', 'tokenizer.model'];
const kConvert =
  "To make it: python -c \"from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('.').save_pretrained('.')\"";
/** transformers writes 1e30 for "no limit"; this is where it draws the line itself. */
const kNoLimit = 1e20;

/**
 * Reads the tokenizer files of a model directory as text.
 *
 * Errors: TOKENIZER, VOCAB (too large, not UTF-8, added tokens that nothing else describes), IO.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const read = (name: string, maxBytes: number, code: ErrorCode): Promise<string | undefined> =>
    readTextFile(path.join(folder, name), maxBytes, code);
  const tokenizerJson = await read('tokenizer.json', kMaxTokenizerBytes, 'TOKENIZER');
  // Python never opens it beside a tokenizer.json, so that whatever is wrong with it is no problem.
  const vocab = tokenizerJson === undefined ? await read('vocab.txt', kMaxVocabBytes, 'VOCAB') : undefined;
  const isOther = tokenizerJson === undefined && vocab === undefined;
  const vocabJson = isOther ? await read('vocab.json', kMaxVocabBytes, 'VOCAB') : undefined;
  const merges = vocabJson !== undefined ? await read('merges.txt', kMaxVocabBytes, 'VOCAB') : undefined;
  const tokenizerConfig = await read('tokenizer_config.json', kMaxTokenizerBytes, 'TOKENIZER');
  const specialTokensMap = await read('special_tokens_map.json', kMaxTokenizerBytes, 'TOKENIZER');
  const pieces = isOther && merges === undefined ? await readSentencePieces(folder, tokenizerConfig) : {};
  const isDescribed = vocabJson !== undefined || 'sourceSpm' in pieces || 'spiece' in pieces;
  if (isOther && !isDescribed) await refuseSentencePiece(folder);
  if (tokenizerJson === undefined) requireNoAddedTokens(await read('added_tokens.json', kMaxTokenizerBytes, 'TOKENIZER'), tokenizerConfig);
  return {
    ...(tokenizerJson === undefined ? {} : { tokenizerJson }),
    ...(vocab === undefined ? {} : { vocab }),
    ...(vocabJson === undefined ? {} : { vocabJson }),
    ...(merges === undefined ? {} : { merges }),
    ...pieces,
    ...(tokenizerConfig === undefined ? {} : { tokenizerConfig }),
    ...(specialTokensMap === undefined ? {} : { specialTokensMap }),
  };
}

/** The SentencePiece models of Marian and BertGeneration. Errors: TOKENIZER, VOCAB, IO. */
async function readSentencePieces(
  folder: string,
  tokenizerConfig: string | undefined,
): Promise<Pick<TokenizerFiles, 'sourceSpm' | 'targetSpm' | 'targetVocabJson' | 'spiece'>> {
  const read = (name: string) => readSmallFile(path.join(folder, name), kMaxVocabBytes, 'TOKENIZER');
  const sourceSpm = await read('source.spm');
  if (sourceSpm !== undefined) {
    const targetSpm = await read('target.spm');
    const targetVocabJson = await readTextFile(path.join(folder, 'target_vocab.json'), kMaxVocabBytes, 'VOCAB');
    return { sourceSpm, ...(targetSpm === undefined ? {} : { targetSpm }), ...(targetVocabJson === undefined ? {} : { targetVocabJson }) };
  }
  if (!(await isBertGeneration(folder, tokenizerConfig))) return {};
  const spiece = await read('spiece.model');
  return spiece === undefined ? {} : { spiece };
}

/** Other models than BertGeneration have a spiece.model too and read it otherwise: tokenizer_config.json or config.json tell. */
async function isBertGeneration(folder: string, tokenizerConfig: string | undefined): Promise<boolean> {
  const named = /"tokenizer_class"\s*:\s*"(\w+)"/.exec(tokenizerConfig ?? '')?.[1];
  if (named !== undefined) return named === 'BertGenerationTokenizer';
  const config = await readTextFile(path.join(folder, 'config.json'), MAX_CONFIG_BYTES, 'CONFIG').catch(() => undefined);
  return config !== undefined && /"model_type"\s*:\s*"bert-generation"/.test(config);
}

/** `model_max_length` of tokenizer_config.json, or undefined where there is none or "none" (1e30). Errors: TOKENIZER. */
export function readTokenizerMaxLength(files: TokenizerFiles): number | undefined {
  if (files.tokenizerConfig === undefined) return undefined;
  const file = 'tokenizer_config.json';
  const fields = new JsonFields(parseJsonObject(files.tokenizerConfig, file, 'TOKENIZER'), file, 'TOKENIZER');
  const value = fields.get('model_max_length');
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw fields.error('model_max_length', 'a positive integer', value);
  return value >= kNoLimit ? undefined : value;
}

/** added_tokens.json holds tokens outside vocab.txt; since transformers 4.34 tokenizer_config.json repeats them with their properties. */
function requireNoAddedTokens(addedTokens: string | undefined, tokenizerConfig: string | undefined): void {
  if (addedTokens === undefined || tokenizerConfig?.includes('"added_tokens_decoder"') === true) return;
  const count = Object.keys(parseJsonObject(addedTokens, 'added_tokens.json', 'TOKENIZER')).length;
  if (count > 0) {
    throw unexpected('TOKENIZER', `tokenizer.json beside an added_tokens.json with ${count} tokens`, 'none', { hint: kConvert });
  }
}

/** Errors: TOKENIZER for a folder whose only vocabulary is SentencePiece's. */
async function refuseSentencePiece(folder: string): Promise<void> {
  for (const name of kSentencePieceFiles) {
    const size = await stat(path.join(folder, name)).catch(() => undefined);
    if (size?.isFile() === true)
      throw unexpected('TOKENIZER', `tokenizer.json beside ${name}, which is not read`, 'none', { hint: kConvert });
  }
}
