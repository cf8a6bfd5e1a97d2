import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { similarity } from '../../src/index.js';
import { spearman } from '../../src/metrics/index.js';
import { evaluationTexts, sharedFolder } from './texts.js';

/** How far vectors lie from the reference's: cosines over the thousand texts, the largest difference of a component. */
export interface Accuracy {
  readonly mean: number;
  readonly onePercent: number;
  readonly min: number;
  readonly maxAbs: number;
  /** Mean cosine by kind of text. */
  readonly byKind: Readonly<Record<string, number>>;
  /** STS-B dev: Spearman's rank correlation times 100, of the vectors themselves. Absent without the file. */
  readonly sts?: number;
}

/** Anything that makes vectors. */
export type Embed = (texts: readonly string[]) => Promise<readonly Float32Array[]>;

/** The reference's vectors and what others are measured on. */
export class AccuracySet {
  readonly #texts = evaluationTexts();
  readonly #reference: readonly Float32Array[];

  private constructor(reference: readonly Float32Array[]) {
    this.#reference = reference;
  }

  static async make(reference: Embed): Promise<AccuracySet> {
    return new AccuracySet(await reference(evaluationTexts().map(({ text }) => text)));
  }

  async measure(embed: Embed): Promise<Accuracy> {
    const vectors = await embed(this.#texts.map(({ text }) => text));
    const cosines = vectors.map((vector, i) => similarity(vector, this.#reference[i]!));
    const sorted = [...cosines].sort((a, b) => a - b);
    const kinds = [...new Set(this.#texts.map(({ kind }) => kind))];
    const byKind = Object.fromEntries(kinds.map((kind) => [kind, mean(cosines.filter((_, i) => this.#texts[i]!.kind === kind))]));
    const sts = await stsScore(embed);
    return {
      mean: mean(cosines),
      onePercent: sorted[Math.floor(sorted.length / 100)]!,
      min: sorted[0]!,
      maxAbs: Math.max(...vectors.map((vector, i) => largestDifference(vector, this.#reference[i]!))),
      byKind,
      ...(sts === undefined ? {} : { sts }),
    };
  }
}

async function stsScore(embed: Embed): Promise<number | undefined> {
  const file = join(sharedFolder, 'eval/sts/sts-dev.csv');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const pairs = lines.map((line) => line.split('\t'));
  const vectors = await embed(pairs.flatMap((columns) => [columns[5]!, columns[6]!]));
  const cosines = pairs.map((_, i) => similarity(vectors[2 * i]!, vectors[2 * i + 1]!));
  const scores = pairs.map((columns) => Number(columns[4]));
  return 100 * spearman(cosines, scores);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}
