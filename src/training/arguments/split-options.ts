import { readOptions, type Schema } from '../../options.js';
import { trainingArguments, type TrainingArguments } from './training-arguments.js';

/**
 * The options of a call that also takes all training arguments: its own, checked, and the arguments. Names that neither knows are
 * trainingArguments' to refuse: it knows the reasons.
 *
 * Errors: INVALID_OPTION.
 */
export function splitOptions<Own>(
  call: string,
  options: unknown,
  schema: Schema,
): { readonly own: Partial<Own>; readonly args: TrainingArguments } {
  const given = Object.entries((options ?? {}) as object);
  const own = Object.fromEntries(given.filter(([name]) => Object.hasOwn(schema, name)));
  const args = trainingArguments(Object.fromEntries(given.filter(([name]) => !Object.hasOwn(schema, name))));
  return { own: readOptions(call, own, schema) as Partial<Own>, args };
}
