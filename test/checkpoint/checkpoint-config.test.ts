import { readFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { BerthaError } from '../../src/errors.js';
import { parseConfig, type ModelConfig } from '../../src/architectures/config.js';
import { JsonFields } from '../../src/checkpoint/json-fields.js';
import { readLabels } from '../../src/checkpoint/labels.js';
import { parsePooling } from '../../src/checkpoint/sentence/pooling.js';
import { golden } from '../support/checkpoint-files.js';

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
    isDecoder: false,
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

t('rejects sizes that are null, out of bounds or no integers, naming the field', () => {
  for (const field of [
    'hidden_size',
    'num_hidden_layers',
    'num_attention_heads',
    'intermediate_size',
    'vocab_size',
    'max_position_embeddings',
  ]) {
    for (const value of [null, 0, -1, 1.5, '32', [32], {}, true, 1e9, 2 ** 31, 2 ** 53, 1e300]) rejectsField('CONFIG', field, value);
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
  rejectsField('CONFIG', 'hidden_act', 7);
  rejectsField('CONFIG', 'tie_word_embeddings', 'yes');
  rejectsField('CONFIG', 'model_type', 1);
});

t('rejects models it would compute wrongly', () => {
  rejectsField('CONFIG_UNSUPPORTED', 'model_type', 't5');
  rejectsField('CONFIG_UNSUPPORTED', 'model_type', '__proto__');
  rejectsField('CONFIG_UNSUPPORTED', 'hidden_act', 'gelu_10');
  rejectsField('CONFIG_UNSUPPORTED', 'hidden_act', 'constructor');
  rejectsField('CONFIG_UNSUPPORTED', 'position_embedding_type', 'rotary_key');
  rejectsField('CONFIG_UNSUPPORTED', 'is_decoder', 'false');
  rejectsField('CONFIG_UNSUPPORTED', 'add_cross_attention', true);
  rejectsField('CONFIG_UNSUPPORTED', 'is_encoder_decoder', true);
  rejectsField('CONFIG_UNSUPPORTED', 'pruned_heads', { 0: [1] });
  rejectsField('CONFIG_UNSUPPORTED', 'quantization_config', { bits: 4 });
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
  assert.equal(parse({ id2label: { '01': 'b', 0: 'a' } }).id2label, ['a', 'b']);
  assert.is(parse({ problem_type: 'multi_label_classification' }).problemType, 'multi_label_classification');
});

t('keeps what only heads with labels need for those heads to reject', () => {
  for (const labels of [{ 1: 'a' }, { 0: 'a', 2: 'c' }, { 0: 1 }, {}, [], 'x', { zero: 'a' }]) {
    const { labelError } = parse({ id2label: labels });
    assert.equal([labelError?.code, labelError?.message.includes('"id2label"')], ['CONFIG', true]);
  }
  assert.match(parse({ num_labels: 0 }).labelError!.message, '"num_labels"');
  assert.is(parse().labelError, undefined);
  for (const problem of ['ranking', 7, null]) assert.is(parse({ problem_type: problem }).problemType, undefined);
});

t('reads the labels of a head by its rows where fields contradict each other or are absent', () => {
  const labels = (fields: object, rows: number) => readLabels(new JsonFields({ ...fields }, 'config.json', 'CONFIG'), rows).id2label;
  const id2label = { 0: 'a', 1: 'b' };
  assert.equal(labels({ id2label, num_labels: 3 }, 2), ['a', 'b']);
  assert.equal(labels({ id2label, num_labels: 3 }, 3), ['LABEL_0', 'LABEL_1', 'LABEL_2']);
  assert.equal(labels({ id2label, num_labels: 3 }, 4), ['a', 'b']);
  assert.equal(labels({ id2label }, 3), ['a', 'b']);
  assert.equal(labels({ num_labels: 3 }, 5).length, 3);
  assert.equal(labels({}, 5).length, 5);
});

// Values: `AutoConfig.from_pretrained` of transformers 5.24 on the same fields.
t('fills in what each architecture leaves out, and reads no field that its code does not read', () => {
  const sizes = (config: object) => {
    const { hiddenSize, embeddingSize, numLayers, numHeads, intermediateSize, vocabSize, typeVocabSize, padTokenId } = parseConfig(
      JSON.stringify(config),
    );
    return [hiddenSize, embeddingSize, numLayers, numHeads, intermediateSize, vocabSize, typeVocabSize, padTokenId];
  };
  assert.equal(sizes({ model_type: 'bert' }), [768, 768, 12, 12, 3072, 30522, 2, 0]);
  assert.equal(sizes({ model_type: 'electra' }), [256, 128, 12, 4, 1024, 30522, 2, 0]);
  assert.equal(sizes({ model_type: 'mpnet' }), [768, 768, 12, 12, 3072, 30527, 0, 1]);
  assert.equal(sizes({ model_type: 'distilbert' }), [768, 768, 6, 12, 3072, 30522, 0, 0]);
  const renamed = { model_type: 'distilbert', hidden_size: 32, dim: 64, num_attention_heads: 2, num_hidden_layers: 3 };
  assert.equal(sizes(renamed).slice(0, 4), [32, 32, 3, 2]);
  assert.is(parseConfig(JSON.stringify({ ...renamed, layer_norm_eps: 1e-5, is_decoder: true })).layerNormEps, 1e-12);
  for (const id of [-1, 100, 1.5, 'x', null]) assert.is(parse({ pad_token_id: id }).padTokenId, undefined);
  const mpnet = parse({ model_type: 'mpnet', pad_token_id: 0, position_embedding_type: 'relative_key', add_cross_attention: true });
  assert.equal([mpnet.positionOffset, mpnet.uncountedId, mpnet.maxSequenceLength], [2, 1, 38]);
  rejects(
    'CONFIG',
    '"relative_attention_num_buckets"',
    JSON.stringify({ ...BERT, model_type: 'mpnet', relative_attention_num_buckets: 16 }),
  );
  assert.equal(parse({ architectures: 'BertModel' }).architectures, ['BertModel']);
  assert.equal(parse({ architectures: { a: 1 } }).architectures, []);
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
