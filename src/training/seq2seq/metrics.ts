import { unexpected } from '../../expected.js';
import { accuracy, bleu, chrf, exactMatch, rouge } from '../../metrics/index.js';
import type { Metrics, ScorePredictions } from '../collators/task-metrics.js';
import type { Seq2SeqTask } from './tasks.js';

/**
 * The scores of texts that were written: `bleu` (sacrebleu's, 0 to 100), `chrf`, `chrf++` and `exact_match` (0 to 1) of translations; `rouge1`, `rouge2`,
 * `rougeL` (F1, 0 to 1) and `exact_match` of summaries.
 *
 * Errors: EMPTY_INPUT without predictions or labels.
 */
export function textMetrics(task: Seq2SeqTask): ScorePredictions {
  return ({ predictions, labels }) => {
    if (labels.length === 0) throw unexpected('EMPTY_INPUT', 'rows with targets to compute metrics from', 'none');
    const [written, wanted] = [predictions as readonly string[], labels as readonly string[]];
    return { ...scores[task](written, wanted), exact_match: exactMatch(written, wanted) };
  };
}

const scores: Readonly<Record<Seq2SeqTask, (written: readonly string[], wanted: readonly string[]) => Metrics>> = {
  translation: (written, wanted) => ({
    bleu: bleu(written, wanted).score,
    chrf: chrf(written, wanted),
    'chrf++': chrf(written, wanted, { wordOrder: 2 }),
  }),
  summarization: (written, wanted) => {
    const { rouge1, rouge2, rougeL } = rouge(written, wanted);
    return { rouge1: rouge1.f1, rouge2: rouge2.f1, rougeL: rougeL.f1 };
  },
};

/** The share of words that are right where the words before them are given: what is known without writing texts. Errors: EMPTY_INPUT. */
export const wordMetrics: ScorePredictions = ({ predictions, labels }) => {
  if (labels.length === 0) throw unexpected('EMPTY_INPUT', 'rows with targets to compute metrics from', 'none');
  const flat = (lists: readonly unknown[]): number[] => lists.flatMap((ids) => Array.from(ids as Int32Array));
  return { accuracy: accuracy(flat(labels), flat(predictions)) };
};
