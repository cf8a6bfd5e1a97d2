import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';

/** Requires that both models, by default a teacher and its student, read texts as the same ids. Errors: MODEL_MISMATCH. */
export function requireSameVocabulary(
  one: Pick<Model, 'tokenizer'>,
  other: Pick<Model, 'tokenizer'>,
  [first, second]: readonly [string, string] = ['teacher', 'student'],
): void {
  const [theirs, own] = [one.tokenizer, other.tokenizer];
  const wanted = `the ${first}'s vocabulary (${theirs.vocabSize} tokens) for the ${second}`;
  if (theirs.vocabSize !== own.vocabSize) throw unexpected('MODEL_MISMATCH', wanted, `one of ${own.vocabSize} tokens`);
  for (let id = 0; id < theirs.vocabSize; id++) {
    const [token, other] = [theirs.idToToken(id), own.idToToken(id)];
    if (token === other) continue;
    throw unexpected('MODEL_MISMATCH', wanted, `one with ${JSON.stringify(other)} for ${JSON.stringify(token)} (id ${id})`);
  }
}
