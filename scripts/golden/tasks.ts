import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { readTokenizerFiles } from '../../src/checkpoint/tokenizer-files.js';
import { loadModel, type Model } from '../../src/models/index.js';
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
    if (!givesTypes(golden)) await withoutTypes(model, path);
    try {
      await compareHeadTensors(model, golden, expected, report);
      await compareAnswers(model, golden, report);
    } finally {
      model.dispose();
    }
  };
}

/** Whether the reference's tokenizer gave token types. */
function givesTypes({ cases }: TinyCases): boolean {
  return cases.some(({ sequences }) => sequences.some((each) => each.token_type_ids !== undefined));
}

/** Gives a model the tokenizer of the reference, which was loaded by a class that gives no token types unless tokenizer_config.json says so. */
async function withoutTypes(model: Model, path: string): Promise<void> {
  const files = await readTokenizerFiles(path);
  const config = JSON.parse(files.tokenizerConfig ?? '{}') as object;
  const tokenizerConfig = JSON.stringify({ ...config, model_input_names: ['input_ids', 'attention_mask'] });
  Object.assign(model, { tokenizer: createTokenizer({ ...files, tokenizerConfig }, { maxLength: model.maxTokens }) });
}
