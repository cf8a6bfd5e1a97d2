import type { ComponentChildren } from 'preact';
import type { Word, Words } from '../words.js';

/** What a person fills in for a task. */
export interface Field {
  readonly name: string;
  readonly word: Word;
  /** With `choices`, one of them. */
  readonly kind: 'line' | 'text' | 'lines';
  readonly choices?: readonly string[];
  readonly sample: Readonly<Record<'en' | 'zh', string>>;
}

/** What was filled in, by the fields' names. */
export type Values = Readonly<Record<string, string>>;

/** A task that a model can be tried with. */
export interface Task {
  readonly id: string;
  readonly title: Readonly<Record<'en' | 'zh', string>>;
  readonly hint: Readonly<Record<'en' | 'zh', string>>;
  /** What a model must be able to do; null for any model. */
  readonly ability: string | null;
  readonly fields: readonly Field[];
  /** Whether the answer is a text that appears while it is written. */
  readonly isWritten?: boolean;
  /** The request. */
  readonly ask: (values: Values, model: string) => { readonly path: string; readonly body: object };
  /** The answer as a person reads it. */
  readonly show: (answer: never, values: Values, words: Words, model: string) => ComponentChildren;
}

/** The lines of a field that are not empty. */
export function linesOf(text: string | undefined): string[] {
  return (text ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The same sample in both languages. */
export const both = (text: string): Record<'en' | 'zh', string> => ({ en: text, zh: text });
