import type { Model } from '../../src/models/index.js';
import type { Value } from '../../src/models/program/program.js';
import { computeSequences } from '../../src/calls/compute.js';
import type { GoldenSequence, GoldenTensor, TinyCases } from './files.js';
import type { Report } from './report.js';

/** Compares the logits of every sequence in `expected` with what the model's heads compute, all sequences in one batch. */
export async function compareHeadTensors(
  model: Model,
  golden: TinyCases,
  expected: ReadonlyMap<string, GoldenTensor>,
  report: Report,
): Promise<void> {
  const { heads } = model.values;
  const wanted: readonly (readonly [string, Value | undefined, number?])[] = [
    [
      'logits',
      heads.maskedLm?.logits ?? heads.sequenceClassification ?? heads.tokenClassification ?? heads.multipleChoice ?? heads.replacedToken,
    ],
    ['logits', heads.nextSentence],
    ['prediction_logits', heads.maskedLm?.logits],
    ['seq_relationship_logits', heads.nextSentence],
    ['start_logits', heads.questionAnswering, 0],
    ['end_logits', heads.questionAnswering, 1],
  ];
  const sequences = golden.cases.flatMap(({ id, sequences: list }) =>
    list.map((sequence, i) => ({ name: list.length === 1 ? id : `${id}#${i}`, sequence })),
  );
  const compared = new Set<string>();
  for (const [what, value, column] of wanted) {
    if (value === undefined) continue;
    const own = sequences.filter(({ name }) => expected.has(`${what}.${name}`) && !compared.has(`${what}.${name}`));
    if (own.length === 0) continue;
    const rows = await computeSequences(
      model,
      own.map(({ sequence }) => wholeSequence(sequence)),
      [value],
    );
    own.forEach(({ name }, i) => {
      const [data] = rows[i]!;
      const actual = column === undefined ? data : data!.filter((_, at) => at % 2 === column);
      report.compare(`${what}.${name}`, actual, expected.get(`${what}.${name}`)!);
      compared.add(`${what}.${name}`);
    });
  }
  for (const name of expected.keys()) {
    if (/logits\./.test(name) && !compared.has(name)) report.failures.push(`${name}: expected values but the model has no such head`);
  }
}

/** Asks for the logits of every position. */
function wholeSequence({ input_ids: ids, token_type_ids: types }: GoldenSequence) {
  return {
    ids: Int32Array.from(ids),
    typeIds: Int32Array.from(types ?? ids.map(() => 0)),
    selected: Int32Array.from(ids, (_, i) => i),
  };
}
