import { join } from 'node:path';
import { readCases, readTensors, type GoldenFolder, type SentenceCase, type TinyCases } from '../../scripts/golden/files.js';
import { loadEmbedder } from '../../src/index.js';
import { loadModel, type LoadModelOptions } from '../../src/models/index.js';

/** How far a vector lies from its reference: |actual - expected| / |expected| in L2, and the cosine between them. */
export interface Distance {
  readonly relative: number;
  readonly cosine: number;
}

/** The distance of one vector (of all rows of a text, end to end) from its reference. */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): Distance {
  let [difference, norm, own, dot] = [0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
    own += actual[i]! ** 2;
    dot += actual[i]! * expected[i]!;
  }
  return { relative: Math.sqrt(difference / norm), cosine: dot / Math.sqrt(own * norm) };
}

/** The largest distance, over the texts of a golden folder, of hidden states and vectors from their float64 reference values. */
export async function worstDistance({ kind, path }: GoldenFolder, options: LoadModelOptions): Promise<Distance> {
  const expected = await readTensors(join(path, 'expected.safetensors'));
  const all: Distance[] = [];
  if (kind === 'tiny') {
    const sequences = readCases<TinyCases>(path).cases.flatMap(({ id, sequences: list }) =>
      list.map((sequence, i) => ({ name: list.length === 1 ? id : `${id}#${i}`, sequence })),
    );
    const model = await loadModel(path, options);
    const results = await model.forward(
      sequences.map(({ sequence: { input_ids: ids, token_type_ids: types } }) => ({
        ids: Int32Array.from(ids),
        ...(types === undefined ? {} : { typeIds: Int32Array.from(types) }),
      })),
    );
    model.dispose();
    sequences.forEach(({ name }, i) => {
      all.push(distance(results[i]!.lastHiddenState.data, expected.get(`last_hidden_state.${name}`)!.values));
    });
  } else {
    const { cases } = readCases<{ readonly cases: readonly SentenceCase[] }>(path);
    const rows = cases.filter(({ tensor }) => tensor === 'embeddings').sort((a, b) => a.row - b.row);
    const embedder = await loadEmbedder(path, options);
    const vectors = await embedder.embed(rows.map(({ text }) => text));
    embedder.dispose();
    const { values } = expected.get('embeddings')!;
    vectors.forEach(({ vector }, i) => all.push(distance(vector, values.slice(i * vector.length, (i + 1) * vector.length))));
  }
  if (all.length === 0) throw new Error(`Expected texts in ${path} but found none.`);
  return { relative: Math.max(...all.map(({ relative }) => relative)), cosine: Math.min(...all.map(({ cosine }) => cosine)) };
}
