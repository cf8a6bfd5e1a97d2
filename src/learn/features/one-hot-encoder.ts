import { unexpected } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { integer, oneOf, readOptions } from '../../options.js';
import type { Label } from '../../metrics/classification.js';
import { classesOf } from '../linear/labels.js';
import { SparseBuilder, type SparseMatrix } from '../matrix/sparse-matrix.js';
import { readEstimator, writeEstimator } from '../saving/estimator-files.js';

const kUnknown = ['error', 'ignore', 'infrequent_if_exist'] as const;
const kDrop = ['first', 'if_binary'] as const;
/** scikit-learn's name for what is rare. */
const kRare = 'infrequent_sklearn';

/** Options of `OneHotEncoder`. */
export interface OneHotOptions {
  /** What a value does that fit did not see: an error (default), zeros, or the column of the infrequent ones. */
  readonly handleUnknown?: (typeof kUnknown)[number] | undefined;
  /** Leave out the first category of each column, or of those with two. */
  readonly drop?: (typeof kDrop)[number] | undefined;
  /** Categories with fewer rows share one column. */
  readonly minFrequency?: number | undefined;
  /** Categories of a column at most, that of the infrequent ones included. */
  readonly maxCategories?: number | undefined;
}

const most = 2 ** 31;
const schema = { handleUnknown: oneOf(kUnknown), drop: oneOf(kDrop), minFrequency: integer(1, most), maxCategories: integer(1, most) };

interface Column {
  readonly categories: readonly Label[];
  /** How many rows of fit had each category. */
  readonly counts: readonly number[];
  /** The place of each category among the outputs; -1 for the one that is dropped. */
  readonly places: ReadonlyMap<Label, number>;
  /** What each output means. */
  readonly meanings: readonly Label[];
  /** The output of what is rare. */
  readonly rare: number | undefined;
  readonly dropped: Label | undefined;
}

/** Categories as zeros and a one, as scikit-learn's. Rows are lists of values, one for each column of the table. */
export class OneHotEncoder {
  readonly #options: OneHotOptions;
  #columns: readonly Column[] | undefined;

  /** Errors: INVALID_OPTION. */
  constructor(options?: OneHotOptions) {
    this.#options = readOptions('OneHotEncoder', options, schema);
  }

  /** What `save` wrote. Errors: ESTIMATOR, MODEL_NOT_FOUND, UNSAFE_FORMAT for pickles, IO, INVALID_ARG. */
  static load(directory: FilePath): Promise<OneHotEncoder> {
    return readEstimator(directory, 'one-hot', ['OneHotEncoder'], (reader) => {
      const encoder = reader.make((options) => new OneHotEncoder(options));
      const counts = reader.lists('counts');
      const columns = reader.lists('categories').map((list, j) => {
        const categories = reader.labels('categories', list);
        const own = counts[j] ?? [];
        const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && (count as number) >= 0;
        if (own.length !== categories.length || !own.every(isCount)) {
          throw reader.fields.error('counts', `${categories.length} whole numbers, one for each category, in list ${j}`, own);
        }
        return encoder.#place(categories, own);
      });
      encoder.#columns = columns;
      return encoder;
    });
  }

  /** Writes the encoder into a folder: one-hot.json, with the categories and how many rows had each. Errors: INVALID_ARG, also before fit, IO. */
  async save(directory: FilePath): Promise<void> {
    const columns = this.#fitted();
    const { handleUnknown, drop, minFrequency, maxCategories } = this.#options;
    await writeEstimator(directory, 'one-hot', {
      type: 'OneHotEncoder',
      params: { handle_unknown: handleUnknown, drop, min_frequency: minFrequency, max_categories: maxCategories },
      state: { categories: columns.map(({ categories }) => categories), counts: columns.map(({ counts }) => counts) },
    });
  }

  /** The categories of each column, sorted. Errors: INVALID_ARG before fit. */
  get categories(): readonly (readonly Label[])[] {
    return this.#fitted().map(({ categories }) => categories);
  }

  /** Reads the categories. Errors: INVALID_ARG for rows of different lengths, mixed kinds in a column, or where nothing is left. */
  fit(table: readonly (readonly Label[])[]): this {
    const width = table[0]?.length ?? 0;
    if (width === 0) throw unexpected('INVALID_ARG', 'rows of values for the table of fit', 'none');
    requireWidth(table, width);
    const columns = Array.from({ length: width }, (_, j) =>
      this.#column(
        table.map((row) => row[j]!),
        j,
      ),
    );
    if (columns.every(({ meanings }) => meanings.length === 0)) {
      throw unexpected('INVALID_ARG', 'a category that is left for OneHotEncoder', 'none after drop');
    }
    this.#columns = columns;
    return this;
  }

  /** Zeros and ones, sparse [rows, all categories]. Errors: INVALID_ARG before fit, for another width, and for unknown values. */
  transform(table: readonly (readonly Label[])[]): SparseMatrix {
    const columns = this.#fitted();
    requireWidth(table, columns.length);
    const builder = new SparseBuilder(columns.reduce((sum, { meanings }) => sum + meanings.length, 0));
    table.forEach((row, i) => {
      let first = 0;
      columns.forEach((column, j) => {
        const place = column.places.get(row[j]!) ?? this.#placeOfUnknown(column, row[j]!, i, j);
        if (place >= 0) builder.push(first + place, 1);
        first += column.meanings.length;
      });
      builder.endRow();
    });
    return builder.matrix();
  }

  /** `fit` and `transform` of the same table. Errors: INVALID_ARG. */
  fitTransform(table: readonly (readonly Label[])[]): SparseMatrix {
    return this.fit(table).transform(table);
  }

  /** The values that rows of zeros and ones mean; undefined for unknown ones. Errors: INVALID_ARG. */
  inverseTransform(x: SparseMatrix): (Label | undefined)[][] {
    const columns = this.#fitted();
    return Array.from({ length: x.rows }, (_, row) => {
      const ones = new Set<number>();
      x.each(row, (column, value) => {
        if (value !== 0) ones.add(column);
      });
      let first = 0;
      return columns.map(({ meanings, dropped }) => {
        const begin = first;
        first += meanings.length;
        return meanings.find((_meaning, i) => ones.has(begin + i)) ?? dropped;
      });
    });
  }

  /** Names of the outputs: `x0_red`. Errors: INVALID_ARG before fit. */
  getFeatureNamesOut(): string[] {
    return this.#fitted().flatMap(({ meanings }, j) => meanings.map((meaning) => `x${j}_${String(meaning)}`));
  }

  #fitted(): readonly Column[] {
    if (this.#columns === undefined) throw unexpected('INVALID_ARG', 'a OneHotEncoder after fit', 'one before');
    return this.#columns;
  }

  #placeOfUnknown({ rare }: Column, value: Label, row: number, column: number): number {
    const { handleUnknown = 'error' } = this.#options;
    if (handleUnknown === 'error') {
      throw unexpected('INVALID_ARG', `values that fit saw in column ${column}`, `${JSON.stringify(value)} in row ${row}`);
    }
    return handleUnknown === 'infrequent_if_exist' && rare !== undefined ? rare : -1;
  }

  #column(values: readonly Label[], j: number): Column {
    const categories = classesOf(values, `column ${j} of fit`);
    const counts = new Map<Label, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return this.#place(
      categories,
      categories.map((category) => counts.get(category)!),
    );
  }

  #place(categories: readonly Label[], counts: readonly number[]): Column {
    const rare = this.#rare(categories, new Map(categories.map((category, i) => [category, counts[i]!])));
    const kept: Label[] = categories.filter((category) => !rare.has(category));
    if (rare.size > 0) kept.push(kRare);
    const { drop } = this.#options;
    const isDropped = drop === 'first' || (drop === 'if_binary' && kept.length === 2);
    const dropped = isDropped ? kept[0] : undefined;
    const meanings = isDropped ? kept.slice(1) : kept;
    const place = (category: Label): number => (rare.has(category) ? meanings.length - 1 : meanings.indexOf(category));
    return {
      categories,
      counts,
      places: new Map(categories.map((category) => [category, place(category)])),
      meanings,
      rare: rare.size > 0 ? meanings.length - 1 : undefined,
      dropped,
    };
  }

  #rare(categories: readonly Label[], counts: ReadonlyMap<Label, number>): Set<Label> {
    const { minFrequency = 0, maxCategories = Infinity } = this.#options;
    const rare = new Set(categories.filter((category) => counts.get(category)! < minFrequency));
    if (categories.length - rare.size + 1 > maxCategories) {
      // The most frequent stay; of equal ones those that sort last, as in scikit-learn.
      const order = [...categories].sort((a, b) => counts.get(a)! - counts.get(b)!);
      for (const category of order.slice(0, order.length - (maxCategories - 1))) rare.add(category);
    }
    return rare;
  }
}

function requireWidth(table: readonly (readonly Label[])[], width: number): void {
  const wrong = table.findIndex((row) => !Array.isArray(row) || row.length !== width);
  if (wrong >= 0) throw unexpected('INVALID_ARG', `${width} values in each row of the table`, `others in row ${wrong}`);
}
