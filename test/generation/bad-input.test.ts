// Design: what becomes of input that cannot be, beyond the settings (settings.test.ts) and the texts (generate.test.ts).
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { embedderOf, generate, generateStream, loadEmbedder, loadModel, translate, type Model } from '../../src/index.js';
import { rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('generation: bad input');
const folder = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
const copies = mkdtempSync(path.join(tmpdir(), 'bertha-generation-'));
t.after(() => rmSync(copies, { recursive: true }));

type Json = Record<string, unknown>;

/** Loads a copy of a tiny model, its JSON files changed. */
async function changed(name: string, change: Readonly<Record<string, (json: Json) => void>>): Promise<Model> {
  const copy = mkdtempSync(path.join(copies, 'model-'));
  cpSync(folder(name), copy, { recursive: true });
  for (const [file, edit] of Object.entries(change)) {
    const json = JSON.parse(readFileSync(path.join(copy, file), 'utf8')) as Json;
    edit(json);
    writeFileSync(path.join(copy, file), JSON.stringify(json));
  }
  return loadModel(copy);
}

t('targetLanguage puts the code of a model for several languages in front, and names the codes it has', async () => {
  using model = await changed('marian-separate', {
    'vocab.json': (vocab) => {
      const [first, second] = Object.entries(vocab).slice(60, 62) as [[string, number], [string, number]];
      for (const [[token, id], code] of [
        [first, '>>de<<'],
        [second, '>>pt_BR<<'],
      ] as const) {
        delete vocab[token];
        vocab[code] = id;
      }
    },
  });
  const text = 'It rains.';
  const options = { numBeams: 1, maxNewTokens: 8 };
  for (const language of ['de', 'pt_BR']) {
    const code = `>>${language}<<`;
    assert.is(model.tokenizer.encode(`${code} ${text}`).ids[0], model.tokenizer.tokenToId(code));
    const [expected] = await generate(model, `${code} ${text}`, options);
    const { text: written, sentences } = await translate(model, ` ${text}`, { ...options, targetLanguage: language });
    assert.equal([written, sentences[0]!.source, sentences[0]!.tokens], [` ${expected!.text}`, text, expected!.tokens]);
  }
  const error = await rejection(() => translate(model, text, { targetLanguage: 'fr' }));
  assert.equal([error.code, /one of de, pt_BR\b/.test(error.message), error.message.includes('"fr"')], ['INVALID_OPTION', true, true]);
  assert.is((await rejection(() => translate(model, text, { targetLanguage: 7 as never }))).code, 'INVALID_OPTION');
  // In a text an unknown code is <unk>, as in Python.
  assert.is(model.tokenizer.encode(`>>fr<< ${text}`).ids[0], model.tokenizer.unkId);
});

t('a decoder alone makes no vectors, and an encoder-decoder takes its encoder', async () => {
  using causal = await loadModel(folder('bertgen-lm'));
  const error = await rejection(async () => embedderOf(causal));
  assert.equal([error.code, /generate/.test(error.message)], ['NO_HEAD', true]);
  assert.is((await rejection(() => loadEmbedder(folder('bertgen-lm')))).code, 'NO_HEAD');
  using both = await loadModel(folder('bert2bert-projected'));
  assert.is((await embedderOf(both).embed('It rains.')).vector.length, both.config.hiddenSize);
});

t('says which file should hold the start token, and writes to the limit where no file has an end', async () => {
  const without =
    (...names: readonly string[]) =>
    (json: Json) => {
      for (const name of names) delete json[name];
      for (const part of ['decoder', 'encoder'])
        if (typeof json[part] === 'object') for (const name of names) delete (json[part] as Json)[name];
    };
  const starts = without('decoder_start_token_id', 'bos_token_id');
  using headless = await changed('marian-separate', { 'config.json': starts, 'generation_config.json': starts });
  const error = await rejection(() => generate(headless, 'It rains.', { numBeams: 1, maxNewTokens: 4 }));
  assert.is(error.code, 'CONFIG');
  assert.match(error.message, /generation_config\.json or config\.json/);
  const [begun] = await generate(headless, 'It rains.', { numBeams: 1, maxNewTokens: 4, decoderStartTokenId: 119 });
  assert.equal(begun!.promptIds, Int32Array.of(119));
  const ends = without('eos_token_id', 'forced_eos_token_id');
  const warnings: (string | undefined)[] = [];
  const hear = (warning: Error & { code?: string }): void => void warnings.push(warning.code);
  process.on('warning', hear);
  using endless = await changed('marian-separate', { 'config.json': ends, 'generation_config.json': ends });
  for (let call = 0; call < 2; call++) {
    const [made] = await generate(endless, 'It rains.', { numBeams: 1, maxNewTokens: 9 });
    assert.equal([made!.ids.length, made!.finishReason], [9, 'length']);
  }
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', hear);
  assert.equal(
    warnings.filter((code) => code === 'BERTHA_NO_EOS'),
    ['BERTHA_NO_EOS'],
  );
});

t('what the files ask for is clipped at the positions, what a call asks for is refused with the largest that fits', async () => {
  using model = await changed('marian-separate', { 'generation_config.json': (json) => void (json['max_length'] = 5000) });
  const positions = model.config.decoder!.maxSequenceLength;
  const [made] = await generate(model, 'It rains.', { numBeams: 1, eosTokenId: null, forcedEosTokenId: null });
  assert.is(made!.ids.length + made!.promptIds.length, positions);
  const error = await rejection(() => generate(model, 'It rains.', { maxNewTokens: positions }));
  assert.equal([error.code, error.message.includes(`at most ${positions - 1}`)], ['MAX_LENGTH', true]);
});

t('a file that asks for another search is refused by name, one that says nonsense is CONFIG', async () => {
  for (const [key, value, code] of [
    ['num_beam_groups', 2, 'CONFIG_UNSUPPORTED'],
    ['penalty_alpha', 0.6, 'CONFIG_UNSUPPORTED'],
    ['num_beams', 0, 'CONFIG'],
    ['max_length', 'long', 'CONFIG'],
    ['bad_words_ids', [[]], 'CONFIG'],
    ['bad_words_ids', [[5000]], 'INVALID_IDS'],
  ] as const) {
    using model = await changed('marian-separate', { 'generation_config.json': (json) => void (json[key] = value) });
    const error = await rejection(() => generate(model, 'It rains.'));
    assert.equal([error.code, error.message.includes(key)], [code, true], `${key}: ${error.message}`);
  }
});

t('stop texts are refused beside beams, also where a file asks for these', async () => {
  using model = await loadModel(folder('marian-separate'));
  for (const call of [
    () => generate(model, 'It rains.', { stop: ['.'] }),
    () => generate(model, 'It rains.', { stop: '.' as never, numBeams: 3 }),
    () => generateStream(model, 'It rains.', { numBeams: 2 }).next(),
  ]) {
    const error = await rejection(call as () => Promise<unknown>);
    assert.equal([error.code, error.message.includes('numBeams: 1')], ['INVALID_OPTION', true], error.message);
  }
});

t.run();
