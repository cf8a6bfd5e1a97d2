import { readFileSync } from 'node:fs';
import { suite } from './support/suite.js';
import * as assert from 'uvu/assert';
import { BerthaError } from '../src/errors.js';
import { parseConfig, type ModelConfig } from '../src/checkpoint/config.js';
import { parsePooling } from '../src/checkpoint/pooling.js';
import { golden } from './support/checkpoint-files.js';

const t = suite('checkpoint config');

const BERT = {
  model_type: 'bert',
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  vocab_size: 100,
  max_position_embeddings: 40,
};

const parse = (changes: Readonly<Record<string, unknown>> = {}): ModelConfig => parseConfig(JSON.stringify({ ...BERT, ...changes }));

/** The error must have this code and, in quotes, name the field. */
function rejects(code: string, field: string, text: string): void {
  try {
    parseConfig(text);
  } catch (error) {
    assert.instance(error, BerthaError);
    assert.is((error as BerthaError).code, code, (error as Error).message);
    assert.ok((error as Error).message.includes(field), (error as Error).message);
    return;
  }
  assert.unreachable(`accepted ${text}`);
}
const rejectsField = (code: string, field: string, value: unknown): void =>
  rejects(code, `"${field}"`, JSON.stringify({ ...BERT, [field]: value }));

const goldenConfig = (name: string): ModelConfig => parseConfig(readFileSync(golden('tiny', name, 'config.json'), 'utf8'));

t('fills in what transformers fills in', () => {
  const { raw, label2id, ...config } = parse();
  assert.equal(config, {
    modelType: 'bert',
    architectures: [],
    vocabSize: 100,
    hiddenSize: 32,
    embeddingSize: 32,
    numLayers: 2,
    numHeads: 4,
    headDim: 8,
    intermediateSize: 64,
    hiddenAct: 'gelu',
    layerNormEps: 1e-12,
    maxPositionEmbeddings: 40,
    positionOffset: 0,
    maxSequenceLength: 40,
    typeVocabSize: 2,
    positionEmbeddingType: 'absolute',
    relativeAttentionBuckets: 0,
    padTokenId: 0,
    tieWordEmbeddings: true,
    numLabels: 2,
    id2label: ['LABEL_0', 'LABEL_1'],
  });
  assert.is(raw['model_type'], 'bert');
  assert.equal(
    [...label2id],
    [
      ['LABEL_0', 0],
      ['LABEL_1', 1],
    ],
  );
});

t('reads DistilBERT’s names for the same sizes', () => {
  const config = goldenConfig('distilbert-mlm');
  assert.equal(
    [config.modelType, config.hiddenSize, config.numLayers, config.numHeads, config.intermediateSize, config.typeVocabSize],
    ['distilbert', 32, 2, 1, 129, 0],
  );
});

t('reads ELECTRA’s embedding size', () => {
  const config = goldenConfig('electra-sequence-classification');
  assert.equal([config.modelType, config.hiddenSize, config.embeddingSize], ['electra', 30, 16]);
  assert.equal(config.id2label, ['no', 'yes', 'maybe', 'unsure']);
});

t('keeps MPNet’s first positions free', () => {
  const config = goldenConfig('mpnet-base');
  assert.equal(
    [config.modelType, config.padTokenId, config.positionOffset, config.maxSequenceLength, config.relativeAttentionBuckets],
    ['mpnet', 1, 2, 40, 32],
  );
});

t('tells activations that differ in formula from those that differ in name', () => {
  assert.is(goldenConfig('bert-gelu-new').hiddenAct, 'gelu_tanh');
  assert.is(goldenConfig('bert-gelu-tanh').hiddenAct, 'gelu_tanh');
  assert.is(goldenConfig('bert-relu').hiddenAct, 'relu');
  assert.is(goldenConfig('bert-silu').hiddenAct, 'silu');
  assert.is(parse({ hidden_act: 'swish' }).hiddenAct, 'silu');
  assert.is(parse({ hidden_act: 'gelu_python' }).hiddenAct, 'gelu');
});

t('takes the model type from class names where old files lack it', () => {
  assert.is(parse({ model_type: undefined, architectures: ['BertForMaskedLM'] }).modelType, 'bert');
  assert.is(parse({ model_type: null, architectures: ['ElectraModel'] }).modelType, 'electra');
  rejects('CONFIG', '"model_type"', JSON.stringify({ ...BERT, model_type: undefined }));
  rejects('CONFIG', '"model_type"', JSON.stringify({ ...BERT, model_type: undefined, architectures: ['BertweetThing'] }));
});

t('rejects sizes that are missing, out of bounds or no integers, naming the field', () => {
  for (const field of [
    'hidden_size',
    'num_hidden_layers',
    'num_attention_heads',
    'intermediate_size',
    'vocab_size',
    'max_position_embeddings',
  ]) {
    for (const value of [undefined, null, 0, -1, 1.5, '32', [32], {}, true, 1e9, 2 ** 31, 2 ** 53, 1e300])
      rejectsField('CONFIG', field, value);
  }
});

t('rejects a hidden size that heads do not divide', () => {
  rejectsField('CONFIG', 'num_attention_heads', 5);
  rejectsField('CONFIG', 'num_attention_heads', 33);
});

t('rejects optional fields of the wrong kind', () => {
  rejectsField('CONFIG', 'type_vocab_size', 0);
  rejectsField('CONFIG', 'type_vocab_size', '2');
  for (const value of [0, -1e-12, 1, '1e-12', [], false]) rejectsField('CONFIG', 'layer_norm_eps', value);
  rejectsField('CONFIG', 'pad_token_id', 100);
  rejectsField('CONFIG', 'pad_token_id', -1);
  rejectsField('CONFIG', 'hidden_act', 7);
  rejectsField('CONFIG', 'tie_word_embeddings', 'yes');
  rejectsField('CONFIG', 'architectures', 'BertModel');
  rejectsField('CONFIG', 'model_type', 1);
});

t('rejects models it would compute wrongly', () => {
  rejectsField('CONFIG_UNSUPPORTED', 'model_type', 'roberta');
  rejectsField('CONFIG_UNSUPPORTED', 'model_type', '__proto__');
  rejectsField('CONFIG_UNSUPPORTED', 'hidden_act', 'gelu_10');
  rejectsField('CONFIG_UNSUPPORTED', 'hidden_act', 'constructor');
  rejectsField('CONFIG_UNSUPPORTED', 'position_embedding_type', 'relative_key');
  rejectsField('CONFIG_UNSUPPORTED', 'is_decoder', true);
  rejectsField('CONFIG_UNSUPPORTED', 'is_decoder', 'false');
  rejectsField('CONFIG_UNSUPPORTED', 'add_cross_attention', true);
  rejectsField('CONFIG_UNSUPPORTED', 'is_encoder_decoder', true);
  rejectsField('CONFIG_UNSUPPORTED', 'pruned_heads', { 0: [1] });
  rejectsField('CONFIG_UNSUPPORTED', 'quantization_config', { bits: 4 });
  rejectsField('CONFIG_UNSUPPORTED', 'problem_type', 'ranking');
  assert.is(parse({ pruned_heads: {}, quantization_config: null, is_decoder: false, position_embedding_type: 'absolute' }).hiddenSize, 32);
});

t('rejects an MPNet whose padding leaves no position', () => {
  const mpnet = { ...BERT, model_type: 'mpnet', max_position_embeddings: 2 };
  rejects('CONFIG', '"max_position_embeddings"', JSON.stringify(mpnet));
});

t('rejects text that is not a JSON object', () => {
  for (const text of ['', '[]', 'null', '"x"', '{', '{}x', `\ufeff${JSON.stringify(BERT)}`, '[['.repeat(1 << 20)])
    rejects('CONFIG', 'config.json', text);
});

t('does not repeat the text of a broken file in its message', () => {
  try {
    parseConfig('secret: x');
    assert.unreachable();
  } catch (error) {
    assert.not.match((error as Error).message, /secret/);
  }
});

t('looks at own properties only', () => {
  rejects('CONFIG', 'model_type', `{"__proto__":${JSON.stringify(BERT)}}`);
  const raw = `{"__proto__":{"polluted":true},${JSON.stringify(BERT).slice(1)}`;
  assert.is(parseConfig(raw).hiddenSize, 32);
  assert.is(({} as Record<string, unknown>)['polluted'], undefined);
});

t('numbers labels from 0 without gaps', () => {
  assert.equal(parse({ id2label: { 1: 'b', 0: 'a' }, num_labels: 7 }).id2label, ['a', 'b']);
  assert.is(parse({ num_labels: 3 }).numLabels, 3);
  assert.equal(parse({ num_labels: 1 }).id2label, ['LABEL_0']);
  for (const labels of [{ 1: 'a' }, { 0: 'a', 2: 'c' }, { 0: 1 }, {}, [], 'x', { zero: 'a' }]) rejectsField('CONFIG', 'id2label', labels);
  rejectsField('CONFIG', 'num_labels', 0);
  assert.is(parse({ problem_type: 'multi_label_classification' }).problemType, 'multi_label_classification');
});

// ---------------------------------------------------------------------------------------------------------------------- pooling

const pooling = (config: unknown): ReturnType<typeof parsePooling> => parsePooling(JSON.stringify(config), '1_Pooling/config.json', 32);

function rejectsPooling(config: unknown, text = /1_Pooling/): void {
  try {
    pooling(config);
  } catch (error) {
    assert.is((error as BerthaError).code, 'POOLING');
    assert.match((error as Error).message, text);
    return;
  }
  assert.unreachable(JSON.stringify(config));
}

t('reads the pooling booleans in the order in which sentence-transformers concatenates', () => {
  const all = {
    pooling_mode_lasttoken: true,
    pooling_mode_weightedmean_tokens: true,
    pooling_mode_mean_sqrt_len_tokens: true,
    pooling_mode_mean_tokens: true,
    pooling_mode_max_tokens: true,
    pooling_mode_cls_token: true,
  };
  assert.equal(pooling({ word_embedding_dimension: 32, ...all }).modes, [
    'cls',
    'max',
    'mean',
    'mean_sqrt_len_tokens',
    'weightedmean',
    'lasttoken',
  ]);
});

t('pools by mean where no boolean is set', () => {
  assert.equal(pooling({ word_embedding_dimension: 32 }).modes, ['mean']);
  assert.equal(pooling({ word_embedding_dimension: 32, pooling_mode_cls_token: false, pooling_mode_mean_tokens: false }).modes, ['mean']);
});

t('keeps the order of a list of pooling names', () => {
  assert.equal(pooling({ embedding_dimension: 32, pooling_mode: 'lasttoken' }).modes, ['lasttoken']);
  assert.equal(pooling({ embedding_dimension: 32, pooling_mode: ['max', 'cls'], include_prompt: false }), {
    modes: ['max', 'cls'],
    includePrompt: false,
    wordEmbeddingDimension: 32,
  });
});

t('rejects pooling that is unknown, malformed or contradicts itself', () => {
  rejectsPooling({ embedding_dimension: 32, pooling_mode: 'median' }, /median/);
  rejectsPooling({ embedding_dimension: 32, pooling_mode: [] });
  rejectsPooling({ embedding_dimension: 32, pooling_mode: ['mean', 3] });
  rejectsPooling({ embedding_dimension: 32, pooling_mode: Array(17).fill('mean') });
  rejectsPooling({ word_embedding_dimension: 32, pooling_mode_median_tokens: true }, /pooling_mode_median_tokens/);
  rejectsPooling({ word_embedding_dimension: 32, pooling_mode_cls_token: 'yes' });
  rejectsPooling({ word_embedding_dimension: 32, pooling_mode_cls_token: true, pooling_mode: 'mean' });
  rejectsPooling({ word_embedding_dimension: 31, pooling_mode_cls_token: true }, /hidden size/);
  rejectsPooling({ pooling_mode: 'mean' }, /word_embedding_dimension/);
  rejectsPooling({ embedding_dimension: 32, include_prompt: 1 });
  rejectsPooling([]);
  assert.equal(
    pooling({ embedding_dimension: 32, pooling_mode_median_tokens: false, pooling_mode_mean_tokens: true, pooling_mode: ['mean'] }).modes,
    ['mean'],
  );
});

t.run();
