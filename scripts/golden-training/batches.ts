import { packBatch } from '../../src/runtime/batch.js';
import type { NativeMicroBatch } from '../../src/runtime/native.js';
import type { TrainingOptions } from '../../src/training/program/build-training.js';
import type { TrainingTask } from '../../src/training/program/tasks.js';

/** What case.json has of a batch. */
export interface GoldenBatch {
  readonly sequences: readonly {
    readonly input_ids: readonly number[];
    readonly token_type_ids?: readonly number[];
    readonly labels?: readonly number[];
  }[];
  readonly labels?: readonly (number | readonly number[])[];
  readonly start_positions?: readonly number[];
  readonly end_positions?: readonly number[];
  readonly next_sentence_labels?: readonly number[];
  readonly num_choices?: number;
  readonly scores?: readonly number[];
  readonly matryoshka_dims?: readonly number[];
  readonly distillation?: { readonly temperature: number; readonly alpha: number; readonly teacher_logits: readonly (readonly number[])[] };
}

/** A micro-batch and what counts in each loss. */
export interface Packed {
  readonly batch: NativeMicroBatch;
  readonly numItems: readonly number[];
}

const tasks: Readonly<Record<string, TrainingTask>> = {
  ForSequenceClassification: 'text-classification',
  ForTokenClassification: 'token-classification',
  ForQuestionAnswering: 'question-answering',
  ForMultipleChoice: 'multiple-choice',
  ForNextSentencePrediction: 'next-sentence-prediction',
  ForMaskedLM: 'fill-mask',
  Model: 'sentence-embedding',
};

/** The task of a class of transformers. */
export function taskOfClass(name: string): TrainingTask {
  if (name === 'ElectraForPreTraining') return 'replaced-token';
  if (name.endsWith('ForPreTraining')) return 'pretraining';
  return tasks[/(For\w+|Model)$/.exec(name)![1]!]!;
}

/** How a case's variant learns. */
export function optionsOf(className: string, loss: string, batch: GoldenBatch): TrainingOptions {
  const task = taskOfClass(className);
  const { distillation } = batch;
  const isRanking = loss.startsWith('multiple-negatives') || loss === 'matryoshka';
  return {
    task,
    seed: 1,
    ...(batch.num_choices === undefined ? {} : { numChoices: batch.num_choices }),
    ...(loss === 'label-smoothing' ? { labelSmoothing: 0.1 } : {}),
    ...(loss === 'distillation' ? { distillation: { alpha: distillation!.alpha, temperature: distillation!.temperature } } : {}),
    ...(isRanking ? { sentenceLoss: { loss: 'multiple-negatives-ranking', columns: columnsOf(loss) } as const } : {}),
    ...(loss === 'cosine-similarity' || loss === 'cosent' || loss === 'triplet' ? { sentenceLoss: { loss } as const } : {}),
    ...(loss === 'matryoshka' ? { matryoshka: { dims: batch.matryoshka_dims! } } : {}),
  };
}

function columnsOf(loss: string): number {
  return loss === 'triplet' || loss === 'multiple-negatives-ranking-hard' ? 3 : 2;
}

/** Packs a batch for a task. */
export function packGolden(task: TrainingTask, loss: string, golden: GoldenBatch): Packed {
  const all = golden.sequences;
  const used = task === 'sentence-embedding' ? all.slice(0, (all.length / 3) * columnsOf(loss)) : all;
  const packed = packBatch(
    used.map((each) => ({ ids: Int32Array.from(each.input_ids), ...(each.token_type_ids && { typeIds: each.token_type_ids }) })),
  );
  const flat = (): Int32Array => Int32Array.from(used.flatMap((each) => each.labels ?? []));
  const counted = (labels: ArrayLike<number>): number => Array.from(labels).filter((label) => label >= 0).length;
  switch (task) {
    case 'token-classification':
      return { batch: { ...packed, labels: flat() }, numItems: [counted(flat())] };
    case 'replaced-token':
      return { batch: { ...packed, numbers: Float32Array.from(flat()) }, numItems: [flat().length] };
    case 'fill-mask':
    case 'pretraining': {
      const positions = used.map(({ labels }) => labels!.flatMap((label, i) => (label >= 0 ? [i] : [])));
      const selected = Int32Array.from(positions.flat());
      const cuSelected = new Int32Array(used.length + 1);
      positions.forEach((list, i) => (cuSelected[i + 1] = cuSelected[i]! + list.length));
      const next = Int32Array.from(golden.next_sentence_labels ?? []);
      const batch = { ...packed, selected, cuSelected, labels: flat().filter((label) => label >= 0) };
      return task === 'fill-mask'
        ? { batch, numItems: [selected.length] }
        : { batch: { ...batch, sentenceLabels: next }, numItems: [selected.length, next.length] };
    }
    case 'question-answering': {
      const lengths = used.map((each) => each.input_ids.length);
      const spans = Int32Array.from(lengths.flatMap((_, i) => [golden.start_positions![i]!, golden.end_positions![i]!]));
      const inside = spans.filter((at, i) => at < lengths[i >> 1]!).length / 2;
      return { batch: { ...packed, spans }, numItems: [inside] };
    }
    case 'multiple-choice': {
      const choices = golden.num_choices!;
      const labels = Int32Array.from(used, (_, i) => golden.labels![Math.floor(i / choices)] as number);
      return { batch: { ...packed, labels }, numItems: [used.length / choices] };
    }
    case 'sentence-embedding': {
      const n = used.length / columnsOf(loss);
      const numbers = Float32Array.from({ length: used.length }, (_, i) => golden.scores![i] ?? 0);
      // CoSENT is one number for the whole batch.
      return { batch: { ...packed, numbers }, numItems: [loss === 'cosent' ? 1 : n] };
    }
    default: {
      const rows = golden.labels!;
      const isNumbers = task !== 'next-sentence-prediction' && rows.some((row) => typeof row !== 'number' || !Number.isInteger(row));
      const inputs = isNumbers ? { numbers: Float32Array.from(rows.flat()) } : { labels: Int32Array.from(rows as number[]) };
      const teacher = loss === 'distillation' ? { teacher: Float32Array.from(golden.distillation!.teacher_logits.flat()) } : {};
      return { batch: { ...packed, ...inputs, ...teacher }, numItems: [rows.length] };
    }
  }
}
