import type { Family } from '../family.js';
import { roberta } from '../roberta/roberta.js';

/** Conneau et al., 2019: https://arxiv.org/abs/1911.02116. RoBERTa, with a Unigram tokenizer of a hundred languages. */
export const xlmRoberta: Family = { ...roberta, title: 'XLM-RoBERTa', className: 'XLMRoberta' };
