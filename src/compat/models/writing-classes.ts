import type { Model } from '../../models/index.js';
import type { ModelType } from '../../architectures/registry.js';
import { encoderDecoderType } from '../../architectures/registry.js';
import { writingClass, type WritingClass } from './writing-model.js';

const isSeq2Seq = ({ config }: Model): boolean => config.decoder !== undefined;
const isPair = (model: Model): boolean => model.config.raw['model_type'] === encoderDecoderType;
const ofType =
  (type: ModelType) =>
  (model: Model): boolean =>
    model.config.modelType === type && !isPair(model);
const causal = (type: ModelType, what: string): WritingClass =>
  writingClass(`a causal decoder of ${what}`, (model) => ofType(type)(model) && !isSeq2Seq(model));

/** Any model that writes from a text that it reads. */
export const AutoModelForSeq2SeqLM = writingClass('an encoder-decoder', isSeq2Seq);
/** Any model that goes on with a text. */
export const AutoModelForCausalLM = writingClass('a causal decoder', (model) => !isSeq2Seq(model));
/** A translator such as opus-mt. */
export const MarianMTModel = writingClass('a MarianMTModel', ofType('marian'));
/** BART. */
export const BartForConditionalGeneration = writingClass('a BartForConditionalGeneration', ofType('bart'));
/** A BERT, RoBERTa or BertGeneration under a decoder of one of these. */
export const EncoderDecoderModel = writingClass('an EncoderDecoderModel', isPair);
/** A BertGeneration that goes on with a text. */
export const BertGenerationDecoder = causal('bert-generation', 'BertGeneration');
/** A BERT that goes on with a text. */
export const BertLMHeadModel = causal('bert', 'BERT');
/** A RoBERTa that goes on with a text. */
export const RobertaForCausalLM = causal('roberta', 'RoBERTa');
/** An XLM-RoBERTa that goes on with a text. */
export const XLMRobertaForCausalLM = causal('xlm-roberta', 'XLM-RoBERTa');
/** A CamemBERT that goes on with a text. */
export const CamembertForCausalLM = causal('camembert', 'CamemBERT');
