import type { PromptOptions } from '../calls/options.js';

/** What texts are for. */
export type Purpose = 'query' | 'document';

/** Settings with the prompt of what the texts are for, none where the model has none of that name; `prompt` and `promptName` come first. */
export function forPurpose<S extends PromptOptions & { readonly as?: Purpose | undefined }>(
  settings: S,
  prompts: Readonly<Record<string, string>>,
): S {
  const { as, prompt, promptName } = settings;
  return as === undefined || prompt !== undefined || promptName !== undefined ? settings : { ...settings, prompt: prompts[as] ?? '' };
}
