import { bertTemplate, type VocabKind } from '../../tokenizer/index.js';
import type { ConfigFields } from '../config-fields.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { bertEncoder } from './encoder.js';
import { bertHeads } from './heads.js';

/** What most families begin with. */
export const bertFields: ConfigFields = {
  hiddenSize: [['hidden_size'], 768],
  numLayers: [['num_hidden_layers'], 12],
  numHeads: [['num_attention_heads'], 12],
  intermediateSize: [['intermediate_size'], 3072],
  hiddenAct: 'hidden_act',
  vocabSize: 30522,
  typeVocabSize: 2,
  padTokenId: 0,
  hasEpsilon: true,
  canDecode: true,
};

/** What most families read a vocab.txt as. */
export const bertVocab: VocabKind = {
  classes: [],
  clsToken: '[CLS]',
  template: bertTemplate,
  maskTakesSpace: false,
};

/** Tokenizers of models of other families that are BERT's under another name. */
const kOtherNames = 'MobileBert ConvBert SqueezeBert LayoutLM Lxmert Funnel RetriBert DPRQuestionEncoder DPRContextEncoder DPRReader'.split(
  ' ',
);

/** Devlin et al., 2018: https://arxiv.org/abs/1810.04805 */
export const bert: Family = {
  title: 'BERT',
  className: 'Bert',
  fields: bertFields,
  vocab: { ...bertVocab, classes: ['Bert', ...kOtherNames] },
  prefix: 'bert.',
  encoder: bertEncoder,
  heads: bertHeads,
  dropout: bertDropout,
  pooled: ['nextSentence', 'sequenceClassification', 'multipleChoice'],
  decoder: 'cls.predictions.decoder.weight',
  pretraining: ['maskedLm', 'nextSentence'],
};
