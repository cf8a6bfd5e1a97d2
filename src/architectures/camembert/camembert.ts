import type { Family } from '../family.js';
import { roberta } from '../roberta/roberta.js';

/** Martin et al., 2019: https://arxiv.org/abs/1911.03894. RoBERTa, with a Unigram tokenizer of French. */
export const camembert: Family = { ...roberta, title: 'CamemBERT', className: 'Camembert' };
