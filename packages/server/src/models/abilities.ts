import type { Heads, Model } from 'bertha-encoder';

/** What a model can be asked for. */
export type Ability =
  | 'embed'
  | 'embed-sparse'
  | 'rerank'
  | 'classify'
  | 'zero-shot'
  | 'ner'
  | 'qa'
  | 'fill-mask'
  | 'nsp'
  | 'multiple-choice'
  | 'replaced-tokens'
  | 'generate';

/** What each ability is called in an error. */
export const abilityNames: Readonly<Record<Ability, string>> = {
  embed: 'an embedding model',
  'embed-sparse': 'a model of sparse embeddings',
  rerank: 'a reranker: a cross-encoder with one label',
  classify: 'a classifier of texts',
  'zero-shot': 'a classifier of inference (NLI) for zero-shot classification',
  ner: 'a classifier of tokens',
  qa: 'a model with a question answering head',
  'fill-mask': 'a model with a masked language modelling head',
  nsp: 'a model with a next sentence prediction head',
  'multiple-choice': 'a model with a multiple choice head',
  'replaced-tokens': 'a model with a replaced token detection head',
  generate: 'a model that writes texts: an encoder-decoder or a causal decoder',
};

/** Heads that a model is loaded for: one with them is no embedding model, unless sentence-transformers saved it. */
const labelled: readonly (keyof Heads)[] = ['sequenceClassification', 'tokenClassification', 'questionAnswering', 'multipleChoice'];

/** What a model can be asked for by its heads; `isAdapted` where an adapter brought the head along. */
export function abilitiesOf(model: Model, isAdapted: boolean): ReadonlySet<Ability> {
  const { heads, decoder } = model.values;
  if (decoder !== undefined) return new Set(['generate']);
  const found = abilitiesOfHeads(model, heads);
  const hasHead = labelled.some((head) => heads[head] !== undefined) || (isAdapted && heads.nextSentence !== undefined);
  const isSentenceModel = model.sentence !== undefined && !isAdapted;
  if (model.sparse !== undefined) found.add('embed-sparse');
  else if ((!hasHead || isSentenceModel) && model.sentenceError === undefined && model.multiVector === undefined) found.add('embed');
  return found;
}

/** What a model can do as well when it is named: another reading of its tensors. */
export function otherAbilitiesOf(model: Model): ReadonlySet<Ability> {
  return abilitiesOfHeads(model, model.values.otherHeads);
}

function abilitiesOfHeads({ config }: Model, heads: Heads): Set<Ability> {
  const found = new Set<Ability>();
  if (heads.sequenceClassification !== undefined) {
    if (config.numLabels === 1) found.add('rerank');
    else found.add('classify');
    if (Object.values(config.id2label).some((label) => /^entail/i.test(label))) found.add('zero-shot');
  }
  if (heads.tokenClassification !== undefined) found.add('ner');
  if (heads.questionAnswering !== undefined) found.add('qa');
  if (heads.maskedLm !== undefined) found.add('fill-mask');
  if (heads.nextSentence !== undefined) found.add('nsp');
  if (heads.multipleChoice !== undefined) found.add('multiple-choice');
  if (heads.replacedToken !== undefined) found.add('replaced-tokens');
  return found;
}
