import type { Encoding } from '../../tokenizer/index.js';
import type { Model } from '../../models/index.js';
import { argmax, softmax } from '../scoring/scores.js';

/** How tokens become entities, as transformers names the ways. */
export type AggregationStrategy = 'none' | 'simple' | 'first' | 'average' | 'max';

/** A token, or with aggregation a run of tokens, and its label. */
export interface Entity {
  /** The label of a token; only without aggregation. */
  readonly entity?: string;
  /** The label without B- and I-; only with aggregation. */
  readonly entityGroup?: string;
  readonly score: number;
  /** As the vocabulary spells it; the text itself is `text.slice(start, end)`. */
  readonly word: string;
  /** In UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** The token's place among the tokens, from 1; only without aggregation. */
  readonly index?: number;
}

/** A token of the text with the probability of each label. */
export interface LabeledToken {
  readonly word: string;
  readonly scores: Float64Array;
  readonly start: number;
  readonly end: number;
  readonly index: number;
  /**
   * Whether it continues the word before it, as transformers decides: where a prefix tells such tokens, by comparing lengths in code points, else by the
   * spaces around its beginning.
   */
  readonly isSubword: boolean;
}

interface Labeled {
  readonly entity: string;
  readonly score: number;
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly index?: number;
}

/**
 * The tokens of a text from the windows it was read in, each once: a token that several windows saw is taken from the one where it is
 * furthest from the cut. `logits[w]` is [tokens of window w, labels]; neighbouring windows share `stride` tokens.
 */
export function labelTokens(
  model: Model,
  text: string,
  windows: readonly Encoding[],
  logits: readonly Float32Array[],
  stride: number,
): LabeledToken[] {
  const labels = model.config.numLabels;
  const contents = windows.map(contentPositions);
  const tokens: LabeledToken[] = [];
  let begin = 0;
  contents.forEach((positions, w) => {
    const isLast = w === contents.length - 1;
    const seam = (length: number) => Math.ceil(length / 2);
    const from = w === 0 ? 0 : seam(Math.min(stride, positions.length));
    const to = isLast ? positions.length : positions.length - stride + seam(Math.min(stride, contents[w + 1]!.length));
    for (let i = from; i < to; i++) {
      const row = logits[w]!.subarray(positions[i]! * labels, (positions[i]! + 1) * labels);
      tokens.push(readToken(model, text, windows[w]!, positions[i]!, begin + i + 1, softmax(row)));
    }
    begin += positions.length - stride;
  });
  return tokens;
}

function contentPositions(window: Encoding): number[] {
  const positions: number[] = [];
  window.specialTokensMask.forEach((isSpecial, i) => {
    if (isSpecial === 0) positions.push(i);
  });
  return positions;
}

function readToken(
  { tokenizer }: Model,
  text: string,
  window: Encoding,
  position: number,
  index: number,
  scores: Float64Array,
): LabeledToken {
  const [start, end] = [window.offsets![2 * position]!, window.offsets![2 * position + 1]!];
  const slice = text.slice(start, end);
  if (window.ids[position] === tokenizer.unkId) return { word: slice, scores, start, end, index, isSubword: false };
  const word = window.tokens[position]!;
  const isSubword =
    tokenizer.continuingSubwordPrefix === ''
      ? start > 0 && !text.slice(start - 1, start + 1).includes(' ')
      : codePoints(word) !== codePoints(slice);
  return { word, scores, start, end, index, isSubword };
}

function codePoints(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; count++) i += text.codePointAt(i)! > 0xffff ? 2 : 1;
  return count;
}

/** Turns labeled tokens into entities. `first`, `average` and `max` give every word one label; all but `none` join runs of one label. */
export function aggregate(model: Model, tokens: readonly LabeledToken[], strategy: AggregationStrategy): Entity[] {
  const { id2label } = model.config;
  if (strategy === 'none' || strategy === 'simple') {
    const entities = tokens.map((token) => {
      const label = argmax(token.scores);
      return {
        entity: id2label[label]!,
        score: token.scores[label]!,
        index: token.index,
        word: token.word,
        start: token.start,
        end: token.end,
      };
    });
    return strategy === 'none' ? entities : joinRuns(model, entities);
  }
  const words = groupWords(tokens).map((word) => {
    const scores = wordScores(word, strategy);
    const label = argmax(scores);
    return {
      entity: id2label[label]!,
      score: scores[label]!,
      word: model.tokenizer.joinTokens(word.map((token) => token.word)),
      start: word[0]!.start,
      end: word.at(-1)!.end,
    };
  });
  return joinRuns(model, words);
}

function groupWords(tokens: readonly LabeledToken[]): LabeledToken[][] {
  const words: LabeledToken[][] = [];
  for (const token of tokens) {
    if (token.isSubword && words.length > 0) words.at(-1)!.push(token);
    else words.push([token]);
  }
  return words;
}

function wordScores(word: readonly LabeledToken[], strategy: 'first' | 'average' | 'max'): Float64Array {
  if (strategy === 'first') return word[0]!.scores;
  if (strategy === 'max') {
    const peaks = word.map(({ scores }) => scores[argmax(scores)]!);
    return word[argmax(peaks)]!.scores;
  }
  return word[0]!.scores.map((_, label) => word.reduce((sum, { scores }) => sum + scores[label]!, 0) / word.length);
}

/** Joins neighbours of one label; B- begins an entity anew. Labels without a prefix count as I-. */
function joinRuns({ tokenizer }: Model, items: readonly Labeled[]): Entity[] {
  const runs: Labeled[][] = [];
  for (const item of items) {
    const last = runs.at(-1)?.at(-1);
    const continues = last !== undefined && tagOf(item.entity) === tagOf(last.entity) && !item.entity.startsWith('B-');
    if (continues) runs.at(-1)!.push(item);
    else runs.push([item]);
  }
  return runs.map((run) => ({
    entityGroup: groupOf(run[0]!.entity),
    score: run.reduce((sum, { score }) => sum + score, 0) / run.length,
    word: tokenizer.joinTokens(run.map(({ word }) => word)),
    start: run[0]!.start,
    end: run.at(-1)!.end,
  }));
}

const tagOf = (label: string) => (/^[BI]-/.test(label) ? label.slice(2) : label);

/** What transformers calls the group: everything after the first hyphen, whatever stands before it. */
export const groupOf = (label: string) => label.slice(label.indexOf('-') + 1);
