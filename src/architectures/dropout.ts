import type { JsonFields } from '../checkpoint/json-fields.js';

/** The places where a model that learns drops numbers; a family has some of them. */
export type DropoutPlace =
  | 'embeddings'
  | 'hidden' // the output of a feed-forward block
  | 'attention' // attention probabilities
  | 'attentionOutput'
  | 'classifier' // in front of a classifier over sequences
  | 'tokens' // in front of a classifier over tokens
  | 'question' // in front of question answering
  | 'summary'; // after ELECTRA's summary of a sequence

/** Probabilities, each below 1. */
export type DropoutRates = Readonly<Record<DropoutPlace, number>>;

/** How a family reads its rates from config.json. */
export type DropoutReader = (rate: (key: string, fallback: number) => number) => DropoutRates;

/** Reads a family's rates. Errors: CONFIG. */
export function readDropout(fields: JsonFields, reader: DropoutReader): DropoutRates {
  return reader((key, fallback) => {
    const value = fields.get(key) ?? fallback;
    if (typeof value !== 'number' || !(value >= 0 && value < 1)) throw fields.error(key, 'a number from 0 to below 1', value);
    return value;
  });
}

/** BERT's rates, and those of families that differ in a few places only. */
export const bertDropout: DropoutReader = (rate) => {
  const hidden = rate('hidden_dropout_prob', 0.1);
  const classifier = rate('classifier_dropout', hidden);
  return {
    embeddings: hidden,
    hidden,
    attention: rate('attention_probs_dropout_prob', 0.1),
    attentionOutput: hidden,
    classifier,
    tokens: classifier,
    question: 0,
    summary: 0,
  };
};
