// Exact match and F1 of answers, as the evaluation of SQuAD 1.1 computes them.
import { requireSameLength } from './lists.js';

/** How well an answer fits the best of the right ones, 0 to 1. */
export interface SquadScores {
  readonly exact: number;
  readonly f1: number;
}

/** Compares without case, ASCII punctuation, articles and repeated white space. Errors: INVALID_ARG without answers. */
export function squadScores(prediction: string, answers: readonly string[]): SquadScores {
  requireSameLength('the answers of squadScores', answers);
  const words = wordsOf(prediction);
  const exact = answers.some((answer) => wordsOf(answer).join(' ') === words.join(' ')) ? 1 : 0;
  return { exact, f1: Math.max(...answers.map((answer) => overlap(words, wordsOf(answer)))) };
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, ' ')
    .split(/\s+/)
    .filter(Boolean);
}

function overlap(prediction: readonly string[], answer: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of answer) left.set(word, (left.get(word) ?? 0) + 1);
  let same = 0;
  for (const word of prediction) {
    const count = left.get(word) ?? 0;
    if (count > 0) same++;
    left.set(word, count - 1);
  }
  if (same === 0) return 0;
  const [precision, recall] = [same / prediction.length, same / answer.length];
  return (2 * precision * recall) / (precision + recall);
}
