// Sparse vectors and vectors of tokens: reference values, options, and what is refused.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { compareFolder } from '../../scripts/golden/compare.js';
import { findGoldenFolders } from '../../scripts/golden/files.js';
import { inspectModel, loadEmbedder, maxSim, sparseDot } from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const test = suite('sparse vectors and vectors of tokens');
const splade = golden('sparse/splade-router');
const colbert = golden('multivector/colbert');

for (const folder of [splade, colbert, golden('multivector/colbert-stanford')]) {
  test(`${folder.split(/[\\/]/).slice(-2).join('/')} is what sentence-transformers computes in float64`, async () => {
    const [found] = findGoldenFolders(folder);
    const report = await compareFolder(found!, { tolerance: 1e-5 });
    assert.is(report.verdict, 'ok', String(report));
  });
}

/** A copy of a directory in which a JSON file has other fields. */
function changed(folder: string, file: string, fields: object): string {
  const copy = mkdtempSync(join(tmpdir(), 'bertha-sparse-'));
  cpSync(folder, copy, { recursive: true });
  const path = join(copy, file);
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...fields }));
  return copy;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  return 'none';
}

test('an inspection tells which vectors it has', async () => {
  const [sparse, tokens] = await Promise.all([inspectModel(splade), inspectModel(colbert)]);
  assert.equal([sparse.vectors, sparse.problems, tokens.vectors, tokens.problems], ['sparse', [], 'tokens', []]);
});

test('keeps the largest weights, the same to the bit in any call, and tells their words', async () => {
  using embedder = await loadEmbedder(splade);
  const texts = ['water', 'a cat on the mat', '', 'why? because!'];
  const all = await embedder.embedSparse(texts);
  for (const [i, text] of texts.entries()) assert.equal(await embedder.embedSparse(text), all[i]);
  const few = await embedder.embedSparse(texts, { topK: 5 });
  few.forEach(({ indices, values }, i) => {
    assert.is(indices.length, 5);
    assert.equal(indices, indices.slice().sort());
    const least = Math.min(...values);
    const others = all[i]!.values.filter((_, j) => !indices.includes(all[i]!.indices[j]!));
    assert.ok(others.every((value) => value <= least));
  });
  const words = embedder.decodeSparse(all[1]!, { topK: 3 });
  assert.is(words.length, 3);
  assert.ok(words[0]!.weight >= words[1]!.weight && words[1]!.weight >= words[2]!.weight);
  assert.is(embedder.tokenizer.tokenToId(words[0]!.token), all[1]!.indices[all[1]!.values.indexOf(Math.max(...all[1]!.values))]);
  const dot = all[0]!.indices.reduce((sum, index, j) => {
    const other = all[1]!.indices.indexOf(index);
    return other < 0 ? sum : sum + all[0]!.values[j]! * all[1]!.values[other]!;
  }, 0);
  assert.is(sparseDot(all[0]!, all[1]!), dot);
});

test('ranks documents by MaxSim, and gives each text the same vectors in any call', async () => {
  using embedder = await loadEmbedder(colbert);
  const documents = ['Bob met Alice.', 'water boils', 'the children stop playing!'];
  const vectors = await embedder.embedTokens(documents, { as: 'document' });
  for (const [i, text] of documents.entries()) assert.equal(await embedder.embedTokens(text, { as: 'document' }), vectors[i]);
  const query = await embedder.embedTokens('Who met Bob?', { as: 'query' });
  const scores = Array.from(await maxSim(query, vectors));
  const [width] = query.dims.slice(1);
  const expected = vectors.map(({ data, dims }) => {
    let sum = 0;
    for (let q = 0; q < query.dims[0]; q++) {
      let most = -Infinity;
      for (let d = 0; d < dims[0]; d++) {
        let product = 0;
        for (let k = 0; k < width!; k++) product += query.data[q * width! + k]! * data[d * width! + k]!;
        most = Math.max(most, product);
      }
      sum += most;
    }
    return sum;
  });
  assert.equal(scores, expected);
  const ranked = await embedder.rerank('Who met Bob?', documents);
  assert.equal(
    ranked.map(({ score }) => score),
    scores.slice().sort((a, b) => b - a),
  );
  assert.equal(await embedder.rerank('Who met Bob?', documents, { topK: 1 }), ranked.slice(0, 1));
});

test('another call than that of the model is refused by name, and so are other modules', async () => {
  using sparse = await loadEmbedder(splade);
  assert.match(await codeOf(sparse.embed('a')), /^POOLING: .*embedSparse/);
  assert.match(await codeOf(sparse.embedTokens('a')), /^POOLING/);
  using tokens = await loadEmbedder(colbert);
  assert.match(await codeOf(tokens.embed('a')), /^POOLING: .*embedTokens/);
  assert.match(await codeOf(tokens.embedSparse('a')), /^POOLING/);
  assert.match(await codeOf(tokens.rerank('a', [1] as unknown as string[])), /^INVALID_ARG/);
  assert.match(
    await codeOf(maxSim({ data: new Float32Array(4), dims: [2, 2] }, [{ data: new Float32Array(3), dims: [1, 3] }])),
    /^INVALID_ARG/,
  );
  const pooling = 'document_1_SpladePooling/config.json';
  for (const [file, fields, expected] of [
    [pooling, { pooling_strategy: 'median' }, /CONFIG_UNSUPPORTED: .*pooling_strategy/],
    [pooling, { activation_function: 'gelu' }, /CONFIG_UNSUPPORTED: .*activation_function/],
    ['router_config.json', { structure: { query: ['query_0_SparseStaticEmbedding'] } }, /CONFIG: .*document/],
    ['router_config.json', { structure: { query: ['../x'], document: ['../x'] } }, /CONFIG: .*types/],
  ] as const) {
    const found = await codeOf(loadEmbedder(changed(splade, file, fields)).then((each) => each.embedSparse('a')));
    assert.match(found, expected, file);
  }
  const strategy = { query_expansion: { strategy: 'most', length: 3 } };
  assert.match(
    await codeOf(loadEmbedder(changed(colbert, 'sentence_bert_config.json', strategy)).then((each) => each.embed('a'))),
    /CONFIG_UNSUPPORTED/,
  );
});

test.run();
