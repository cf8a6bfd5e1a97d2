import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { readSentencePieceModel } from '../../src/tokenizer/files/sentencepiece/model-file.js';
import { Charsmap } from '../../src/tokenizer/normalizers/precompiled/charsmap.js';
import { codeOf } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('SentencePiece model');
const golden = (name: string): Buffer => readFileSync(fileURLToPath(new URL(`../golden-generation/tokenizers/${name}`, import.meta.url)));
const source = golden('marian/source.spm');
const spiece = golden('bertgen2bertgen/spiece.model');

/** A field of a message: a number, or bytes. */
function field(number: number, value: number | Buffer): Buffer {
  if (typeof value === 'number') return Buffer.from([number << 3, value]);
  return Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);
}

const score = (value: number): Buffer => {
  const bytes = Buffer.alloc(5, (2 << 3) | 5);
  bytes.writeFloatLE(value, 1);
  return bytes;
};
const piece = (text: string, ...more: Buffer[]): Buffer => field(1, Buffer.concat([field(1, Buffer.from(text)), ...more]));

t('reads pieces, scores and types as sentencepiece 0.2.3 does', () => {
  const model = readSentencePieceModel(source, 'source.spm');
  assert.is(model.pieces.length, 110);
  assert.equal(
    model.pieces.slice(0, 6).map(({ text, score: value, type }) => [text, value, type]),
    [
      ['<unk>', 0, 'unknown'],
      ['<s>', 0, 'control'],
      ['</s>', 0, 'control'],
      ['.', -2.734743118286133, 'normal'],
      ['▁the', -3.150531768798828, 'normal'],
      ["'", -3.5692853927612305, 'normal'],
    ],
  );
  assert.equal([model.pieces.at(-1)!.text, model.pieces.at(-1)!.score], ['o', -5.66444730758667]);
  const ids = JSON.parse(golden('marian/vocab.json').toString('utf8')) as Record<string, number>;
  const normal = model.pieces.filter(({ type }) => type === 'normal');
  assert.ok(normal.length > 100 && normal.every(({ text }) => Object.hasOwn(ids, text)), 'every piece has an id in vocab.json');
  assert.equal([model.modelType, model.byteFallback], ['unigram', false]);
  assert.equal([model.addDummyPrefix, model.removeExtraWhitespaces, model.escapeWhitespaces], [true, true, true]);
  assert.ok(model.charsmap.length > 200_000);
  assert.ok(new Charsmap(model.charsmap, (description) => new Error(description)), 'the map of nmt_nfkc is one that the normalizer reads');
});

t('reads a model of other special tokens, a user-defined piece and no map', () => {
  const { pieces, charsmap } = readSentencePieceModel(spiece, 'spiece.model');
  assert.is(pieces.length, 134);
  assert.equal(
    pieces.slice(0, 6).map(({ text, type }) => [text, type]),
    [
      ['<pad>', 'control'],
      ['</s>', 'control'],
      ['<s>', 'control'],
      ['<unk>', 'unknown'],
      ['<::::>', 'user-defined'],
      ['.', 'normal'],
    ],
  );
  assert.is(charsmap.length, 0);
});

t('has the defaults of the format for what a file leaves out, and takes the last of several', () => {
  const model = readSentencePieceModel(Buffer.concat([piece('a'), piece('b', score(1), score(-2), field(3, 6))]), 'x');
  assert.equal(model.pieces, [
    { text: 'a', score: 0, type: 'normal' },
    { text: 'b', score: -2, type: 'byte' },
  ]);
  assert.equal(
    [model.modelType, model.byteFallback, model.addDummyPrefix, model.removeExtraWhitespaces, model.escapeWhitespaces],
    ['unigram', false, true, true, true],
  );
  const trainer = field(2, Buffer.concat([field(3, 2), Buffer.from([0x98, 0x02, 1])]));
  const normalizer = field(3, Buffer.concat([field(2, Buffer.from('map')), field(3, 0), field(4, 0), field(5, 0)]));
  const other = readSentencePieceModel(Buffer.concat([trainer, piece('a'), normalizer]), 'x');
  assert.equal([other.modelType, other.byteFallback, Buffer.from(other.charsmap).toString()], ['bpe', true, 'map']);
  assert.equal([other.addDummyPrefix, other.removeExtraWhitespaces, other.escapeWhitespaces], [false, false, false]);
});

t('refuses damaged models with a code, cut off at any byte, and lengths that no file has', () => {
  for (let length = 0; length < spiece.length; length++) {
    const code = codeOf(() => readSentencePieceModel(spiece.subarray(0, length), 'spiece.model'));
    assert.ok(code === undefined || code === 'TOKENIZER', `${length} bytes: ${code}`);
  }
  const huge = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
  for (const bytes of [
    Buffer.alloc(0),
    huge,
    Buffer.alloc(30, 0xff),
    Buffer.from([0x0b]),
    field(1, 3),
    field(1, Buffer.alloc(0)),
    piece('a', field(3, 7)),
    piece('a', field(3, 0)),
    piece('a', score(NaN)),
    piece('a', score(Infinity)),
    piece('a', field(2, Buffer.alloc(3))),
    field(1, field(1, Buffer.from([0xff]))),
    Buffer.concat([piece('a'), field(2, field(3, 3))]),
    Buffer.concat([piece('a'), field(3, field(2, 1))]),
  ]) {
    assert.is(
      codeOf(() => readSentencePieceModel(bytes, 'x.spm')),
      'TOKENIZER',
      bytes.toString('hex'),
    );
  }
});

t.run();
