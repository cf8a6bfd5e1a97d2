import { pretrainingMetrics, type PretrainingPrediction } from '../examples/pretraining-collator.js';
import type { ReplacedPrediction } from './electra-pair.js';

/** The generator's MLM loss, accuracy and perplexity; the discriminator's loss, accuracy, precision and recall of replaced tokens. */
export function replacedMetrics(
  predictions: readonly ReplacedPrediction[],
  labels: readonly PretrainingPrediction[],
): Record<string, number> {
  const sum = (of: (prediction: ReplacedPrediction) => number): number => predictions.reduce((all, each) => all + of(each), 0);
  const tokens = Math.max(
    1,
    sum((each) => each.tokens),
  );
  const [replaced, found] = [sum((each) => each.replaced), sum((each) => each.found)];
  // Said to be replaced: those that are, and wrong ones that are not.
  const said = found + (tokens - sum((each) => each.right) - (replaced - found));
  return {
    ...pretrainingMetrics(predictions, labels),
    replaced_loss: sum((each) => each.replacedLoss) / tokens,
    replaced_accuracy: sum((each) => each.right) / tokens,
    replaced_precision: found / Math.max(1, said),
    replaced_recall: found / Math.max(1, replaced),
  };
}
