import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Scores by name, from 0 to 1. */
export type Scores = Readonly<Record<string, number>>;

/** What a head reaches on held-out rows. */
export interface HeadScores {
  /** Whether it is good enough to be shipped, and is. */
  readonly bundled: boolean;
  readonly adapter?: Scores;
  /** All weights trained on the same rows. */
  readonly full?: Scores;
  readonly floors: Scores;
}

/** weights/scores.json, by the heads' names. */
export function readScores(weights: string): Readonly<Record<string, HeadScores>> {
  const file = join(weights, 'scores.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, HeadScores>) : {};
}

/** Writes it, with four digits a score. */
export function writeScores(weights: string, scores: Readonly<Record<string, HeadScores>>): void {
  const rounded = JSON.stringify(scores, (_, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(4)) : value), 2);
  writeFileSync(join(weights, 'scores.json'), `${rounded}\n`);
}
