import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  communityDetection,
  type EmbeddingJson,
  evaluateBinary,
  evaluateReranking,
  evaluateRetrieval,
  evaluateSimilarity,
  evaluateTriplets,
  loadEmbedder,
  loadModel,
  loadVectors,
  pairwiseSimilarity,
  paraphraseMining,
  predictPairs,
  rerank,
  type RerankingSample,
  saveVectors,
  similarity,
} from '../../src/index.js';
import { editJson, golden, rejection, sentenceCopy, temporaryFolder } from '../support/checkpoint-files.js';
import { Random } from '../support/random.js';

const t = suite('vector utilities');

/** What sentence-transformers answers; `table` holds the vectors of texts. */
interface Fixture {
  readonly vectors: number[][];
  readonly communities: readonly { threshold: number; minCommunitySize: number; result: number[][] }[];
  readonly pairs: readonly { topK: number; maxPairs: number; result: [number, number, number][] }[];
  readonly table: Readonly<Record<string, number[]>>;
  readonly first: string[];
  readonly second: string[];
  readonly third: string[];
  readonly gold: number[];
  readonly labels: number[];
  readonly queries: Readonly<Record<string, string>>;
  readonly corpus: Readonly<Record<string, string>>;
  readonly relevant: Readonly<Record<string, string[]>>;
  readonly samples: RerankingSample[];
  readonly similarity: Readonly<Record<string, number>>;
  readonly binary: Readonly<Record<string, number>>;
  readonly triplets: Readonly<Record<string, number>>;
  readonly retrieval: Readonly<Record<string, number>>;
  readonly reranking: Readonly<Record<string, number>>;
}

const expected = JSON.parse(readFileSync(golden('vectors/utilities.json'), 'utf8')) as Fixture;
const model = { embed: (texts: readonly string[]) => Promise.resolve(texts.map((text) => expected.table[text]!)) };
const near = (actual: number, wanted: number | undefined, what: string, tolerance = 1e-12): void =>
  assert.ok(Math.abs(actual - wanted!) <= tolerance, `${what}: ${actual} for ${wanted}`);

t('communityDetection finds the communities of sentence-transformers', async () => {
  for (const { result, ...options } of expected.communities) {
    const found = await communityDetection(expected.vectors, options);
    assert.equal(found, result, JSON.stringify(options));
  }
  assert.equal(await communityDetection([]), []);
  assert.equal(await communityDetection(expected.vectors.slice(0, 9)), []);
  assert.is((await rejection(() => communityDetection(expected.vectors, { threshold: NaN }))).code, 'INVALID_OPTION');
});

t('paraphraseMining finds the pairs of sentence-transformers', async () => {
  for (const { result, ...options } of expected.pairs) {
    const found = await paraphraseMining(expected.vectors, options);
    assert.equal(
      found.map(({ i, j }) => [i, j]),
      result.map(([, i, j]) => [i, j]),
    );
    found.forEach(({ score }, place) => near(score, result[place]![0], 'score'));
  }
  const [best] = await paraphraseMining(expected.vectors, { maxPairs: 1, threshold: 0.5 });
  near(best!.score, similarity(expected.vectors[best!.i]!, expected.vectors[best!.j]!), 'score');
  assert.equal(await paraphraseMining([]), []);
  assert.equal(await paraphraseMining([[1, 2]]), []);
});

t('paraphraseMining of texts finds the pairs of their vectors, and stops with the signal', async () => {
  const embedder = await loadEmbedder(golden('sentence', 'normalize'));
  const texts = ['hello', 'a cat', 'hello guitar', 'hello', 'two cats', 'a guitar'];
  const options = { topK: 3, threshold: -0.5 };
  const vectors = await embedder.embed(texts);
  const pairs = await paraphraseMining(embedder, texts, options);
  assert.equal(pairs, await paraphraseMining(vectors, options));
  assert.equal([pairs[0]!.i, pairs[0]!.j, pairs[0]!.score.toFixed(5)], [0, 3, '1.00000']);
  assert.equal(await paraphraseMining(embedder, []), []);
  const stopped = paraphraseMining(embedder, texts, { signal: AbortSignal.abort('enough') });
  assert.is(await stopped.catch((reason: unknown) => reason), 'enough');
  const refused = [
    await rejection(() => paraphraseMining(embedder, 'hello' as never)),
    await rejection(() => paraphraseMining(embedder, ['hello', 7 as never])),
    await rejection(() => paraphraseMining(embedder, texts, { best: 1 } as object)),
  ];
  assert.equal(
    refused.map(({ message }) => message.slice(0, 66)),
    [
      'Expected a list of texts for paraphraseMining but received "hello"',
      'Expected a string for text 1 of paraphraseMining but received 7 of',
      'Expected a known option of paraphraseMining but received "best". K',
    ],
  );
  embedder.dispose();
});

t('paraphraseMining keeps the best pairs when it has found many more', async () => {
  const random = new Random(5);
  const vectors = Array.from({ length: 120 }, () => random.floats(5));
  const all = await paraphraseMining(vectors, { topK: 119 });
  assert.is(all.length, (120 * 119) / 2);
  assert.equal(await paraphraseMining(vectors, { topK: 119, maxPairs: 30 }), all.slice(0, 30));
});

t('pairwiseSimilarity compares the vectors at the same place', () => {
  const [a, b] = [expected.vectors.slice(0, 9), expected.vectors.slice(9, 18)];
  const found = pairwiseSimilarity(a, b);
  found.forEach((value, i) => assert.is(value, Math.fround(similarity(a[i]!, b[i]!))));
  assert.throws(() => pairwiseSimilarity(a, b.slice(1)), /as many vectors/);
});

t('evaluators give the numbers of sentence-transformers', async () => {
  const { first, second, third, gold, labels } = expected;
  for (const score of ['cosine', 'euclidean', 'manhattan', 'dot'] as const) {
    const found = await evaluateSimilarity(model, { sentences1: first, sentences2: second, scores: gold }, { score });
    near(found.pearson, expected.similarity[`pearson_${score}`], score);
    near(found.spearman, expected.similarity[`spearman_${score}`], score);
  }
  for (const score of ['cosine', 'euclidean'] as const) {
    const found = await evaluateBinary(model, { sentences1: first, sentences2: second, labels }, { score });
    const of = (name: string) => expected.binary[`${score}_${name}`]!;
    const sign = score === 'cosine' ? 1 : -1;
    near(found.accuracy, of('accuracy'), 'accuracy');
    near(sign * found.accuracyThreshold, of('accuracy_threshold'), 'accuracy threshold');
    near(found.f1, of('f1'), 'f1');
    near(sign * found.f1Threshold, of('f1_threshold'), 'f1 threshold');
    near(found.precision, of('precision'), 'precision');
    near(found.recall, of('recall'), 'recall');
    near(found.averagePrecision, of('ap'), 'average precision');
    near(found.matthews, of('mcc'), 'matthews');
  }
  for (const score of ['cosine', 'manhattan'] as const) {
    const { accuracy } = await evaluateTriplets(model, { anchors: first, positives: second, negatives: third }, { score });
    near(accuracy, expected.triplets[`${score}_accuracy`], score, 1e-7);
  }
  const { accuracy, precision, recall, mrr, ndcg, map } = await evaluateRetrieval(model, expected);
  const scores = { 'accuracy@': accuracy, 'precision@': precision, 'recall@': recall, 'mrr@': mrr, 'ndcg@': ndcg, 'map@': map };
  for (const [name, byK] of Object.entries(scores))
    for (const [k, value] of Object.entries(byK)) near(value, expected.retrieval[`cosine_${name}${k}`], name + k);
  const reranked = await evaluateReranking(model, expected.samples);
  near(reranked.map, expected.reranking['map'], 'map');
  near(reranked.mrr, expected.reranking['mrr@10'], 'mrr');
  near(reranked.ndcg, expected.reranking['ndcg@10'], 'ndcg');
  assert.is((await rejection(() => evaluateSimilarity(model, { sentences1: [], sentences2: [], scores: [] }))).code, 'INVALID_ARG');
});

t('encodeQuery and encodeDocument take the prompts of sentence-transformers 6.2', async () => {
  const folder = sentenceCopy('normalize');
  const config = join(folder, 'config_sentence_transformers.json');
  if (!existsSync(config)) writeFileSync(config, '{}');
  const cases = [
    [{ query: 'hello ', document: 'guitar ' }, null, 'hello ', 'guitar '],
    [{ passage: 'guitar ', corpus: 'guitar ' }, null, '', ''],
    [{ other: 'guitar ' }, 'other', '', ''],
  ] as const;
  for (const [prompts, name, query, document] of cases) {
    editJson(config, { prompts, default_prompt_name: name });
    const embedder = await loadEmbedder(folder);
    const [plain, found] = [await embedder.embed('hello', { prompt: query }), await embedder.encodeQuery('hello')];
    assert.equal(found.vector, plain.vector);
    const documents = await embedder.encodeDocument(['hello', 'guitar'], { maxLength: 8 });
    assert.equal(documents, await embedder.embed(['hello', 'guitar'], { prompt: document, maxLength: 8 }));
    assert.equal(
      (await embedder.encodeQuery('hello', { prompt: 'hello ' })).vector,
      (await embedder.embed('hello', { prompt: 'hello ' })).vector,
    );
    embedder.dispose();
  }
});

t('embeddings are written as JSON with plain numbers, and read back to the same vector', async () => {
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  for (const quantize of [undefined, 'int8', 'binary'] as const) {
    const embedding = await embedder.embed('hello guitar', { quantize });
    assert.equal(Object.keys(embedding), ['vector', 'tokens', 'truncated', ...(quantize === undefined ? [] : ['quantized'])]);
    const { vector, tokens, truncated, quantized } = JSON.parse(JSON.stringify(embedding)) as EmbeddingJson & {
      quantized?: { codes: number[] };
    };
    assert.ok(Array.isArray(vector));
    assert.equal(Float32Array.from(vector), embedding.vector);
    assert.equal([tokens, truncated], [embedding.tokens, embedding.truncated]);
    assert.equal(quantized?.codes, embedding.quantized && Array.from(embedding.quantized.codes));
    assert.ok(similarity({ vector }, embedding) > 1 - 1e-6);
  }
  const [first] = JSON.parse(JSON.stringify(embedder.embedSync(['hello']))) as EmbeddingJson[];
  assert.is(first!.vector.length, embedder.dimensions);
  embedder.dispose();
});

t('several queries are ranked in one call, and pairs are scored in their order', async () => {
  const cross = await loadModel(golden('tiny/bert-cross-encoder'));
  const [queries, documents] = [
    ['hello', 'a guitar'],
    ['hello guitar', 'the cat', 'hello'],
  ];
  const single = await Promise.all(queries.map((query) => rerank(cross, query, documents, { returnDocuments: true })));
  assert.equal(await rerank(cross, queries, documents, { returnDocuments: true }), single);
  const own = [documents.slice(0, 1), documents];
  const separate = await Promise.all(queries.map((query, q) => rerank(cross, query, own[q]!, { topK: 2 })));
  assert.equal(await rerank(cross, queries, own, { topK: 2 }), separate);
  assert.equal(await rerank(cross, [], documents), []);
  const pairs = documents.map((document) => ['hello', document] as const);
  const scores = await predictPairs(cross, pairs);
  for (const { index, score } of single[0]!) assert.is(scores[index], score);
  assert.equal(
    await predictPairs(
      cross,
      pairs.map(([text, textPair]) => ({ text, textPair })),
    ),
    scores,
  );
  assert.equal(await predictPairs(cross, []), []);
  assert.is((await rejection(() => predictPairs(cross, [['a']] as never))).code, 'INVALID_ARG');
  assert.is((await rejection(() => rerank(cross, queries, [documents]))).code, 'INVALID_ARG');
  cross.dispose();
});

t('vectors come back from files as they were', async () => {
  const folder = temporaryFolder();
  const random = new Random(6);
  const single = Array.from({ length: 700 }, () => random.floats(500));
  for (const format of ['npy', 'safetensors'] as const) {
    const file = join(folder, `vectors.${format}`);
    await saveVectors(file, single);
    const { data, dimensions } = await loadVectors(file);
    assert.is(dimensions, 500);
    assert.ok(data.BYTES_PER_ELEMENT === 4 && data.every((value, i) => value === single[Math.floor(i / 500)]![i % 500]));
    await saveVectors(file, [[0.1, 0.2], Float32Array.of(3, 4)]);
    assert.equal(await loadVectors(file), { data: Float64Array.of(0.1, 0.2, 3, 4), dimensions: 2 });
    await saveVectors(file, await loadVectors(file), { format });
    assert.equal((await loadVectors(file, { format })).dimensions, 2);
    // An error in the middle leaves the file that was there, and nothing else.
    assert.is((await rejection(() => saveVectors(file, [[1, 2], [3]]))).code, 'INVALID_ARG');
    assert.equal((await loadVectors(file)).data, Float64Array.of(0.1, 0.2, 3, 4));
  }
  assert.equal(readdirSync(folder).sort(), ['vectors.npy', 'vectors.safetensors']);
  symlinkSync(join(folder, 'vectors.npy'), join(folder, 'link.npy'));
  await saveVectors(join(folder, 'link.npy'), [[7]]);
  assert.equal((await loadVectors(join(folder, 'vectors.npy'))).data, Float64Array.of(7));
  assert.is((await rejection(() => saveVectors(join(folder, 'vectors.txt'), [[1]]))).code, 'INVALID_ARG');
  assert.is((await rejection(() => saveVectors(join(folder, 'none', 'vectors.npy'), [[1]]))).code, 'IO');
  await saveVectors(join(folder, 'named.safetensors'), [[1, 2]], { name: 'mine' });
  assert.equal((await loadVectors(join(folder, 'named.safetensors'))).dimensions, 2);
  assert.is((await rejection(() => loadVectors(join(folder, 'named.safetensors'), { name: 'other' }))).code, 'VECTOR_FILE');
});

t('files that hold no matrix are refused with a typed error', async () => {
  const file = join(temporaryFolder(), 'vectors.npy');
  await saveVectors(file, [Float32Array.of(1, 2), Float32Array.of(3, 4)]);
  const good = readFileSync(file);
  const header = good.toString('latin1', 10, 128);
  const withHeader = (text: string, data = good.subarray(128)): Buffer =>
    Buffer.concat([good.subarray(0, 10), Buffer.from(text.padEnd(117).slice(0, 117) + '\n', 'latin1'), data]);
  const bad = [
    Buffer.alloc(0),
    good.subarray(0, 9),
    good.subarray(0, 60),
    good.subarray(0, good.length - 1),
    Buffer.concat([good, Buffer.alloc(1)]),
    Buffer.concat([Buffer.from('\x93NUMPX', 'latin1'), good.subarray(6)]),
    Buffer.concat([good.subarray(0, 6), Buffer.of(9), good.subarray(7)]),
    withHeader(header.replace('<f4', '|O')),
    withHeader(header.replace('<f4', '>f4')),
    withHeader(header.replace('<f4', '<i4')),
    withHeader(header.replace('False', 'True')),
    withHeader(header.replace('(2, 2)', '(4,)')),
    withHeader(header.replace('(2, 2)', '(2, 1, 2)')),
    withHeader(header.replace('(2, 2)', '(99999999999999999999, 2)')),
    withHeader(header.replace('(2, 2)', '(0, 0)'), Buffer.alloc(0)),
    withHeader(header.replace('(2, 2)', '(-2, 2)')),
    withHeader("{'descr': __import__('os'), }"),
  ];
  for (const [i, bytes] of bad.entries()) {
    writeFileSync(file, bytes);
    assert.is((await rejection(() => loadVectors(file))).code, 'VECTOR_FILE', `file ${i}`);
  }
  writeFileSync(file, good);
  assert.equal((await loadVectors(file)).data, Float32Array.of(1, 2, 3, 4));
  const tensors = join(temporaryFolder(), 'cut.safetensors');
  await saveVectors(tensors, [[1, 2]]);
  writeFileSync(tensors, readFileSync(tensors).subarray(0, -3));
  assert.ok((await rejection(() => loadVectors(tensors))).code !== undefined);
});

t.run();
