import { quotePath } from '../../checkpoint/describe.js';
import { wrongArgument } from '../../expected.js';
import { readFilePath, type FilePath } from '../../file-path.js';
import type { LoggedNumber } from '../../training/report/event-file.js';
import { filesOfRun, readLoggedNumbers } from '../../training/report/read-run.js';

/** A number over the steps of a run. */
export interface TrainingCurve {
  /** The run's folder or file, as it was given. */
  readonly run: string;
  /** As TensorBoard names it: `train/loss`, `eval/accuracy`. */
  readonly name: string;
  /** Rising. */
  readonly steps: readonly number[];
  /** As many; NaN where the number was none. */
  readonly values: readonly number[];
}

/** The curves of one run or of several. */
export interface TrainingCurves {
  readonly curves: readonly TrainingCurve[];
  /** What could not be read. */
  readonly warnings: readonly string[];
}

/**
 * The curves of runs, to lay over each other: from `log.jsonl`, as training here writes it, or TensorBoard's event files, whoever wrote them. A folder is
 * a run: its log.jsonl, or without one its event files. Where a run began again at an earlier step, what it wrote later counts. A file that ends within a
 * line or a record is read up to there, with a warning.
 *
 * Errors: IO, INVALID_ARG for no paths, or a folder without such files.
 *
 * @example
 * const { curves } = await trainingCurves(['runs/first', 'runs/second']);
 * for (const { run, name, values } of curves) console.log(run, name, values.at(-1));
 */
export async function trainingCurves(runs: FilePath | readonly FilePath[]): Promise<TrainingCurves> {
  const given: readonly unknown[] = Array.isArray(runs) ? runs : [runs];
  if (given.length === 0) throw wrongArgument('paths of runs for trainingCurves', given);
  const curves: TrainingCurve[] = [];
  const warnings: string[] = [];
  for (const each of given) {
    const run = readFilePath(each);
    if (run === undefined) throw wrongArgument('the path or URL of a run for trainingCurves', each);
    const scalars: LoggedNumber[] = [];
    for (const file of await filesOfRun(run)) {
      const { scalars: own, problem } = await readLoggedNumbers(file);
      scalars.push(...own);
      if (problem !== undefined) warnings.push(`${quotePath(file)} was read in part: ${problem}.`);
    }
    curves.push(...curvesOf(run, scalars));
  }
  return { curves, warnings };
}

/** One curve a name. A step that is not above the last one takes the place of all from there on. */
function curvesOf(run: string, scalars: readonly LoggedNumber[]): TrainingCurve[] {
  const curves = new Map<string, { readonly steps: number[]; readonly values: number[] }>();
  for (const { step, tag, value } of scalars) {
    const { steps, values } = curves.get(tag) ?? { steps: [], values: [] };
    while (steps.length > 0 && steps.at(-1)! >= step) {
      steps.pop();
      values.pop();
    }
    steps.push(step);
    values.push(value);
    curves.set(tag, { steps, values });
  }
  return Array.from(curves, ([name, curve]) => ({ run, name, ...curve }));
}
