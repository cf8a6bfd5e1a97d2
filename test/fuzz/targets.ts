import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../src/architectures/config.js';
import { parsePooling } from '../../src/checkpoint/sentence/pooling.js';
import { parseSafetensorsHeader, safetensorsHeaderLength } from '../../src/checkpoint/safetensors/safetensors-header.js';
import { npyHeader, parseNpyHeader } from '../../src/checkpoint/npy.js';
import { bpeTargets } from './bpe.js';
import { sentencePieceTargets } from './sentencepiece.js';
import { promise, type Target, useTokenizer } from './target.js';
import { torchTargets } from './torch.js';
import { unigramTargets } from './unigram.js';

const golden = fileURLToPath(new URL('../golden/', import.meta.url));
const families = fileURLToPath(new URL('../golden-families/', import.meta.url));

const files = readdirSync(`${golden}safetensors`)
  .filter((file) => !file.endsWith('.json'))
  .map((file) => readFileSync(`${golden}safetensors/${file}`))
  .filter((bytes) => bytes.length < 4096);

function readSafetensors(bytes: Buffer, fileSize: number): void {
  const header = parseSafetensorsHeader(bytes, fileSize);
  promise(header.dataOffset === 8 + safetensorsHeaderLength(bytes, fileSize), 'data begins after the header');
  let end = header.dataOffset;
  for (const tensor of [...header.tensors].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength)) {
    promise(tensor.byteOffset === end && tensor.byteLength >= 0, 'tensors follow one another');
    promise(
      tensor.shape.every((size) => size >= 0),
      'dimensions are not negative',
    );
    end += tensor.byteLength;
  }
  promise(end === fileSize, 'the tensors fill the file');
  promise(new Set(header.tensors.map(({ name }) => name)).size === header.tensors.length, 'names are distinct');
}

const safetensorsFile: Target = {
  name: 'safetensors file',
  share: 15,
  seeds: files,
  read: (bytes) => readSafetensors(bytes, bytes.length),
};

/** The JSON alone, in a file of the right length: mutations get past the first checks. */
const safetensorsHeader: Target = {
  name: 'safetensors header',
  share: 30,
  seeds: files
    .map((bytes) => bytes.subarray(8, 8 + Number(bytes.length >= 8 ? bytes.readBigUInt64LE(0) & 0xfffffn : 0n)))
    .filter((json) => json[0] === 0x7b),
  read(json) {
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(json.length));
    const ends = [...json.toString('latin1').matchAll(/(\d{1,9})\s*\]\s*\}/g)].map((match) => Number(match[1]));
    readSafetensors(Buffer.concat([prefix, json]), 8 + json.length + Math.max(0, ...ends));
  },
};

const configs: Target = {
  name: 'config',
  share: 25,
  seeds: [`${golden}tiny`, `${families}tiny`].flatMap((tiny) =>
    readdirSync(tiny).map((folder) => readFileSync(`${tiny}/${folder}/config.json`)),
  ),
  read(bytes) {
    const config = parseConfig(bytes.toString('utf8'));
    const sizes = [
      config.vocabSize,
      config.hiddenSize,
      config.numLayers,
      config.numHeads,
      config.intermediateSize,
      config.maxSequenceLength,
    ];
    promise(
      sizes.every((size) => Number.isSafeInteger(size) && size >= 1 && size < 2 ** 31),
      'sizes are whole and bounded',
    );
    promise(config.headDim * config.numHeads === config.hiddenSize, 'heads divide the hidden size');
    promise(config.layerNormEps > 0 && Number.isFinite(config.layerNormEps), 'the epsilon is a number');
    promise(config.id2label.length === config.numLabels, 'every class has a label');
  },
};

const pooling: Target = {
  name: 'pooling',
  share: 5,
  seeds: readdirSync(`${golden}sentence`)
    .filter((folder) => folder.startsWith('pooling'))
    .map((folder) => readFileSync(`${golden}sentence/${folder}/1_Pooling/config.json`)),
  read(bytes) {
    const { modes } = parsePooling(bytes.toString('utf8'), '1_Pooling/config.json');
    promise(modes.length > 0, 'something is pooled');
  },
};

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', '##a', '##b', 'hello', '##lo', '!', '，', '京'];

/** A tokenizer.json with a small vocabulary, so that a mutation meets its structure rather than a word. */
const tokenizerSeed = JSON.stringify({
  version: '1.0',
  truncation: { direction: 'Right', max_length: 16, strategy: 'LongestFirst', stride: 0 },
  padding: null,
  added_tokens: words.slice(0, 5).map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: content === '[MASK]',
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
      { Sequence: { id: 'B', type_id: 1 } },
      { SpecialToken: { id: '[SEP]', type_id: 1 } },
    ],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 20,
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
});

/** The same with normalizers and pre-tokenizers that take patterns. */
const patternSeed = JSON.stringify({
  ...(JSON.parse(tokenizerSeed) as object),
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'NFKC' },
      { type: 'Replace', pattern: { Regex: '[^a-z\\s京,!]+' }, content: 'b' },
      { type: 'Replace', pattern: { String: 'ab' }, content: '' },
      { type: 'Strip', strip_left: true, strip_right: true },
      { type: 'Prepend', prepend: 'a' },
    ],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\s+' }, behavior: 'Removed', invert: false },
      { type: 'Punctuation', behavior: 'MergedWithNext' },
      { type: 'Split', pattern: { String: 'a' }, behavior: 'MergedWithPrevious', invert: true },
    ],
  },
});

const tokenizerJson: Target = {
  name: 'tokenizer.json',
  share: 12,
  seeds: [Buffer.from(tokenizerSeed), Buffer.from(patternSeed)],
  read: (bytes) => useTokenizer({ tokenizerJson: bytes.toString('utf8') }, 'Hello, [MASK] abba 京!'),
};

const vocab: Target = {
  name: 'vocab.txt',
  share: 3,
  seeds: [Buffer.from(`${words.join('\n')}\n`), Buffer.from(words.join('\r\n'))],
  read: (bytes) => useTokenizer({ vocab: bytes.toString('utf8') }, 'Hello, [MASK] abba 京!'),
};

const textFiles = { tokenizerJson: tokenizerSeed };
const texts: Target = {
  name: 'text',
  share: 5,
  seeds: ['Hello, [MASK] abba 京!', 'naïve ﬁ İstanbul \u200b\u0000 a\u0301', '[CLS] [SEP] ##a 👩‍👩‍👧'].map((text) => Buffer.from(text)),
  read: (bytes) => useTokenizer(textFiles, bytes.toString('utf16le').slice(0, 200) + bytes.toString('utf8')),
};

const npyText = (version: number, header: string, data: number): Buffer => {
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, header.length, 0, ...(version === 1 ? [] : [0, 0])]);
  return Buffer.concat([prefix, Buffer.from(header, 'latin1'), Buffer.alloc(data)]);
};

/** Files of vectors. Half of them get the size that their header asks for, so that mutations get past that check. */
const npy: Target = {
  name: 'npy',
  share: 5,
  seeds: [
    Buffer.concat([npyHeader('<f4', 3, 2), Buffer.alloc(24)]),
    npyText(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4), }\n", 32),
    npyText(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 384), }\n", 0),
    npyText(3, "{'descr':'<f4','fortran_order':True,'shape':(2,2)}  \n", 16),
  ],
  read(bytes) {
    const text = bytes.toString('latin1');
    const [, rows, columns] = /\((\d{1,9}), ?(\d{1,9})\)/.exec(text) ?? [];
    const begin = bytes.length < 12 ? 0 : bytes[6] === 1 ? 10 + bytes.readUInt16LE(8) : 12 + bytes.readUInt32LE(8);
    const asked = begin + Number(rows) * Number(columns) * (text.includes('<f8') ? 8 : 4);
    const size = bytes.length % 2 === 0 && asked >= bytes.length ? asked : bytes.length;
    const header = parseNpyHeader(bytes, size, 'vectors.npy');
    promise([header.rows, header.columns].every(Number.isSafeInteger), 'sizes are whole and bounded');
    promise(header.dataOffset <= bytes.length, 'the header lies in what was read');
    promise(header.dataOffset + header.rows * header.columns * header.bytesPerNumber === size, 'the numbers fill the file');
  },
};

export const targets: readonly Target[] = [
  safetensorsFile,
  safetensorsHeader,
  configs,
  pooling,
  tokenizerJson,
  vocab,
  ...bpeTargets,
  ...unigramTargets,
  ...sentencePieceTargets,
  texts,
  npy,
  ...torchTargets,
];
