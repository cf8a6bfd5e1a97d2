// Made by scripts/make-family-classes.ts from src/architectures; do not edit.
import { classesOf } from './models/model-class.js';

export {
  AutoTokenizer as BertTokenizer,
  AutoTokenizer as DistilBertTokenizer,
  AutoTokenizer as ElectraTokenizer,
  AutoTokenizer as MPNetTokenizer,
} from './tokenizer/tokenizer.js';
export const {
  /** The encoder of a model of BERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  BertModel,
  /** A model of BERT with the heads it was pretrained with. */
  BertForPreTraining,
  /** A model of BERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  BertForMaskedLM,
  /** A model of BERT that tells whether a text follows another: `logits` [texts, 2], the first for yes. */
  BertForNextSentencePrediction,
  /** A model of BERT that labels texts: `logits` [texts, labels]. */
  BertForSequenceClassification,
  /** A model of BERT that labels tokens: `logits` [texts, tokens, labels]. */
  BertForTokenClassification,
  /** A model of BERT that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  BertForQuestionAnswering,
  /** A model of BERT that chooses: `logits` [choices, 1], one row a choice. */
  BertForMultipleChoice,
} = classesOf<'Bert'>('bert');
export const {
  /** The encoder of a model of DistilBERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  DistilBertModel,
  /** A model of DistilBERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  DistilBertForMaskedLM,
  /** A model of DistilBERT that labels texts: `logits` [texts, labels]. */
  DistilBertForSequenceClassification,
  /** A model of DistilBERT that labels tokens: `logits` [texts, tokens, labels]. */
  DistilBertForTokenClassification,
  /** A model of DistilBERT that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  DistilBertForQuestionAnswering,
  /** A model of DistilBERT that chooses: `logits` [choices, 1], one row a choice. */
  DistilBertForMultipleChoice,
} = classesOf<'DistilBert'>('distilbert');
export const {
  /** The encoder of a model of ELECTRA: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  ElectraModel,
  /** A model of ELECTRA that tells replaced tokens: `logits` [texts, tokens]. */
  ElectraForPreTraining,
  /** A model of ELECTRA that tells hidden words: `logits` [texts, tokens, vocab]. */
  ElectraForMaskedLM,
  /** A model of ELECTRA that labels texts: `logits` [texts, labels]. */
  ElectraForSequenceClassification,
  /** A model of ELECTRA that labels tokens: `logits` [texts, tokens, labels]. */
  ElectraForTokenClassification,
  /** A model of ELECTRA that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  ElectraForQuestionAnswering,
  /** A model of ELECTRA that chooses: `logits` [choices, 1], one row a choice. */
  ElectraForMultipleChoice,
} = classesOf<'Electra'>('electra');
export const {
  /** The encoder of a model of MPNet: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  MPNetModel,
  /** A model of MPNet that tells hidden words: `logits` [texts, tokens, vocab]. */
  MPNetForMaskedLM,
  /** A model of MPNet that labels texts: `logits` [texts, labels]. */
  MPNetForSequenceClassification,
  /** A model of MPNet that labels tokens: `logits` [texts, tokens, labels]. */
  MPNetForTokenClassification,
  /** A model of MPNet that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  MPNetForQuestionAnswering,
  /** A model of MPNet that chooses: `logits` [choices, 1], one row a choice. */
  MPNetForMultipleChoice,
} = classesOf<'MPNet'>('mpnet');
