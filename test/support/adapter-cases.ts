import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadModelOptions, Model } from '../../src/models/index.js';
import { loadModel, type Value } from '../../src/models/index.js';
import { golden } from './checkpoint-files.js';

/** An adapter of peft and what peft computes with it; scripts/check-python/make_adapters.py. */
export interface AdapterCase {
  readonly name: string;
  readonly folder: string;
  /** The model that it is for, a directory. */
  readonly base: string;
  readonly class: string;
  readonly batch: readonly { readonly input_ids: readonly number[]; readonly token_type_ids: readonly number[] }[];
  readonly outputs: readonly number[];
  /** Whether it is of a kind that is refused. */
  readonly refused: boolean;
}

/** The cases of a folder, by name. */
export function adapterCases(root: string): AdapterCase[] {
  return readdirSync(root)
    .filter((name) => !name.includes('.'))
    .map((name) => {
      const folder = join(root, name);
      const stored = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Omit<AdapterCase, 'name' | 'folder'>;
      return { ...stored, name, folder, base: golden('tiny', stored.base) };
    });
}

/** Words of which the outputs of a masked language model hold the logits. */
const kWords = 64;

/** What a case's model computes, as `outputs` has it. */
export async function outputsOf(each: AdapterCase, options: LoadModelOptions = {}): Promise<number[]> {
  const model = await loadModel(each.base, { adapter: each.folder, ...options });
  try {
    return await computed(model, each);
  } finally {
    model.dispose();
  }
}

/** The same of a loaded model. */
export async function computed(model: Model, each: AdapterCase): Promise<number[]> {
  const batch = model.pack(
    each.batch.map(({ input_ids: ids, token_type_ids: types }) => ({ ids: Int32Array.from(ids), typeIds: Int32Array.from(types) })),
  );
  const { value, width } = valueOf(model, each.class);
  const lengths = each.batch.map(({ input_ids: ids }) => ids.length);
  const selected = Int32Array.from(lengths.flatMap((length) => Array.from({ length }, (_, i) => i)));
  const [rows] = await model.session.run({ ...batch, selected, cuSelected: batch.cuSeqlens }, [value]);
  if (width === value.width) return Array.from(rows!);
  return Array.from({ length: rows!.length / value.width }, (_, row) => [
    ...rows!.subarray(row * value.width, row * value.width + width),
  ]).flat();
}

function valueOf({ values }: Model, name: string): { readonly value: Value; readonly width: number } {
  const heads = { ...values.otherHeads, ...values.heads };
  const all: readonly (readonly [RegExp, Value | undefined])[] = [
    [/ForSequenceClassification$/, heads.sequenceClassification],
    [/ForTokenClassification$/, heads.tokenClassification],
    [/ForQuestionAnswering$/, heads.questionAnswering],
    [/ForMultipleChoice$/, heads.multipleChoice],
    [/ForNextSentencePrediction$/, heads.nextSentence],
    [/ForMaskedLM$/, heads.maskedLm?.logits],
    [/^ElectraForPreTraining$/, heads.replacedToken],
    [/Model$/, values.lastHiddenState],
  ];
  const value = all.find(([pattern]) => pattern.test(name))?.[1];
  if (value === undefined) throw new Error(`Expected a head for ${name} but the model has ${Object.keys(heads).join(', ')}.`);
  return { value, width: name.endsWith('MaskedLM') ? kWords : value.width };
}

/** The largest difference of two lists, beside the largest number of the second. */
export function worstOf(found: readonly number[], expected: readonly number[]): number {
  if (found.length !== expected.length) throw new Error(`Expected ${expected.length} numbers but received ${found.length}.`);
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(...found.map((value, i) => Math.abs(value - expected[i]!) / scale));
}
