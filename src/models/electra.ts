import { bertEmbeddings, bertLayerNames } from './bert.js';
import { encoderLayers, readLayers, type EncoderOutputs } from './encoder.js';
import { firstTokenClassifier, maskedLm, questionAnswering, tokenClassification, type HeadBuilder } from './heads.js';
import type { WeightReader } from './weight-reader.js';

/** ELECTRA: BERT without a pooler; embeddings narrower than the layers are projected to their width. */
export function electraEncoder(read: WeightReader): EncoderOutputs {
  const { embeddingSize, hiddenSize } = read.config;
  const embeddings = bertEmbeddings(read);
  const x =
    embeddingSize === hiddenSize ? embeddings : read.b.linear(embeddings, read.linear('embeddings_project', hiddenSize, embeddingSize));
  return encoderLayers(read, x, readLayers(read, bertLayerNames));
}

/** The discriminator's head ("was this token replaced?") and the generator's, whichever the checkpoint has. */
const pretraining: HeadBuilder = (read, encoder) => ({
  ...replacedToken(read, encoder),
  ...maskedLm(read, encoder, {
    dense: 'generator_predictions.dense',
    norm: 'generator_predictions.LayerNorm',
    decoder: 'generator_lm_head',
    tiedBias: 'generator_lm_head.bias',
    activation: 'gelu',
  }),
});

const replacedToken: HeadBuilder = (read, encoder) => {
  const name = 'discriminator_predictions';
  if (!read.has(`${name}.dense.weight`)) return {};
  const { b, config } = read;
  const { hiddenSize, hiddenAct } = config;
  const dense = b.linear(encoder.hiddenStates.at(-1)!, read.linear(`${name}.dense`, hiddenSize, hiddenSize), { activation: hiddenAct });
  return { replacedToken: b.linear(dense, read.linear(`${name}.dense_prediction`, 1, hiddenSize)) };
};

const sequenceClassification: HeadBuilder = (read, encoder) => {
  const names = { dense: 'classifier.dense', output: 'classifier.out_proj', activation: 'gelu' } as const;
  const value = firstTokenClassifier(read, encoder, names, read.config.numLabels);
  return value === undefined ? {} : { sequenceClassification: value };
};

/** transformers' SequenceSummary with its published settings: the first token, projected, GELU. */
const multipleChoice: HeadBuilder = (read, encoder) => {
  const names = { dense: 'sequence_summary.summary', output: 'classifier', activation: 'gelu' } as const;
  const value = firstTokenClassifier(read, encoder, names, 1);
  return value === undefined ? {} : { multipleChoice: value };
};

/** ELECTRA's classes by what follows "Electra" in their names. */
export const electraHeads: Readonly<Record<string, HeadBuilder>> = {
  Model: pretraining,
  ForPreTraining: pretraining,
  ForMaskedLM: pretraining,
  ForSequenceClassification: sequenceClassification,
  ForTokenClassification: tokenClassification,
  ForQuestionAnswering: questionAnswering,
  ForMultipleChoice: multipleChoice,
};
