import { atOnce, type TextModel } from '../../src/calls/text-reader.js';
import { createCollator, type DataTask } from '../../src/training/collators/index.js';
import { labelSet, type Row } from '../../src/training/datasets/index.js';

/** What scripts/check-python/collators.py writes: rows, and what transformers makes of them. */
export interface CollatorCases {
  readonly labels: readonly string[];
  readonly cases: readonly CollatorCase[];
}

interface CollatorCase {
  readonly task: DataTask;
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly row: Row;
  /** One entry a sequence: windows, choices, or the one text. */
  readonly expected: readonly {
    readonly ids: readonly number[];
    readonly typeIds?: readonly number[];
    readonly labels?: readonly number[];
    readonly span?: readonly number[];
  }[];
  readonly label?: number;
}

/** The numbers of the cases that our collators read differently, with what they made of them. */
export function differentCases(model: TextModel, { labels, cases }: CollatorCases): string[] {
  return cases.flatMap((each, i) => {
    const [got, wanted] = [JSON.stringify(madeOf(model, each, labels)), JSON.stringify(expectedOf(each))];
    return got === wanted
      ? []
      : [`${each.task} ${i}: ${JSON.stringify(each.options)} ${JSON.stringify(each.row)}\n  ours   ${got}\n  theirs ${wanted}`];
  });
}

function madeOf(model: TextModel, { task, options, row }: CollatorCase, labels: readonly string[]): unknown {
  const set = task === 'token-classification' ? labelSet(labels) : task === 'text-classification' ? labelSet(['a', 'b']) : undefined;
  const collator = createCollator(task, model, { ...options, ...(set === undefined ? {} : { labels: set }) });
  const example = atOnce(collator.encode(row, 0));
  if (example === undefined) return 'left out';
  const { batch } = collator.collate([example], { seed: 0, epoch: 0 });
  return {
    ids: Array.from(batch.inputIds),
    typeIds: Array.from(batch.tokenTypeIds ?? new Int32Array(batch.inputIds.length)),
    ends: Array.from(batch.cuSeqlens).slice(1),
    ...(task === 'token-classification' || task === 'multiple-choice' ? { labels: Array.from(batch.labels!) } : {}),
    ...(task === 'question-answering' ? { spans: Array.from(batch.spans!) } : {}),
  };
}

function expectedOf({ task, expected, label }: CollatorCase): unknown {
  let end = 0;
  return {
    ids: expected.flatMap(({ ids }) => ids),
    typeIds: expected.flatMap(({ ids, typeIds }) => typeIds ?? ids.map(() => 0)),
    ends: expected.map(({ ids }) => (end += ids.length)),
    ...(task === 'token-classification' ? { labels: expected.flatMap(({ labels }) => labels ?? []) } : {}),
    ...(task === 'multiple-choice' ? { labels: expected.map((_, i) => (i === 0 ? label! : -100)) } : {}),
    ...(task === 'question-answering' ? { spans: expected.flatMap(({ span }) => span ?? []) } : {}),
  };
}
