import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeCharsmap } from '../support/charsmap.js';
import { type Target, useTokenizer } from './target.js';

const golden = fileURLToPath(new URL('../golden-generation/tokenizers/', import.meta.url));
const source = readFileSync(`${golden}marian-identity/source.spm`);
const spiece = readFileSync(`${golden}bertgen2bertgen/spiece.model`);
const vocabJson = readFileSync(`${golden}marian-identity/vocab.json`, 'utf8');
const text = '>>de<< Hello,  ▁abab 京!  ﬁ①\n\n e\u0301\ud800 a\u00ad\u0301 😀😀</s><unk><::::> ';

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
}

/** A normalizer with a map of characters and flags: a message by itself, which adds to the one of the model. */
function normalizer(map: Uint8Array, ...flags: readonly number[]): Buffer {
  const message = Buffer.concat([Buffer.from([0x12, ...varint(map.length)]), map, Buffer.from(flags)]);
  return Buffer.concat([Buffer.from([0x1a, ...varint(message.length)]), message]);
}

const charsmap = makeCharsmap([
  ['①', '1'],
  ['e\u0301', 'é'],
  ['\u00ad', ''],
  ['  ', ' '],
]);

/** The files of a model of SentencePiece itself. */
export const sentencePieceTargets: readonly Target[] = [
  {
    name: 'source.spm',
    share: 20,
    seeds: [source, Buffer.concat([source, normalizer(charsmap)]), Buffer.concat([source, normalizer(charsmap, 0x18, 0, 0x20, 0)])],
    read: (bytes) => useTokenizer({ sourceSpm: bytes, vocabJson }, text),
  },
  {
    name: 'spiece.model',
    share: 20,
    seeds: [spiece, Buffer.concat([spiece, normalizer(charsmap, 0x28, 0)])],
    read: (bytes) => useTokenizer({ spiece: bytes }, text),
  },
];
