import { BerthaError } from '../errors.js';
import { unexpected, wrongArgument } from '../expected.js';
import type { Model } from '../models/index.js';
import { unknownName } from '../options.js';

/** A text, or a pair of texts that the model reads together. */
export type TextInput = string | TextPair;

/** Two texts that the model reads together. */
export interface TextPair {
  readonly text: string;
  readonly textPair?: string | undefined;
}

/** Errors: INVALID_ARG for what is no model, DISPOSED. */
export function requireModel(model: Model, call: string): void {
  const session: unknown = (model as Partial<Model> | null | undefined)?.session;
  if (session === undefined) throw wrongArgument(`a model from loadModel for ${call}`, model);
  if (model.session.disposed) throw unexpected('DISPOSED', `a loaded model for ${call}`, 'one that was disposed');
}

/** Texts and pairs, checked. Errors: INVALID_ARG, naming the index. */
export function readInputs(call: string, inputs: readonly unknown[]): TextPair[] {
  return inputs.map((each, i) => {
    if (typeof each === 'string') return { text: each };
    refuseUnknownKeys(each, ['text', 'textPair', 'text_pair'], `the input at index ${i} of ${call}`);
    const { text, text_pair: alias, textPair = alias } = (each ?? {}) as { text?: unknown; textPair?: unknown; text_pair?: unknown };
    if (typeof text !== 'string' || (textPair !== undefined && typeof textPair !== 'string')) {
      throw wrongArgument(`a string, or an object with text and textPair, for the input at index ${i} of ${call}`, each);
    }
    return textPair === undefined ? { text } : { text, textPair };
  });
}

/** Refuses a key of an input object that nobody reads, such as a mistyped one. Errors: INVALID_ARG. */
export function refuseUnknownKeys(input: unknown, known: readonly string[], name: string): void {
  if (typeof input !== 'object' || input === null) return;
  const unknown = Object.keys(input).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new BerthaError('INVALID_ARG', unknownName(`key of ${name}`, unknown, known).message);
}

/** Checks a string of a call's input. Errors: INVALID_ARG. */
export function requireString(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw wrongArgument(`a string for ${name}`, value);
}

/** The texts as they are now: what the caller does to its array later changes nothing. Errors: INVALID_ARG, naming the index. */
export function checkTexts(name: string, texts: unknown): readonly string[] {
  if (typeof texts === 'string') return [texts];
  if (!Array.isArray(texts)) throw wrongArgument(`a string or an array of strings for the texts of ${name}`, texts);
  const copy: unknown[] = texts.slice();
  for (let i = 0; i < copy.length; i++) {
    if (typeof copy[i] !== 'string') throw wrongArgument(`a string for text ${i} of ${name}`, copy[i]);
  }
  return copy as string[];
}
