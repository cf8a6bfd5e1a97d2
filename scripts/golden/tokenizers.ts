import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BerthaError } from '../../src/errors.js';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { Encoding, Tokenizer } from '../../src/tokenizer/index.js';
import type { Report } from './report.js';
import { codePointCounts } from './tokens.js';

/** Hard strings; a tokenizer's cases follow their order. */
interface Strings {
  readonly strings: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
  /** For the one tokenizer that is about paths of equal scores. */
  readonly ties: readonly string[];
}

/** Tokens with special tokens: ids, and for each token start and end in code points. */
interface Encoded {
  readonly ids: readonly (readonly number[])[];
  readonly offsets: readonly (readonly number[])[];
}

/** cases.json.gz of a tokenizer. */
interface TokenizerCases extends Encoded {
  /** Of the tokenizer.json, from this folder or from the one that holds all golden data of the kind. */
  readonly tokenizer: string;
  readonly pairs: Encoded & { readonly type_ids: readonly (readonly number[])[] };
  /** Of the first strings, without special tokens. */
  readonly plain_ids: readonly (readonly number[])[];
  /** By the index of the string. */
  readonly decoded: Readonly<Record<string, string>>;
  readonly decoded_with_special: Readonly<Record<string, string>>;
}

/** The file that a folder of a tokenizer's cases is known by. */
export const kTokenizerCases = 'cases.json.gz';

/** Compares ids, offsets, type ids and decoded texts of one tokenizer with the reference's. */
export function compareTokenizer(folder: string, report: Report): void {
  const cases = readJson(join(folder, kTokenizerCases)) as TokenizerCases;
  const all = readJson(join(dirname(folder), 'strings.json.gz')) as Strings;
  const strings = cases.ids.length === all.ties.length ? all.ties : all.strings;
  const tokenizer = openTokenizer(folder, cases.tokenizer, report);
  if (tokenizer === undefined) return;
  report.compareEqual('number of strings', strings.length, cases.ids.length);
  strings.forEach((text, i) => {
    const encoding = tokenizer.encode(text, { offsets: true });
    compareEncoding(report, `string ${i}`, encoding, [text], cases, i);
    report.compareEqual(`string ${i} ids alone`, Array.from(tokenizer.encodeIds(text).ids), cases.ids[i]);
  });
  const pairs = all.pairs.slice(-cases.pairs.ids.length);
  cases.pairs.ids.forEach((_, i) => {
    const [text, pair] = pairs[i]!;
    const encoding = tokenizer.encode(text, { pair, offsets: true });
    compareEncoding(report, `pair ${i}`, encoding, [text, pair], cases.pairs, i);
    report.compareEqual(`pair ${i} type ids`, Array.from(encoding.typeIds), cases.pairs.type_ids[i]);
  });
  cases.plain_ids.forEach((ids, i) => {
    report.compareEqual(`string ${i} plain ids`, Array.from(tokenizer.encode(strings[i]!, { addSpecialTokens: false }).ids), ids);
  });
  for (const [i, text] of Object.entries(cases.decoded)) {
    report.compareEqual(`string ${i} decoded`, tokenizer.decode(cases.ids[Number(i)]!, { skipSpecialTokens: true }), text);
  }
  for (const [i, text] of Object.entries(cases.decoded_with_special)) {
    report.compareEqual(`string ${i} decoded with special tokens`, tokenizer.decode(cases.ids[Number(i)]!), text);
  }
}

function compareEncoding(report: Report, name: string, encoding: Encoding, texts: readonly string[], expected: Encoded, at: number): void {
  report.sequences++;
  report.compareEqual(`${name} ids`, Array.from(encoding.ids), expected.ids[at]);
  const counts = texts.map(codePointCounts);
  const offsets = Array.from(encoding.offsets!, (offset, k) => counts[encoding.sequenceIds[k >> 1] ?? 0]![offset]);
  report.compareEqual(`${name} offsets`, offsets, expected.offsets[at]);
}

function openTokenizer(folder: string, path: string, report: Report): Tokenizer | undefined {
  const file = path.startsWith('..') ? join(dirname(dirname(folder)), path) : join(folder, path);
  const bytes = readFileSync(file);
  const tokenizerJson = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  try {
    return createTokenizer({ tokenizerJson });
  } catch (error) {
    if (!(error instanceof BerthaError) || error.code !== 'TOKENIZER') throw error;
    report.unsupported = error.message;
    return undefined;
  }
}

function readJson(path: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'));
}
