import { exampleClass } from '../architectures/registry.js';
import { requireModel } from '../calls/inputs.js';
import { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import type { Heads, Model } from '../models/index.js';

const kHeadNames: Readonly<Record<keyof Heads, string>> = {
  maskedLm: 'a masked-word head',
  nextSentence: 'a next-sentence head',
  sequenceClassification: 'a classification head',
  tokenClassification: 'a head over tokens',
  questionAnswering: 'a head for answers',
  multipleChoice: 'a multiple-choice head',
  replacedToken: "a discriminator's head",
};

/** A head as messages name it: `a masked-word head (BertForMaskedLM)`. */
function headName(head: keyof Heads): string {
  return `${kHeadNames[head]} (${exampleClass(head)})`;
}

/** Heads whose rows are labels, so that they need those of config.json. */
const kLabelHeads: readonly (keyof Heads)[] = ['sequenceClassification', 'tokenClassification'];

/**
 * The head that a task needs: by default the model's, or another reading of the same tensors. `hint` says what to do with a model that does not have it.
 *
 * Errors: INVALID_ARG, DISPOSED, NO_HEAD; MODEL_MISMATCH, DTYPE_UNSUPPORTED, CONFIG, CONFIG_UNSUPPORTED where the head is there and cannot be used.
 */
export function requireHead<K extends keyof Heads>(
  model: Model,
  head: K,
  task: string,
  hint = 'Load a model that was trained for this task.',
): NonNullable<Heads[K]> {
  requireModel(model, task);
  const { heads, otherHeads, headFaults } = model.values;
  const found = heads[head] ?? otherHeads[head];
  const { labelError } = model.config;
  const fault = headFaults[head] ?? (found !== undefined && kLabelHeads.includes(head) ? labelError : undefined);
  if (fault !== undefined) throw new BerthaError(fault.code, fault.message, { cause: fault });
  if (found !== undefined) return found;
  const is = model.config.architectures[0] ?? model.config.modelType;
  const has = Object.keys({ ...heads, ...otherHeads }).map((name) => headName(name as keyof Heads));
  const writes = model.values.decoder !== undefined;
  const received = writes ? 'a decoder, which writes text' : has.join(' and ') || 'no head at all';
  throw unexpected('NO_HEAD', `a model with ${headName(head)} for ${task}`, `${is} with ${received}`, {
    hint: writes ? 'Its task is generate.' : hint,
  });
}
