import { unexpected } from '../../expected.js';
import { componentsOf } from '../../vectors/vector-like.js';
import { isArrayDataset, rowsOf, type Dataset } from '../datasets/dataset.js';
import { describeRow, keepPlace, type Row } from '../datasets/row.js';
import type { Teacher } from './options.js';
import { textsOf, type SentenceShape } from './rows.js';

/** The column that a teacher's vectors are added in. */
export const teacherColumn = 'teacher vector';

/** Rows whose texts are embedded in one call. */
const kRowsPerCall = 256;

/**
 * A dataset with the vector that a teacher gives the first text of each row: of an array now, of a stream while it is read. The texts of the
 * other columns, such as translations, are to have the same vector (Reimers & Gurevych, 2020).
 *
 * Errors: DATASET, INVALID_ARG (vectors that are none), those of the teacher.
 */
export async function withTeacher(dataset: Dataset<Row>, teacher: Teacher, { texts }: Pick<SentenceShape, 'texts'>): Promise<Dataset<Row>> {
  const taught = {
    [Symbol.asyncIterator]: () => taughtRows(dataset, teacher, texts),
    length: isArrayDataset(dataset) ? dataset.length : undefined,
  };
  if (!isArrayDataset(dataset)) return taught.length === undefined && 'length' in dataset ? { ...taught, length: dataset.length } : taught;
  const rows: Row[] = [];
  for await (const row of taughtRows(dataset, teacher, texts)) rows.push(row);
  return rows;
}

async function* taughtRows(dataset: Dataset<Row>, teacher: Teacher, columns: readonly string[]): AsyncGenerator<Row, void, undefined> {
  let waiting: Row[] = [];
  let begin = 0;
  const take = async (): Promise<Row[]> => {
    const rows = waiting;
    waiting = [];
    const sources = rows.map((row, i) => textsOf(row, columns, begin + i)[0]!);
    const vectors = await teacher.embed(sources);
    if (vectors.length !== rows.length) throw unexpected('INVALID_ARG', `${rows.length} vectors from the teacher`, vectors.length);
    const taught = rows.map((row, i) => {
      const vector = Float32Array.from(componentsOf(vectors[i]!, 'a vector of the teacher'));
      if (!vector.every(Number.isFinite)) {
        throw unexpected('INVALID_ARG', `finite numbers from the teacher for ${describeRow(row, begin + i)}`, 'others');
      }
      return keepPlace({ ...row, [teacherColumn]: vector }, row);
    });
    begin += rows.length;
    return taught;
  };
  for await (const row of rowsOf(dataset)) if (waiting.push(row) === kRowsPerCall) yield* await take();
  if (waiting.length > 0) yield* await take();
}
