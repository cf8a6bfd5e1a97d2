import { OneHotEncoder, type OneHotOptions } from '../../src/learn/features/one-hot-encoder.js';
import type { SparseMatrix } from '../../src/learn/matrix/sparse-matrix.js';
import { CountVectorizer } from '../../src/learn/text/count-vectorizer.js';
import { englishStopWords } from '../../src/learn/text/stop-words.js';
import { TfidfVectorizer, type TfidfVectorizerOptions } from '../../src/learn/text/tfidf-vectorizer.js';
import { kWordCharacter } from '../../src/learn/text/tokenize.js';
import type { Label } from '../../src/metrics/classification.js';
import { check, difference, type Golden, type Outcome, refusedOr, type Refusal } from './read.js';

/** Compressed rows, as text.json writes them. */
interface Rows {
  readonly indptr: readonly number[];
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

interface TextCase extends Refusal {
  readonly kind: 'count' | 'tfidf';
  readonly corpus: string;
  readonly options: Omit<TfidfVectorizerOptions, 'tokenPattern'> & { readonly tokenPattern?: string };
  readonly result: Rows & {
    readonly features: readonly string[];
    readonly idf?: readonly number[] | null;
    readonly unseen?: Rows & { readonly texts: readonly string[] };
  };
}

interface Texts {
  readonly corpora: Readonly<Record<string, readonly string[]>>;
  readonly cases: readonly TextCase[];
  readonly englishStopWords: readonly string[];
}

type Table = readonly (readonly Label[])[];

interface OneHotCase extends Refusal {
  readonly table: string;
  readonly options: OneHotOptions;
  readonly result: {
    readonly categories: Table;
    readonly rows: readonly (readonly number[])[];
    readonly names: readonly string[];
    readonly back: readonly (readonly (Label | null)[])[];
    readonly strangers?: Refusal & { readonly result: readonly (readonly number[])[] };
  };
}

interface OneHotFile {
  readonly tables: Readonly<Record<string, Table>>;
  readonly strangers: Readonly<Record<string, Table>>;
  readonly cases: readonly OneHotCase[];
}

/** text.json: counts and TF-IDF. */
export async function text(golden: Golden, outcome: Outcome): Promise<void> {
  const { corpora, cases, englishStopWords: stop } = golden.json<Texts>('text.json');
  check(outcome, 'stop words', stop.join() === [...englishStopWords].join());
  for (const item of cases) {
    const name = `${item.kind} ${item.corpus} ${JSON.stringify(item.options)}`;
    await refusedOr(outcome, name, item, async () => {
      const { tokenPattern, ...rest } = item.options;
      const options = tokenPattern === undefined ? rest : { ...rest, tokenPattern: pythonPattern(tokenPattern) };
      const vectorizer = item.kind === 'count' ? new CountVectorizer(options) : new TfidfVectorizer(options);
      const matrix = await vectorizer.fitTransform(corpora[item.corpus]!);
      if (item.error !== undefined) return;
      const { result } = item;
      const features = vectorizer.getFeatureNamesOut();
      check(
        outcome,
        `${name} features`,
        JSON.stringify(features) === JSON.stringify(result.features),
        firstDifference(features, result.features),
      );
      check(outcome, `${name} values`, isMatrix(matrix, result));
      if (result.unseen !== undefined)
        check(outcome, `${name} unseen`, isMatrix(await vectorizer.transform(result.unseen.texts), result.unseen));
      if (result.idf !== undefined && result.idf !== null && vectorizer instanceof TfidfVectorizer) {
        check(outcome, `${name} idf`, difference(vectorizer.idf!, result.idf) <= 1e-12);
      }
    });
  }
}

function firstDifference(got: readonly string[], expected: readonly string[]): string {
  const i = got.findIndex((feature, place) => feature !== expected[place]);
  return `${got.length} of ${expected.length}, at ${i}: ${JSON.stringify(got[i])}, ${JSON.stringify(expected[i])}`;
}

/** A pattern of Python's in JavaScript's words: \w and \b of Unicode. */
function pythonPattern(source: string): RegExp {
  const boundary = `(?:(?<=${kWordCharacter})(?!${kWordCharacter})|(?<!${kWordCharacter})(?=${kWordCharacter}))`;
  return new RegExp(source.replace('(?u)', '').replaceAll('\\b', boundary).replaceAll('\\w', kWordCharacter), 'gu');
}

function isMatrix(got: SparseMatrix, expected: Rows): boolean {
  const isSame = (a: ArrayLike<number>, b: readonly number[]): boolean => Array.from(a).join() === b.join();
  return isSame(got.indptr, expected.indptr) && isSame(got.indices, expected.indices) && difference(got.values, expected.values) <= 1e-12;
}

/** one-hot.json. */
export async function oneHot(golden: Golden, outcome: Outcome): Promise<void> {
  const { tables, strangers, cases } = golden.json<OneHotFile>('one-hot.json');
  for (const item of cases) {
    const name = `${item.table} ${JSON.stringify(item.options)}`;
    await refusedOr(outcome, name, item, async () => {
      const encoder = new OneHotEncoder(item.options);
      const rows = encoder.fitTransform(tables[item.table]!);
      if (item.error !== undefined) return;
      const { result } = item;
      const same = (what: string, got: unknown, expected: unknown): void =>
        check(outcome, `${name} ${what}`, JSON.stringify(got) === JSON.stringify(expected), JSON.stringify(got));
      same('categories', encoder.categories, result.categories);
      same('rows', listsOf(rows), result.rows);
      same('names', encoder.getFeatureNamesOut(), result.names);
      same('back', encoder.inverseTransform(rows), result.back);
      const { strangers: expected } = result;
      if (expected === undefined) return;
      await refusedOr(outcome, `${name} strangers`, expected, () => {
        const got = listsOf(encoder.transform(strangers[item.table]!));
        if (expected.error === undefined) same('strangers', got, expected.result);
      });
    });
  }
}

function listsOf(matrix: SparseMatrix): number[][] {
  const { data, dimensions } = matrix.toDense();
  return Array.from({ length: matrix.rows }, (_, i) => Array.from(data.slice(i * dimensions, (i + 1) * dimensions)));
}
