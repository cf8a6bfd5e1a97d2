import type { SearchSettings, Sequence } from '../../src/generation/settings.js';
import type { NativeSearch } from './test-addon.js';
import { searchOps } from './devices.js';

/** Settings that change nothing. */
export const neutralSettings: SearchSettings = {
  maxLength: 12,
  minLength: 0,
  numBeams: 1,
  numReturnSequences: 1,
  lengthPenalty: 1,
  earlyStopping: false,
  doSample: false,
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  typicalP: 1,
  repetitionPenalty: 1,
  noRepeatNgramSize: 0,
  encoderNoRepeatNgramSize: 0,
  badWordsIds: [],
  forcedBosTokenId: -1,
  forcedEosTokenId: [],
  suppressTokens: [],
  beginSuppressTokens: [],
  renormalizeLogits: false,
  eosTokenId: [],
  seed: 0,
};

/** A search of ids below `vocab`. */
export function openSearch(
  vocab: number,
  settings: Partial<SearchSettings> = {},
  prompt: readonly number[] = [0],
  source: readonly number[] = [],
): NativeSearch {
  return searchOps.open({ ...neutralSettings, ...settings }, Int32Array.from(prompt), Int32Array.from(source), vocab);
}

/** Runs a search to its end; `logitsOf` gives the logits of what follows the ids of a text. The rows' ids are kept as a model's cache would. */
export function runSearch(search: NativeSearch, prompt: readonly number[], logitsOf: (ids: readonly number[]) => Float32Array): Sequence[] {
  let texts: (readonly number[])[] = [];
  for (let rows = search.rows(); rows.length > 0; rows = search.rows()) {
    texts = rows.map(([parent, token]) => (parent < 0 ? prompt : [...texts[parent]!, token]));
    const logits = texts.map(logitsOf);
    const joined = new Float32Array(logits.reduce((sum, each) => sum + each.length, 0));
    logits.forEach((each, i) => joined.set(each, i * each.length));
    search.step(joined);
  }
  return search.sequences();
}
