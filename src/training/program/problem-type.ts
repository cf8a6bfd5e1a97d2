import type { ProblemType } from '../../checkpoint/labels.js';

/**
 * How transformers decides what a sequence classifier learns: what config.json says, else one label is a regression, whole numbers are
 * classes, and rows of numbers are several labels at once.
 */
export function problemTypeOf(
  configured: ProblemType | undefined,
  numLabels: number,
  labels: 'integers' | 'numbers' = 'integers',
): ProblemType {
  if (configured !== undefined) return configured;
  if (numLabels === 1) return 'regression';
  return labels === 'integers' ? 'single_label_classification' : 'multi_label_classification';
}
