import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as assert from 'uvu/assert';
import { loadEmbedder, loadModel } from '../../src/index.js';
import { PCA } from '../../src/learn/index.js';
import { distillVectors } from '../../src/word-vectors/index.js';
import { writeSafetensors } from '../../src/checkpoint/safetensors/safetensors-writer.js';
import { editJson, golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';

const t = suite('static vectors of a BERT');
const directory = golden('tiny/bert-cased');

t('a token alone through the model, principal components, weights by rank; a text is the mean of its rows', async () => {
  const model = await loadModel(directory);
  const { tokenizer } = model;
  const vectors = await distillVectors(model, { dimensions: 8 });
  assert.equal([vectors.size, vectors.dimensions, vectors.data.length], [tokenizer.vocabSize, 8, 8 * tokenizer.vocabSize]);
  const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter((id) => !/^\[.*\]$/.test(tokenizer.idToToken(id) ?? '[]'));
  const alone = await model.forward(ids.map((id) => ({ ids: Int32Array.of(tokenizer.clsId!, id, tokenizer.sepId!) })));
  const rows = alone.map(({ lastHiddenState: { data, dims } }) =>
    Float64Array.from({ length: dims[1]! }, (_, j) => (data[j]! + data[dims[1]! + j]! + data[2 * dims[1]! + j]!) / 3),
  );
  const { data } = await new PCA({ nComponents: 8 }).fitTransform(rows);
  for (const place of [0, 5, ids.length - 1]) {
    const weight = 1e-4 / (1e-4 + 1 / ((place + 1) * Math.log(ids.length)));
    for (let j = 0; j < 8; j++) {
      assert.ok(
        Math.abs(vectors.data[ids[place]! * 8 + j]! - weight * data[place * 8 + j]!) < 1e-5 * Math.max(1, Math.abs(data[place * 8 + j]!)),
      );
    }
  }
  for (const id of [tokenizer.padId!, tokenizer.unkId!, tokenizer.clsId!])
    assert.ok(vectors.data.subarray(id * 8, id * 8 + 8).every((x) => x === 0));

  for (const layout of ['sentence-transformers', 'model2vec'] as const) {
    const folder = temporaryFolder();
    await vectors.save(folder, { layout });
    if (layout === 'model2vec') rmSync(path.join(folder, 'modules.json'));
    const embedder = await loadEmbedder(folder);
    assert.is(embedder.dimensions, 8);
    const text = 'The cat sat.';
    const tokens = tokenizer.encode(text, { addSpecialTokens: false }).ids;
    const sum = Array.from({ length: 8 }, (_, j) => tokens.reduce((all, id) => all + vectors.data[id * 8 + j]!, 0));
    const length = Math.hypot(...sum);
    const [one, none] = await embedder.embed([text, '']);
    sum.forEach((value, j) => assert.ok(Math.abs(one!.vector[j]! - value / length) < 1e-5));
    assert.equal([one!.tokens, none!.tokens, Array.from(none!.vector)], [tokens.length, 0, new Array(8).fill(0)]);
    assert.equal(embedder.embedSync('').tokens, 0);
    embedder.dispose();
  }
  assert.ok(vectors.toKeyedVectors().size > 0);
  model.dispose();
});

t('own words and phrases have rows of their own; counts weigh', async () => {
  const model = await loadModel(directory);
  const vocabulary = ['catnip', 'the cat', 'the'];
  const counts = new Map([
    ['the', 5],
    ['the cat', 1],
  ]);
  const vectors = await distillVectors(model, { dimensions: 4, vocabulary, weights: counts });
  assert.is(vectors.size, model.tokenizer.vocabSize + 2);
  const words = vectors.toKeyedVectors();
  assert.equal(words.words(), vocabulary);
  const folder = temporaryFolder();
  await vectors.save(folder);
  const embedder = await loadEmbedder(folder);
  for (const word of vocabulary.slice(0, 2)) {
    const own = words.get(word)!;
    const length = Math.hypot(...own);
    const { vector, tokens } = await embedder.embed(word);
    assert.is(tokens, 1);
    own.forEach((value, j) => assert.ok(Math.abs(vector[j]! - value / length) < 1e-5));
  }
  embedder.dispose();
  const reason = new Error('enough');
  assert.is(await distillVectors(model, { dimensions: 4, signal: AbortSignal.abort(reason) }).catch((error: unknown) => error), reason);
  const code = (options: object) => rejection(() => distillVectors(model, options)).then((error) => error.code);
  assert.is(await code({ dimensions: 100_000 }), 'INVALID_OPTION');
  assert.is(await code({ dimensions: 0 }), 'INVALID_OPTION');
  assert.is(await code({ weights: 'idf' }), 'INVALID_OPTION');
  assert.is(await code({ vocabulary: ['  '] }), 'INVALID_ARG');
  const still = await loadModel(folder);
  assert.is((await rejection(() => distillVectors(still))).code, 'INVALID_ARG');
  still.dispose();
  model.dispose();
});

t('damaged static models are refused by name', async () => {
  const model = await loadModel(directory);
  const source = temporaryFolder();
  await (await distillVectors(model, { dimensions: 4 })).save(source);
  model.dispose();
  const tensor = (name: string, shape: readonly number[], dtype: 'F32' | 'I32' = 'F32') => ({
    ...{ name, shape, dtype },
    bytes: new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)),
  });
  const file = '0_StaticEmbedding/model.safetensors';
  const cases: readonly (readonly [string, (folder: string) => unknown])[] = [
    ['MODEL_NOT_FOUND', (folder) => rmSync(path.join(folder, file))],
    ['TOKENIZER', (folder) => rmSync(path.join(folder, '0_StaticEmbedding/tokenizer.json'))],
    ['TOKENIZER', (folder) => writeFileSync(path.join(folder, '0_StaticEmbedding/tokenizer.json'), '[]')],
    ['MODEL_MISMATCH', (folder) => writeSafetensors(path.join(folder, file), [tensor('other', [4, 4])])],
    ['MODEL_MISMATCH', (folder) => writeSafetensors(path.join(folder, file), [tensor('embedding.weight', [16])])],
    ['DTYPE_UNSUPPORTED', (folder) => writeSafetensors(path.join(folder, file), [tensor('embedding.weight', [4, 4], 'I32')])],
    ['VOCAB', (folder) => writeSafetensors(path.join(folder, file), [tensor('embedding.weight', [4, 4])])],
    [
      'CONFIG_UNSUPPORTED',
      (folder) => writeSafetensors(path.join(folder, file), [tensor('embeddings', [4, 4]), tensor('mapping', [9], 'I32')]),
    ],
  ];
  for (const [code, spoil] of cases) {
    const folder = temporaryFolder(source);
    await spoil(folder);
    assert.is((await rejection(() => loadEmbedder(folder))).code, code);
  }
  const outside = temporaryFolder(source);
  const modules = JSON.parse(readFileSync(path.join(outside, 'modules.json'), 'utf8')) as Record<string, unknown>[];
  writeFileSync(path.join(outside, 'modules.json'), JSON.stringify([{ ...modules[0], path: '../x' }]));
  assert.is((await rejection(() => loadEmbedder(outside))).code, 'INDEX_PATH');
  editJson(path.join(source, 'config_sentence_transformers.json'), { prompts: { query: 'find: ' } });
  const embedder = await loadEmbedder(source);
  assert.equal({ ...embedder.prompts }, { query: 'find: ' });
  embedder.dispose();
});

t('bertha vectors distill, then bertha embed', () => {
  const folder = path.join(temporaryFolder(), 'static');
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [cliProgram, ...args], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  assert.match(run('vectors', 'distill', directory, '--dimensions', '6', '--output', folder), /tokens, 6 numbers each/);
  const line = JSON.parse(run('embed', 'fast', '--model', folder, '--format', 'jsonl')) as { embedding?: number[]; vector?: number[] };
  assert.is((line.embedding ?? line.vector)!.length, 6);
});

t.run();
