// Unigram tokenizers that are broken, odd or large: an error that names the part, or the reference's answer, in linear time.
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { BerthaError } from '../../src/errors.js';
import { makeCharsmap } from '../support/charsmap.js';
import tokenizers from 'tokenizers';
import { compareWithOracle } from '../support/tokenizer-oracle.js';

const t = suite('unigram-hostile');
const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const PIECES = '["<unk>",0],["▁",-2],["a",-3],["b",-3.5],["ab",-4]';

/** A tokenizer.json whose pieces are given as they are written. */
function jsonOf(pieces: string, model = '"unk_id":0', parts: object = {}): string {
  const whole = { version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: METASPACE };
  const text = JSON.stringify({ ...whole, post_processor: null, decoder: METASPACE, ...parts });
  return `${text.slice(0, -1)},"model":{"type":"Unigram",${model},"vocab":${pieces.startsWith('[') ? `[${pieces}]` : pieces}}}`;
}

function withCharsmap(map: Uint8Array | string): string {
  const encoded = typeof map === 'string' ? map : Buffer.from(map).toString('base64');
  return jsonOf(PIECES, '"unk_id":0', { normalizer: { type: 'Precompiled', precompiled_charsmap: encoded } });
}

function throwsAt(tokenizerJson: string, path: string): void {
  assert.throws(
    () => createTokenizer({ tokenizerJson }),
    (error: BerthaError) => error.code === 'TOKENIZER' && error.message.includes(path),
    path,
  );
}

async function compare(tokenizerJson: string, texts: readonly string[]): Promise<void> {
  const differences = await compareWithOracle(createTokenizer({ tokenizerJson }), tokenizers.Tokenizer.fromString(tokenizerJson), texts);
  assert.is(differences.length, 0, differences.join('\n').slice(0, 2000));
}

const map = makeCharsmap([
  ['x', 'ab'],
  ['é', 'b'],
]);

/** The map with the 32 bits at `at` changed. */
function changed(at: number, change: (value: number) => number): Uint8Array {
  const copy = Buffer.from(map);
  copy.writeUInt32LE(change(copy.readUInt32LE(at)) >>> 0, at);
  return copy;
}

t('refuses character maps that are cut off, lie about their size or lead outside of themselves', () => {
  const path = 'normalizer: precompiled_charsmap';
  const unitAt = (matches: (unit: number) => boolean): number => {
    const view = Buffer.from(map);
    for (let at = 4; at < 4 + view.readUInt32LE(0); at += 4) if (matches(view.readUInt32LE(at))) return at;
    throw new Error('no such unit');
  };
  const valueAt = unitAt((unit) => unit > 0x7fffffff);
  for (const broken of [
    ...['', '!!!', 'AAA', new Uint8Array(0), new Uint8Array(3), map.subarray(0, 100)],
    ...[changed(0, (size) => size + 2), changed(0, () => 0), changed(0, () => 0xfffffffc), changed(0, (size) => size * 2)],
    ...[changed(valueAt, (value) => value + 1000), changed(valueAt, (value) => value & 0x7fffffff)],
    Buffer.concat([map, Uint8Array.of(0xff, 0)]),
  ]) {
    throwsAt(withCharsmap(broken), path);
  }
});

t('reads character maps in circles no further than the text goes', () => {
  // Every unit leads to itself whatever the byte: no key ends.
  const units = new Int32Array(256).map((_, i) => i);
  const circle = Buffer.concat([Buffer.from(Int32Array.of(4 * units.length).buffer), Buffer.from(units.buffer), Buffer.from('a\0')]);
  const tokenizer = createTokenizer({ tokenizerJson: withCharsmap(circle) });
  assert.equal(Array.from(tokenizer.encode('ab abba').ids), [1, 4, 1, 4, 3, 2]);
});

t('refuses pieces, scores and unknown tokens that are none', () => {
  for (const score of ['1e999', '-1e400', '123456789e301']) throwsAt(jsonOf(`${PIECES},["c",${score}]`), 'model: vocab[5]');
  for (const piece of ['["c",null]', '["c","-1"]', '["c"]', '[1,-1]', '"c"', 'null', '["c",NaN]', '["c",01]', '["c",.5]', '["c",5.]'])
    throwsAt(jsonOf(`${PIECES},${piece}`), 'tokenizer.json');
  throwsAt(jsonOf(`${PIECES},["\\ud800",-1]`), 'model: vocab[5]');
  for (const unkId of ['5', '-1', '1.5', '"0"', 'null']) throwsAt(jsonOf(PIECES, `"unk_id":${unkId}`), 'model: unk_id');
  throwsAt(jsonOf('{"a":0}'), 'model: vocab');
  throwsAt(jsonOf('""'), 'model: vocab');
  throwsAt(jsonOf(PIECES).replace('"Unigram"', '"WordPiece"'), 'model: vocab');
  throwsAt(jsonOf(PIECES, '"unk_id":0,"byte_fallback":1'), 'model: byte_fallback');
  throwsAt(jsonOf(PIECES, '"unk_id":0', { pre_tokenizer: { ...METASPACE, add_prefix_space: false } }), 'pre_tokenizer: add_prefix_space');
  throwsAt(jsonOf(PIECES, '"unk_id":0', { pre_tokenizer: { ...METASPACE, replacement: 'ab' } }), 'pre_tokenizer: replacement');
});

t('takes empty pieces, the last of equal ones and escapes as the reference does', async () => {
  const texts = ['', ' ', 'ab', 'aab b', 'c"\\/\n\tcd', '▁a', '日本'];
  await compare(jsonOf(`${PIECES},["",-1],["ab",-9],["a",-3.25],["a",-3.75],["\\u65e5\\ud83d\\ude00",-1],["\\"\\\\\\/\\n\\t",-2]`), texts);
  const tokenizer = createTokenizer({ tokenizerJson: jsonOf(`${PIECES},["a",-1],["",-1]`) });
  assert.equal([tokenizer.tokenToId('a'), tokenizer.idToToken(2), tokenizer.idToToken(5), tokenizer.tokenToId('')], [5, 'a', 'a', 6]);
  assert.is(tokenizer.vocabSize, 7);
});

t('reads scores as the parser of the reference does, to the last bit', async () => {
  // As float64 the first is the sum of the others; as the reference reads it, it is less.
  const pieces = (score: string) => `["<unk>",0],["▁",0],["a",-19.1884765625],["b",-0.00014495849609375],["ab",${score}]`;
  await compare(jsonOf(pieces('-19.188621520996094')), ['ab']);
  await compare(jsonOf(pieces('-0.19188621520996094e2')), ['ab']);
  await compare(jsonOf(pieces('-191886215209960940000000e-22')), ['ab']);
  await compare(jsonOf(pieces('-19.18862152099609375000000000')), ['ab']);
  const tokenizer = createTokenizer({ tokenizerJson: jsonOf(pieces('-19.188621520996094')) });
  assert.equal(Array.from(tokenizer.encode('ab').ids), [1, 2, 3]);
});

t('takes a word of any length apart in steps, as the reference does', async () => {
  for (const model of ['"unk_id":0', '"unk_id":0,"byte_fallback":true']) {
    const bytes = Array.from({ length: 256 }, (_, byte) => `["<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>",-20]`).join();
    const tokenizerJson = jsonOf(`${PIECES},["aa",-4],${bytes}`, model);
    const text = `${'a'.repeat(20_001)}${'日😀'.repeat(4000)}${'ab'.repeat(9000)} b`;
    await compare(tokenizerJson, [text]);
    const tokenizer = createTokenizer({ tokenizerJson });
    const task = tokenizer.startEncoding(text, { offsets: true });
    let turns = 1;
    while (!task.run(1000)) turns++;
    assert.ok(turns > 40, `${turns} turns`);
    const [sliced, whole] = [task.finish(), tokenizer.encode(text, { offsets: true })];
    assert.equal(sliced.ids, whole.ids);
    assert.equal(sliced.offsets, whole.offsets);
  }
});

t.run();
