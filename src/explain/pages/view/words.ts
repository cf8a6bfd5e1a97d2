import { english, type Words } from './words-en.js';
import { chinese } from './words-zh.js';

/** A language by its tag. */
export type Language = 'en' | 'zh';

/** The strings by language. */
export const languages: Readonly<Record<Language, Words>> = { en: english, zh: chinese };

/** A string with its places filled in. */
export function fill(text: string, ...values: readonly (string | number)[]): string {
  let place = 0;
  return text.replaceAll('{}', () => String(values[place++] ?? ''));
}

/** The language that was chosen, or that a locale asks for. */
export function languageOf(chosen: 'auto' | Language, locale: string): Language {
  if (chosen !== 'auto') return chosen;
  return locale.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
