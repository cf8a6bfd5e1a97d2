// Made by scripts/make-family-classes.ts from src/architectures; do not edit.
import { classesOf } from './models/model-class.js';

export {
  AutoTokenizer as BertTokenizer,
  AutoTokenizer as DistilBertTokenizer,
  AutoTokenizer as ElectraTokenizer,
  AutoTokenizer as MPNetTokenizer,
  AutoTokenizer as RobertaTokenizer,
  AutoTokenizer as XLMRobertaTokenizer,
  AutoTokenizer as CamembertTokenizer,
  AutoTokenizer as AlbertTokenizer,
  AutoTokenizer as DebertaV2Tokenizer,
  AutoTokenizer as DebertaTokenizer,
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
export const {
  /** The encoder of a model of RoBERTa: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  RobertaModel,
  /** A model of RoBERTa that tells hidden words: `logits` [texts, tokens, vocab]. */
  RobertaForMaskedLM,
  /** A model of RoBERTa that labels texts: `logits` [texts, labels]. */
  RobertaForSequenceClassification,
  /** A model of RoBERTa that labels tokens: `logits` [texts, tokens, labels]. */
  RobertaForTokenClassification,
  /** A model of RoBERTa that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  RobertaForQuestionAnswering,
  /** A model of RoBERTa that chooses: `logits` [choices, 1], one row a choice. */
  RobertaForMultipleChoice,
} = classesOf<'Roberta'>('roberta');
export const {
  /** The encoder of a model of XLM-RoBERTa: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  XLMRobertaModel,
  /** A model of XLM-RoBERTa that tells hidden words: `logits` [texts, tokens, vocab]. */
  XLMRobertaForMaskedLM,
  /** A model of XLM-RoBERTa that labels texts: `logits` [texts, labels]. */
  XLMRobertaForSequenceClassification,
  /** A model of XLM-RoBERTa that labels tokens: `logits` [texts, tokens, labels]. */
  XLMRobertaForTokenClassification,
  /** A model of XLM-RoBERTa that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  XLMRobertaForQuestionAnswering,
  /** A model of XLM-RoBERTa that chooses: `logits` [choices, 1], one row a choice. */
  XLMRobertaForMultipleChoice,
} = classesOf<'XLMRoberta'>('xlm-roberta');
export const {
  /** The encoder of a model of CamemBERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  CamembertModel,
  /** A model of CamemBERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  CamembertForMaskedLM,
  /** A model of CamemBERT that labels texts: `logits` [texts, labels]. */
  CamembertForSequenceClassification,
  /** A model of CamemBERT that labels tokens: `logits` [texts, tokens, labels]. */
  CamembertForTokenClassification,
  /** A model of CamemBERT that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  CamembertForQuestionAnswering,
  /** A model of CamemBERT that chooses: `logits` [choices, 1], one row a choice. */
  CamembertForMultipleChoice,
} = classesOf<'Camembert'>('camembert');
export const {
  /** The encoder of a model of ALBERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  AlbertModel,
  /** A model of ALBERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  AlbertForMaskedLM,
  /** A model of ALBERT that labels texts: `logits` [texts, labels]. */
  AlbertForSequenceClassification,
  /** A model of ALBERT that labels tokens: `logits` [texts, tokens, labels]. */
  AlbertForTokenClassification,
  /** A model of ALBERT that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  AlbertForQuestionAnswering,
  /** A model of ALBERT that chooses: `logits` [choices, 1], one row a choice. */
  AlbertForMultipleChoice,
} = classesOf<'Albert'>('albert');
export const {
  /** The encoder of a model of NomicBERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  NomicBertModel,
  /** A model of NomicBERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  NomicBertForMaskedLM,
  /** A model of NomicBERT that labels texts: `logits` [texts, labels]. */
  NomicBertForSequenceClassification,
  /** A model of NomicBERT that labels tokens: `logits` [texts, tokens, labels]. */
  NomicBertForTokenClassification,
} = classesOf<'NomicBert'>('nomic_bert');
export const {
  /** The encoder of a model of GTE: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  GteModel,
  /** A model of GTE that tells hidden words: `logits` [texts, tokens, vocab]. */
  GteForMaskedLM,
  /** A model of GTE that labels texts: `logits` [texts, labels]. */
  GteForSequenceClassification,
  /** A model of GTE that labels tokens: `logits` [texts, tokens, labels]. */
  GteForTokenClassification,
} = classesOf<'Gte'>('gte');
export const {
  /** The encoder of a model of ModernBERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  ModernBertModel,
  /** A model of ModernBERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  ModernBertForMaskedLM,
  /** A model of ModernBERT that labels texts: `logits` [texts, labels]. */
  ModernBertForSequenceClassification,
  /** A model of ModernBERT that labels tokens: `logits` [texts, tokens, labels]. */
  ModernBertForTokenClassification,
  /** A model of ModernBERT that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  ModernBertForQuestionAnswering,
  /** A model of ModernBERT that chooses: `logits` [choices, 1], one row a choice. */
  ModernBertForMultipleChoice,
} = classesOf<'ModernBert'>('modernbert');
export const {
  /** The encoder of a model of JinaBERT: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  JinaBertModel,
  /** A model of JinaBERT that tells hidden words: `logits` [texts, tokens, vocab]. */
  JinaBertForMaskedLM,
  /** A model of JinaBERT that tells whether a text follows another: `logits` [texts, 2], the first for yes. */
  JinaBertForNextSentencePrediction,
  /** A model of JinaBERT that labels texts: `logits` [texts, labels]. */
  JinaBertForSequenceClassification,
  /** A model of JinaBERT that labels tokens: `logits` [texts, tokens, labels]. */
  JinaBertForTokenClassification,
  /** A model of JinaBERT that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  JinaBertForQuestionAnswering,
  /** A model of JinaBERT that chooses: `logits` [choices, 1], one row a choice. */
  JinaBertForMultipleChoice,
} = classesOf<'JinaBert'>('jina-bert');
export const {
  /** The encoder of a model of DeBERTa-v2: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  DebertaV2Model,
  /** A model of DeBERTa-v2 that tells hidden words: `logits` [texts, tokens, vocab]. */
  DebertaV2ForMaskedLM,
  /** A model of DeBERTa-v2 that labels texts: `logits` [texts, labels]. */
  DebertaV2ForSequenceClassification,
  /** A model of DeBERTa-v2 that labels tokens: `logits` [texts, tokens, labels]. */
  DebertaV2ForTokenClassification,
  /** A model of DeBERTa-v2 that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  DebertaV2ForQuestionAnswering,
  /** A model of DeBERTa-v2 that chooses: `logits` [choices, 1], one row a choice. */
  DebertaV2ForMultipleChoice,
} = classesOf<'DebertaV2'>('deberta-v2');
export const {
  /** The encoder of a model of DeBERTa: `last_hidden_state`, and `pooler_output` where it has a pooler. */
  DebertaModel,
  /** A model of DeBERTa that tells hidden words: `logits` [texts, tokens, vocab]. */
  DebertaForMaskedLM,
  /** A model of DeBERTa that labels texts: `logits` [texts, labels]. */
  DebertaForSequenceClassification,
  /** A model of DeBERTa that labels tokens: `logits` [texts, tokens, labels]. */
  DebertaForTokenClassification,
  /** A model of DeBERTa that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
  DebertaForQuestionAnswering,
} = classesOf<'Deberta'>('deberta');
