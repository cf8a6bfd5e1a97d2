import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { oneOf } from '../../options.js';
import { scoreFunction } from '../../tasks/classify.js';
import { modelValue } from './evaluate.js';
import type { Form, Probability, Score, Share } from './score.js';
import type { Resolved } from './target.js';

/** What is explained of an answer: the logit, its probability, or the probability's logarithm. */
export type ScoreOutput = 'logit' | 'probability' | 'log-probability';

/** The check of the option `output`. */
export const outputCheck = oneOf(['logit', 'probability', 'log-probability']);

/**
 * A score as its head's probability: a softmax over labels, words or choices, or over the tokens of a context, whose start and end are multiplied; a
 * sigmoid of what is alone.
 *
 * Errors: INVALID_OPTION for regression, whose numbers are no logits.
 */
export function withOutput(model: Model, { score, target, read, otherLogits }: Resolved, output: ScoreOutput): Score {
  if (output === 'logit') return score;
  const { head } = target;
  const { width } = modelValue(model, score.value);
  const each = (of: (term: Score['terms'][number]) => Omit<Share, 'coefficient'>): readonly Share[] =>
    score.terms.map((term) => ({ coefficient: term.coefficient, ...of(term) }));
  const withShares = (shares: readonly Share[], joint = false): Score => ({
    ...score,
    probability: { output, shares, joint } satisfies Probability,
  });
  const way = head === 'sequenceClassification' ? scoreFunction(model) : head === 'replacedToken' ? 'sigmoid' : 'softmax';
  if (way === 'none') {
    throw unexpected('INVALID_OPTION', 'output "logit" for a model of regression', `"${output}"`);
  }
  if (head === 'multipleChoice') return withShares(each((term) => ({ logits: [alone(term)], chosen: 0, fixed: otherLogits ?? [] })));
  if (way === 'sigmoid') return withShares(each((term) => ({ logits: [alone(term)], chosen: 0, fixed: [0] })));
  if (head === 'questionAnswering') {
    const tokens = Array.from(read.tokens.keys()).filter((i) => read.tokens[i]!.sequence === 1);
    const among = (column: number): Form[] => tokens.map((token) => ({ terms: [{ token, column, coefficient: 1 }] }));
    return withShares(
      each(({ token, column }) => ({ logits: among(column), chosen: tokens.indexOf(token!) })),
      true,
    );
  }
  const columns = Array.from({ length: width }, (_, column) => column);
  return withShares(each((term) => ({ logits: columns.map((column) => alone({ ...term, column })), chosen: term.column })));
}

/** A logit itself, without what it counts for. */
function alone(term: Score['terms'][number]): Form {
  return { terms: [{ ...term, coefficient: 1 }] };
}
