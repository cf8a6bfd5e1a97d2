import type { Recipe } from '../recipe.js';
import { entities } from './entities.js';
import { maskedWords } from './masked-words.js';
import { nextSentence } from './next-sentence.js';
import { questions } from './questions.js';
import { sentiment } from './sentiment.js';

/** Every head that can be trained, by the name that commands give it. */
export const recipes: Readonly<Record<string, Recipe>> = {
  sentiment,
  entities,
  questions,
  'next-sentence': nextSentence,
  'masked-words': maskedWords,
};
