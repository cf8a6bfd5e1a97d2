import { bertTemplate, type VocabKind } from '../../tokenizer/index.js';
import type { ConfigFields } from '../config-fields.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { bertEncoder } from './encoder.js';
import { bertHeads, bertWordDecoder } from './heads.js';

/** What families begin with whose config.json does not speak of decoders. */
export const encoderFields: ConfigFields = {
  hiddenSize: [['hidden_size'], 768],
  numLayers: [['num_hidden_layers'], 12],
  numHeads: [['num_attention_heads'], 12],
  intermediateSize: [['intermediate_size'], 3072],
  hiddenAct: [['hidden_act'], 'gelu'],
  vocabSize: 30522,
  maxPositions: [['max_position_embeddings'], 512],
  typeVocabSize: 2,
  padTokenId: 0,
  canDecode: false,
  positionType: 'absolute',
};

/** What most families begin with. */
export const bertFields: ConfigFields = {
  ...encoderFields,
  epsilon: [['layer_norm_eps'], 1e-12],
  canDecode: true,
  otherPositionTypes: [],
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
  fields: { ...bertFields, otherPositionTypes: ['relative_key', 'relative_key_query'] },
  vocab: { ...bertVocab, classes: ['Bert', ...kOtherNames] },
  namesTokenizer: true,
  prefixes: ['bert.'],
  encoder: bertEncoder,
  asDecoder: bertWordDecoder,
  heads: bertHeads,
  dropout: bertDropout,
  pooled: ['nextSentence', 'sequenceClassification', 'multipleChoice'],
  decoder: 'cls.predictions.decoder.weight',
  loraTargets: ['query', 'value'],
  pretraining: ['maskedLm', 'nextSentence'],
};
