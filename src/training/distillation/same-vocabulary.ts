import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';

/** Requires that both models read texts as the same ids. Errors: MODEL_MISMATCH. */
export function requireSameVocabulary(teacher: Model, student: Model): void {
  const [theirs, own] = [teacher.tokenizer, student.tokenizer];
  const wanted = `the teacher's vocabulary (${theirs.vocabSize} tokens) for the student`;
  if (theirs.vocabSize !== own.vocabSize) throw unexpected('MODEL_MISMATCH', wanted, `one of ${own.vocabSize} tokens`);
  for (let id = 0; id < theirs.vocabSize; id++) {
    const [token, other] = [theirs.idToToken(id), own.idToToken(id)];
    if (token === other) continue;
    throw unexpected('MODEL_MISMATCH', wanted, `one with ${JSON.stringify(other)} for ${JSON.stringify(token)} (id ${id})`);
  }
}
