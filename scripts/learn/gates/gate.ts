import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the data is, and what may be used of the machine. */
export interface GateOptions {
  /** The shared folder: eval/, text/. */
  readonly shared: string;
  readonly threads: number | undefined;
  readonly seeds: number;
  /** A Python with sentence-transformers and scikit-learn, which computes its library's scores anew. */
  readonly python: string | undefined;
  /** The folder in which `--task pretrain` has left its text and its model. */
  readonly keep: string | undefined;
}

/** The scores of one seed or draw, by epochs; 0 is before training. */
export interface ReferenceRun {
  readonly seed: number;
  readonly scores: Readonly<Record<string, number>>;
}

/** A figure that a feature must reach on real data: it prints what it finds. */
export interface Gate {
  /** Files of the shared folder, without which it is skipped. */
  readonly files: readonly string[];
  run(options: GateOptions): Promise<void>;
}

/** A pair of STS-B: two sentences, and how alike people found them, 0 to 5. */
export interface ScoredPair {
  readonly [column: string]: unknown;
  readonly text: string;
  readonly textPair: string;
  readonly label: number;
}

/** The pairs of a file of STS-B. */
export function readPairs(path: string): ScoredPair[] {
  return linesOf(path).map((line) => {
    const fields = line.split('\t');
    return { text: fields[5]!, textPair: fields[6]!, label: Number(fields[4]) };
  });
}

/** Labelled texts of a file of SST-2 or TREC, whose lines begin with the label. */
export function readLabelled(path: string): { readonly text: string; readonly label: string }[] {
  return linesOf(path).map((line) => ({ text: line.slice(line.indexOf(' ') + 1), label: `label ${line.slice(0, line.indexOf(' '))}` }));
}

/** The lines of a file that are not empty. */
export function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** The middle one of an odd number of scores. */
export function median(scores: readonly number[]): number {
  return [...scores].sort((a, b) => a - b)[scores.length >> 1]!;
}

/** A share as a percentage with one digit. */
export function percent(share: number): string {
  return (100 * share).toFixed(1);
}

/** Prints whether a figure reaches what it must. */
export function judge(what: string, found: number, wanted: number): void {
  console.log(`${found >= wanted ? 'ok    ' : 'BELOW '} ${what}: ${found.toFixed(3)}, wanted ${Number(wanted.toFixed(3))}`);
}

/** Prints whether a share reaches a figure that was aimed at or, where that proves out of reach, what the Python library has from the same data and arguments less a point. */
export function judgeBeside(what: string, found: number, wanted: number, theirs: number | undefined): void {
  judge(
    `${what} (Python: ${theirs === undefined ? 'not stored' : percent(theirs)})`,
    100 * found,
    100 * Math.min(wanted, (theirs ?? Infinity) - 0.01),
  );
}

/** Lets a script beside this file compute its library's scores of `data`, which it stores in results.json. */
export function runReference(python: string, script: string, data: unknown, args: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-reference-'));
  try {
    const file = join(folder, 'data.json');
    writeFileSync(file, JSON.stringify(data));
    execFileSync(python, [join(import.meta.dirname, script), file, ...args], {
      stdio: 'inherit',
      env: { ...process.env, HF_HUB_OFFLINE: '1' },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The stored scores of a task. */
export function referenceRuns(task: string): readonly ReferenceRun[] {
  const results = JSON.parse(readFileSync(join(import.meta.dirname, '../results.json'), 'utf8')) as Readonly<
    Record<string, { readonly runs: readonly ReferenceRun[] }>
  >;
  return results[task]?.runs ?? [];
}
