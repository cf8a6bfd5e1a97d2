import { BerthaError } from '../../src/errors.js';
import { type KeyedVectors, loadWordVectors } from '../../src/word-vectors/index.js';
import { check, difference, type Golden, type Outcome, type Refusal, type Tensor } from './read.js';

interface FileVerdict {
  readonly file: string;
  readonly verdict: 'accept' | 'reject' | 'either';
}

type WordScore = readonly [word: string, similarity: number];

interface QueryCase extends Omit<Refusal, 'error'> {
  readonly kind: string;
  readonly error?: boolean;
  readonly positive: readonly string[];
  readonly negative: readonly string[];
  readonly topN?: number;
  readonly restrict?: number;
  readonly a: string & readonly string[];
  readonly b: string & readonly string[];
  readonly c: string;
  readonly words: readonly string[];
  readonly result: unknown;
  readonly file: string;
  readonly caseInsensitive: boolean;
  readonly zeroForUnknown: boolean;
  readonly pearson: number;
  readonly spearman: number;
  readonly outOfVocabularyPercent: number;
  readonly accuracy: number;
  readonly sections: readonly (readonly [name: string, correct: number, incorrect: number])[];
}

interface SubwordVector {
  readonly word: string;
  readonly known?: boolean;
  readonly vector: readonly number[];
}

interface WordFiles {
  readonly dimensions: number;
  readonly words: readonly string[];
  readonly counts: readonly number[];
  readonly files: readonly FileVerdict[];
  readonly documents: readonly (readonly string[])[];
  readonly idf: Readonly<Record<string, number>>;
  readonly fastText: { readonly cases: readonly SubwordVector[]; readonly pruned: readonly SubwordVector[] };
  readonly cases: readonly QueryCase[];
}

/** Milliseconds that refusing a damaged file may take. */
const kRefusedWithinMs = 100;

/** files/: good and hostile files, queries, evaluations, texts' vectors. */
export async function wordFiles(golden: Golden, outcome: Outcome): Promise<void> {
  const file = golden.json<WordFiles>('files/cases.json');
  const tensors = await golden.tensors('files/vectors.safetensors');
  for (const verdict of file.files) await judge(golden, verdict, outcome);
  for (const name of ['gensim.vec', 'gensim.bin', 'word2vec-c.bin', 'glove.txt', 'word2vec-c.txt']) {
    await compareContent(golden, name, file, tensors, outcome);
  }
  const kv = await loadWordVectors(golden.path('files/gensim.vec'), { vocabulary: golden.path('files/vocab.txt') });
  for (const [i, item] of file.cases.entries()) await ask(golden, kv, item, `${item.kind} ${i}`, outcome);
  await compareSubwords(golden, file, outcome);
  await compareDocuments(kv, file, tensors, outcome);
}

async function judge(golden: Golden, { file, verdict }: FileVerdict, outcome: Outcome): Promise<void> {
  const begin = performance.now();
  try {
    const { size } = await loadWordVectors(golden.path(`files/${file}`), file === 'header-like.txt' ? { header: false } : {});
    check(outcome, file, verdict !== 'reject' && size > 0, `accepted, ${size} words`);
  } catch (error) {
    check(outcome, file, verdict !== 'accept' && error instanceof BerthaError, String(error));
  }
  const took = performance.now() - begin;
  if (verdict === 'reject') check(outcome, `${file} in time`, took < kRefusedWithinMs, `${took} ms`);
}

async function compareContent(
  golden: Golden,
  name: string,
  file: WordFiles,
  tensors: ReadonlyMap<string, Tensor>,
  outcome: Outcome,
): Promise<void> {
  const kv = await loadWordVectors(golden.path(`files/${name}`));
  check(outcome, `${name} words`, kv.words().join('\n') === file.words.join('\n'));
  const far = difference((await kv.toMatrix()).data, tensors.get('vectors')!.data);
  // word2vec.c writes six decimals.
  check(outcome, `${name} vectors`, far <= (name === 'word2vec-c.txt' ? 5.1e-7 : 0), String(far));
}

async function ask(golden: Golden, kv: KeyedVectors, item: QueryCase, name: string, outcome: Outcome): Promise<void> {
  try {
    const isRight = await answerIsRight(golden, kv, item);
    check(outcome, name, item.error !== true && isRight);
  } catch (error) {
    check(outcome, name, item.error === true && error instanceof BerthaError, String(error));
  }
}

async function answerIsRight(golden: Golden, kv: KeyedVectors, item: QueryCase): Promise<boolean> {
  const { kind } = item;
  const [ranked, value] = [item.result as readonly WordScore[], item.result as number];
  const query = { positive: item.positive, negative: item.negative, topN: item.topN, restrictVocab: item.restrict };
  const options = { caseInsensitive: item.caseInsensitive, zeroForUnknown: item.zeroForUnknown };
  const near = (got: number, expected: number): boolean => Math.abs(got - expected) <= 1e-6;
  const areNear = (found: readonly { readonly word: string; readonly similarity: number }[]): boolean =>
    found.length === ranked.length && found.every(({ word, similarity }, i) => word === ranked[i]![0] && near(similarity, ranked[i]![1]));
  switch (kind) {
    case 'mostSimilar':
      return areNear(await kv.mostSimilar(query));
    case 'mostSimilarCosMul':
      return areNear(await kv.mostSimilarCosMul(query));
    case 'analogy':
      return areNear(await kv.analogy(item.a, item.b, item.c, { topN: ranked.length }));
    case 'similarity':
      return near(kv.similarity(item.a, item.b), value);
    case 'doesntMatch':
      return kv.doesntMatch(item.words) === item.result;
    case 'nSimilarity':
      return near(kv.nSimilarity(item.a, item.b), value);
    case 'evaluateWordPairs': {
      const got = await kv.evaluateWordPairs(golden.path(`files/${item.file}`), options);
      return (
        near(got.pearson, item.pearson) &&
        near(got.spearman, item.spearman) &&
        near(got.outOfVocabularyPercent, item.outOfVocabularyPercent)
      );
    }
    case 'evaluateAnalogies': {
      const { accuracy, sections } = await kv.evaluateWordAnalogies(golden.path(`files/${item.file}`), options);
      const counts = sections.map(({ section, correct, incorrect }) => [section, correct.length, incorrect.length]);
      return near(accuracy, item.accuracy) && JSON.stringify(counts) === JSON.stringify(item.sections);
    }
    default:
      return false;
  }
}

async function compareSubwords(golden: Golden, { fastText }: WordFiles, outcome: Outcome): Promise<void> {
  const [whole, pruned] = await Promise.all(
    ['fasttext.bin', 'fasttext-pruned.bin'].map((name) => loadWordVectors(golden.path(`files/${name}`))),
  );
  for (const [kv, cases, name] of [
    [whole!, fastText.cases, 'fastText'],
    [pruned!, fastText.pruned, 'pruned fastText'],
  ] as const) {
    for (const { word, known, vector } of cases) {
      if (known !== undefined) check(outcome, `${name} knows ${word}`, kv.has(word) === known);
      const got = kv.get(word) ?? new Float32Array(kv.dimensions);
      check(outcome, `${name} ${word}`, difference(got, vector) <= 1e-6, String(difference(got, vector)));
    }
  }
}

async function compareDocuments(
  kv: KeyedVectors,
  { documents, idf }: WordFiles,
  tensors: ReadonlyMap<string, Tensor>,
  outcome: Outcome,
): Promise<void> {
  for (const [kind, weights] of [
    ['mean', 'mean'],
    ['idf', new Map(Object.entries(idf))],
    ['sif', 'sif'],
  ] as const) {
    const { data } = await kv.documentVectors(documents, { weights });
    const wanted = tensors.get(`documents.${kind}`)!.data;
    check(outcome, `documents ${kind}`, difference(data, wanted) <= 1e-6, String(difference(data, wanted)));
  }
}
