import { loadModel } from '../../src/models/index.js';
import { answerComparers, type AnswerComparer } from './answers.js';
import type { GoldenTensor, TinyCases } from './files.js';
import { compareHeadTensors } from './head-tensors.js';
import type { Report } from './report.js';

/** Compares what a model's head makes of the cases: its logits in `expected`, and the answers in `golden`. */
export type TaskComparer = (
  path: string,
  golden: TinyCases,
  expected: ReadonlyMap<string, GoldenTensor>,
  report: Report,
) => void | Promise<void>;

/** By the `task` of cases.json. What a task without a comparer has beyond the encoder's values is reported as not compared. */
export const taskComparers: Readonly<Partial<Record<string, TaskComparer>>> = {
  base: () => undefined,
  ...Object.fromEntries(Object.entries(answerComparers).map(([task, compareAnswers]) => [task, withModel(compareAnswers)])),
};

function withModel(compareAnswers: AnswerComparer): TaskComparer {
  return async (path, golden, expected, report) => {
    const model = await loadModel(path, report.load);
    try {
      await compareHeadTensors(model, golden, expected, report);
      await compareAnswers(model, golden, report);
    } finally {
      model.dispose();
    }
  };
}
