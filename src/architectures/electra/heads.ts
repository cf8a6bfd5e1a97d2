import { unexpected } from '../../expected.js';
import { firstTokenClassifier, maskedLm, questionAnswering, tokenClassification, type HeadBuilder, type HeadBuilders } from '../heads.js';
import { readSequenceSummary } from './sequence-summary.js';

/** The generator's head. */
const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'generator_predictions.dense',
    norm: 'generator_predictions.LayerNorm',
    decoder: 'generator_lm_head',
    tiedBias: 'generator_lm_head.bias',
    activation: 'gelu',
  });

/** The discriminator's head: was this token replaced? */
const replacedToken: HeadBuilder<'replacedToken'> = (read, encoder) => {
  const name = 'discriminator_predictions';
  if (!read.has(`${name}.dense.weight`)) return undefined;
  const { b, config } = read;
  const { hiddenSize, hiddenAct } = config;
  const dense = b.linear(encoder.hiddenStates.at(-1)!, read.linear(`${name}.dense`, hiddenSize, hiddenSize), { activation: hiddenAct });
  return b.linear(dense, read.linear(`${name}.dense_prediction`, 1, hiddenSize));
};

const classifier = { dense: 'classifier.dense', output: 'classifier.out_proj', activation: 'gelu', dropsInput: 'classifier' } as const;

/** transformers' SequenceSummary, then one score. */
const multipleChoice: HeadBuilder<'multipleChoice'> = (read, encoder) => {
  const { b, config } = read;
  const { hiddenSize } = config;
  const name = 'sequence_summary.summary';
  if (!read.has('classifier.weight')) return undefined;
  const { type, projects, activation } = readSequenceSummary(config.raw);
  if (projects && !read.has(`${name}.weight`)) return undefined;
  if (!projects && activation !== 'none') {
    throw unexpected('CONFIG_UNSUPPORTED', 'no "summary_activation" without "summary_use_proj" in config.json', activation);
  }
  const states = encoder.hiddenStates.at(-1)!;
  const vector = type === 'first' ? b.firstTokens(states) : b.pool(states, [type === 'last' ? 'lasttoken' : 'mean']);
  const summary = projects ? b.linear(vector, read.linear(name, hiddenSize, hiddenSize), { activation }) : vector;
  return b.linear(read.dropout(summary, 'summary'), read.linear('classifier', 1, hiddenSize));
};

export const electraHeads: HeadBuilders = {
  replacedToken,
  maskedLm: maskedWords,
  sequenceClassification: (read, encoder) => firstTokenClassifier(read, encoder, classifier, read.config.numLabels),
  multipleChoice,
  tokenClassification,
  questionAnswering,
};
