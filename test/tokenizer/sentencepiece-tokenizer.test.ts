import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { loadTokenizer } from '../../src/models/load-tokenizer.js';
import { codeOf } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly target_ids?: readonly number[];
  readonly decoded: string;
  readonly decoded_with_special: string;
}

const t = suite('SentencePiece tokenizers');
const folder = (name: string): string => fileURLToPath(new URL(`../golden-generation/tokenizers/${name}`, import.meta.url));
const cases = (name: string): readonly Case[] =>
  (JSON.parse(readFileSync(path.join(folder(name), 'cases.json'), 'utf8')) as { cases: readonly Case[] }).cases;
const bytes = (name: string): Buffer => readFileSync(folder(name));
const small = {
  sourceSpm: bytes('marian-identity/source.spm'),
  targetSpm: bytes('marian-identity/target.spm'),
  vocabJson: bytes('marian-identity/vocab.json').toString('utf8'),
};

for (const name of ['marian', 'marian-identity', 'bertgen2bertgen']) {
  t(`gives the ids and the texts of transformers for ${name}`, async () => {
    const tokenizer = await loadTokenizer(folder(name));
    const all = cases(name);
    assert.ok(all.length >= 62);
    for (const { text, ids, target_ids: targetIds, decoded, decoded_with_special: withSpecial } of all) {
      assert.equal(Array.from(tokenizer.encode(text).ids), ids, text);
      assert.equal(Array.from(tokenizer.encodeIds(text).ids), ids, text);
      if (name === 'marian-identity') assert.equal(Array.from(tokenizer.target.encode(text).ids), targetIds, text);
      assert.is(tokenizer.decode(ids, { skipSpecialTokens: true }), decoded, text);
      assert.is(tokenizer.decode(ids), withSpecial, text);
    }
  });
}

t('takes one language code off the beginning of a text, in pieces of a text that was prepared too', () => {
  const tokenizer = createTokenizer(small);
  assert.equal(tokenizer.languageCodes, ['>>de<<', '>>nl<<']);
  const code = tokenizer.tokenToId('>>de<<')!;
  const ids = (text: string): number[] => Array.from(tokenizer.encode(text).ids);
  assert.equal(ids('>>de<<'), [code, tokenizer.eosId]);
  assert.is(ids('>>xx<< a')[0], tokenizer.unkId);
  assert.is.not(ids(' >>de<< a')[0], code);
  assert.is(ids('>>de<<>>nl<< a').includes(tokenizer.tokenToId('>>nl<<')!), false, 'only one');
  assert.is(ids('</s>>>de<<')[1], code, 'after a special token text begins anew');
  assert.equal(ids(`>>${'x'.repeat(300)}<< a`).includes(tokenizer.unkId!), true);
  const long = `>>de<< ${'Where is the station? '.repeat(2000)}`;
  const task = tokenizer.takeTask(tokenizer.settingsFor(undefined, { truncation: false }), {
    prompt: '>>de<< ',
    lowercase: false,
    promptTokens: 0,
  });
  task.begin([long.slice(7)]);
  while (!task.run(100));
  assert.equal(Array.from(task.finish().ids), ids(long));
});

t('reads targets by a vocabulary of their own, and decodes by it', () => {
  const source = JSON.parse(small.vocabJson) as Record<string, number>;
  const others = Object.keys(source).length;
  const own = Object.fromEntries(Object.entries(source).map(([name, id]) => [name, id < 2 || name === '<pad>' ? id : others - id]));
  const tokenizer = createTokenizer({ ...small, targetVocabJson: JSON.stringify(own) });
  const text = 'Wo ist der Bahnhof?';
  const shared = createTokenizer(small);
  assert.is.not(tokenizer.target, tokenizer);
  assert.equal(Array.from(tokenizer.encode(text).ids), Array.from(shared.encode(text).ids));
  const ids = tokenizer.target.encode(text).ids;
  const tokens = Array.from(shared.target.encode(text).ids, (id) => shared.idToToken(id)!);
  assert.equal(
    Array.from(ids),
    tokens.map((token) => own[token]),
  );
  assert.is(tokenizer.decode(ids, { skipSpecialTokens: true }), text);
});

t('refuses files that contradict one another, with a code', () => {
  const { sourceSpm, targetSpm, vocabJson } = small;
  const piece = (text: string): Buffer => Buffer.concat([Buffer.from([0x0a, text.length + 2, 0x0a, text.length]), Buffer.from(text)]);
  const spiece = bytes('bertgen2bertgen/spiece.model');
  const config = '{"tokenizer_class": "BertGenerationTokenizer"}';
  const charsmap = (map: number[]): Buffer => Buffer.from([0x1a, map.length + 2, 0x12, map.length, ...map]);
  for (const [code, files] of [
    ['VOCAB', { sourceSpm }],
    ['VOCAB', { sourceSpm, vocabJson: '{}' }],
    ['VOCAB', { sourceSpm, vocabJson: '{"</s>": 0}' }],
    ['VOCAB', { sourceSpm, vocabJson: '{"<unk>": 0}' }],
    ['TOKENIZER', { sourceSpm, vocabJson: '{"</s>": 0, "<unk>": 1, "a": 1}' }],
    ['TOKENIZER', { sourceSpm, vocabJson: '{"</s>": 0, "<unk>": -1}' }],
    ['TOKENIZER', { sourceSpm: Buffer.alloc(0), vocabJson }],
    ['TOKENIZER', { sourceSpm, targetSpm: targetSpm.subarray(0, 99), vocabJson }],
    ['TOKENIZER', { sourceSpm: Buffer.concat([sourceSpm, piece('</s>')]), vocabJson }],
    ['TOKENIZER', { sourceSpm: Buffer.concat([sourceSpm, charsmap([9, 0, 0, 0, 1])]), vocabJson }],
    [
      'TOKENIZER',
      { sourceSpm: Buffer.concat([sourceSpm, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])]), vocabJson },
    ],
    ['TOKENIZER', { sourceSpm, vocabJson, tokenizerConfig: config }],
    ['TOKENIZER', { spiece, tokenizerConfig: '{"tokenizer_class": "T5Tokenizer"}' }],
    ['TOKENIZER', { spiece: Buffer.concat([spiece, Buffer.from([0x12, 0x02, 0x18, 0x02])]) }],
    ['VOCAB', { spiece: piece('a') }],
  ] as const) {
    assert.is(
      codeOf(() => createTokenizer(files)),
      code,
      JSON.stringify(Object.keys(files)),
    );
  }
  assert.is(
    codeOf(() => createTokenizer({ sourceSpm, vocabJson }, { vocabSize: 50 })),
    'VOCAB',
  );
});

t("reads a spiece.model only where the folder is BertGeneration's, and tokenizer.json before all", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'bertha-spiece-'));
  try {
    cpSync(path.join(folder('bertgen2bertgen'), 'spiece.model'), path.join(directory, 'spiece.model'));
    const code = await loadTokenizer(directory).then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
    assert.is(code, 'TOKENIZER');
    writeFileSync(path.join(directory, 'config.json'), '{"model_type": "bert-generation"}');
    const tokenizer = await loadTokenizer(directory);
    assert.equal(Array.from(tokenizer.encode("it's").ids), [98, 27, 7, 25]);
    writeFileSync(path.join(directory, 'tokenizer.json'), '{}');
    await loadTokenizer(directory).then(
      () => assert.unreachable('an empty tokenizer.json'),
      (error: { code: string }) => assert.is(error.code, 'TOKENIZER'),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

t.run();
