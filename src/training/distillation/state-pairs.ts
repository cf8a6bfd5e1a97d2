import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';

/** A state of the student (0: the embeddings, then the layers), the teacher's that it is to be like, and how much that counts. */
export interface StatePair {
  readonly student: number;
  readonly teacher: number;
  readonly weight: number;
}

/** Whose states are compared. */
export interface StateOptions {
  readonly hiddenWeight?: number | undefined;
  readonly embeddingWeight?: number | undefined;
  /** Layers of the teacher that the student was made of. */
  readonly layers: readonly number[] | undefined;
}

/**
 * The states that are compared: each layer of the student with the teacher's that it was made of, else with the one that lies as deep.
 *
 * Errors: INVALID_OPTION for models of different widths.
 */
export function statePairs({ hiddenWeight = 0, embeddingWeight = 0, layers }: StateOptions, teacher: Model, student: Model): StatePair[] {
  const count = student.config.numLayers;
  const depth = (layer: number): number => layers?.[layer] ?? Math.round(((layer + 1) * teacher.config.numLayers) / count) - 1;
  const pairs = [
    ...(embeddingWeight > 0 ? [{ student: 0, teacher: 0, weight: embeddingWeight }] : []),
    ...(hiddenWeight > 0
      ? Array.from({ length: count }, (_, layer) => ({ student: layer + 1, teacher: depth(layer) + 1, weight: hiddenWeight }))
      : []),
  ];
  const [wanted, got] = [teacher, student].map(({ config }) => config.hiddenSize);
  if (pairs.length > 0 && wanted !== got) {
    throw unexpected('INVALID_OPTION', `a student of the teacher's hidden size, ${wanted}, for hiddenWeight and embeddingWeight`, got!);
  }
  return pairs;
}
