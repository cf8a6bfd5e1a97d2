import type { Family } from './family.js';
import type { Heads } from './heads.js';

/** How the classes of transformers end that have one head each; the discriminator's is only in a class for pretraining. */
export const classSuffixes = {
  maskedLm: 'ForMaskedLM',
  nextSentence: 'ForNextSentencePrediction',
  sequenceClassification: 'ForSequenceClassification',
  tokenClassification: 'ForTokenClassification',
  questionAnswering: 'ForQuestionAnswering',
  multipleChoice: 'ForMultipleChoice',
} as const satisfies Readonly<Partial<Record<keyof Heads, string>>>;

/** How the name of a class goes on after its family's. */
export type ClassSuffix = 'Model' | 'ForPreTraining' | (typeof classSuffixes)[keyof typeof classSuffixes];

const suffixEntries = Object.entries(classSuffixes) as [keyof typeof classSuffixes, string][];

/** The head that a class of the family is for; undefined for classes that say nothing of heads. */
export function headOfClass({ className, otherNames = [] }: Family, name: string): keyof Heads | undefined {
  const begins = [className, ...otherNames.map((other) => other.className)];
  return suffixEntries.find(([, suffix]) => begins.some((begin) => name === begin + suffix))?.[0];
}

/** The names of all classes that transformers has for the family and that can be computed, the encoder's first; none where the family names its own. */
export function classNames({ className, heads, pretraining, classes }: Family): string[] {
  if (classes !== undefined) return [];
  const own = suffixEntries.filter(([head]) => heads[head] !== undefined).map(([, suffix]) => suffix);
  // Where pretraining is masked words alone, transformers has no class of its own for it.
  const forPretraining = pretraining.some((head) => head !== 'maskedLm') ? ['ForPreTraining'] : [];
  return ['Model', ...forPretraining, ...own].map((suffix) => className + suffix);
}
