import { invalid, empty } from '../failures/failures.js';
import type { WorkSize } from '../requests/compute.js';
import { sizeOfTexts } from '../requests/compute.js';

/** A body's texts or token ids, before they are looked at: one or a list of them. */
export type GivenInputs = string | readonly string[] | readonly number[] | readonly (readonly number[])[];

/** What there is to embed: texts, or ids. */
export type Inputs = { readonly texts: readonly string[] } | { readonly ids: readonly Int32Array[] };

/** Largest id of any vocabulary: what is beyond is no int32. */
const kMostId = 2 ** 31 - 1;

/** One or many texts, or ids, as a list. Errors: RequestError 400 where there is nothing to read, naming the index; 422 for ids beyond int32. */
export function readInputs(given: GivenInputs, name: string): Inputs {
  if (typeof given === 'string') return { texts: readTexts([given], name) };
  if (given.length === 0) throw empty(`Expected at least one text for ${name} but the list is empty.`, name);
  if (typeof given[0] === 'string') return { texts: readTexts(given as readonly string[], name) };
  const lists = (typeof given[0] === 'number' ? [given] : given) as readonly (readonly number[])[];
  return { ids: lists.map((ids, i) => readIds(ids, i, name)) };
}

/** Texts that are not empty. Errors: RequestError 400, naming the index. */
export function readTexts(texts: readonly string[], name: string): readonly string[] {
  if (texts.length === 0) throw empty(`Expected at least one text for ${name} but the list is empty.`, name);
  const blank = texts.indexOf('');
  if (blank >= 0) throw empty(`Expected a text for ${name} but ${texts.length === 1 ? 'it' : `the one at index ${blank}`} is empty.`, name);
  return texts;
}

function readIds(ids: readonly number[], index: number, name: string): Int32Array {
  if (ids.length === 0) throw empty(`Expected token ids for ${name} but the list at index ${index} is empty.`, name);
  const wrong = ids.find((id) => id > kMostId);
  if (wrong !== undefined)
    throw invalid(`Expected ids of the model's vocabulary for ${name} at index ${index} but received ${wrong}.`, name, 'INVALID_IDS');
  return Int32Array.from(ids);
}

/** How much there is to embed. */
export function sizeOf(inputs: Inputs): WorkSize {
  if ('texts' in inputs) return sizeOfTexts(inputs.texts);
  return { inputs: inputs.ids.length, units: 0, ids: inputs.ids.reduce((sum, { length }) => sum + length, 0) };
}
