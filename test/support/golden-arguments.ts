import {
  trainingArguments,
  type TrainingArguments,
  type TrainingArgumentsOptions,
} from '../../src/training/arguments/training-arguments.js';

/** transformers' arguments, as golden files have them, under our names. */
export function argumentsOf(given: Readonly<Record<string, unknown>>, more: TrainingArgumentsOptions = {}): TrainingArguments {
  const named = Object.entries(given).map(([key, value]) => [
    key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return trainingArguments({ ...(Object.fromEntries(named) as TrainingArgumentsOptions), ...more });
}
