// What config.json of the families says beyond BERT's, and what is refused of it by name.
import * as assert from 'uvu/assert';
import { parseConfig, type ModelConfig } from '../../src/architectures/config.js';
import { distanceRows } from '../../src/architectures/deberta-v2/distance-rows.js';
import { alibiSlopes } from '../../src/architectures/jina-bert/slopes.js';
import { knownNames } from '../../src/architectures/registry.js';
import { rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('config.json of the families');

const parse = (fields: Readonly<Record<string, unknown>>): ModelConfig => parseConfig(JSON.stringify(fields));

/** The fields must be refused with this code, the message naming `what`. */
async function refuses(code: string, what: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  const error = await rejection(async () => parse(fields));
  assert.is(error.code, code, error.message);
  assert.ok(error.message.includes(what), error.message);
}

for (const type of ['roberta', 'xlm-roberta', 'camembert']) {
  t(`${type} counts positions from behind pad_token_id`, async () => {
    const sizes = ({ positionOffset, uncountedId, maxSequenceLength }: ModelConfig) => [positionOffset, uncountedId, maxSequenceLength];
    assert.equal(sizes(parse({ model_type: type, max_position_embeddings: 514 })), [2, 1, 512]);
    assert.equal(sizes(parse({ model_type: type, max_position_embeddings: 8194, pad_token_id: 1 })), [2, 1, 8192]);
    assert.equal(sizes(parse({ model_type: type, max_position_embeddings: 40, pad_token_id: 0 })), [1, 0, 39]);
    await refuses('CONFIG', '"pad_token_id"', { model_type: type, pad_token_id: null });
    await refuses('CONFIG', '"pad_token_id"', { model_type: type, pad_token_id: 50265 });
    await refuses('CONFIG', '"max_position_embeddings"', { model_type: type, max_position_embeddings: 2 });
    await refuses('CONFIG_UNSUPPORTED', '"is_decoder"', { model_type: type, is_decoder: 'true' });
    await refuses('CONFIG_UNSUPPORTED', '"position_embedding_type"', { model_type: type, position_embedding_type: 'alibi' });
    await refuses('CONFIG', '"type_vocab_size"', { model_type: type, type_vocab_size: 0 });
  });
}

t('albert has the defaults of its class, and groups that are no more than its layers', async () => {
  const { hiddenSize, numHeads, intermediateSize, embeddingSize, hiddenAct, vocabSize } = parse({ model_type: 'albert' });
  assert.equal([hiddenSize, numHeads, intermediateSize, embeddingSize, hiddenAct, vocabSize], [4096, 64, 16384, 128, 'gelu_tanh', 30000]);
  await refuses('CONFIG', '"num_hidden_groups"', { model_type: 'albert', num_hidden_layers: 4, num_hidden_groups: 5 });
  await refuses('CONFIG', '"inner_group_num"', { model_type: 'albert', inner_group_num: 0 });
});

t('nomic_bert has the names of both generations of files, and refuses what only the published code computes', async () => {
  const old = {
    model_type: 'nomic_bert',
    n_embd: 24,
    n_head: 4,
    n_inner: 37,
    n_layer: 3,
    n_positions: 56,
    layer_norm_epsilon: 1e-7,
    vocab_size: 99,
  };
  const { hiddenSize, numHeads, intermediateSize, numLayers, maxSequenceLength, layerNormEps, hiddenAct } = parse(old);
  assert.equal(
    [hiddenSize, numHeads, intermediateSize, numLayers, maxSequenceLength, layerNormEps, hiddenAct],
    [24, 4, 37, 3, 56, 1e-7, 'silu'],
  );
  for (const [field, value] of [
    ['prenorm', true],
    ['use_rms_norm', true],
    ['causal', true],
    ['parallel_block', true],
    ['rotary_emb_fraction', 0.5],
    ['rotary_emb_interleaved', true],
    ['moe_every_n_layers', 2],
    ['qkv_proj_bias', true],
    ['mlp_fc1_bias', true],
    ['activation_function', 'geglu'],
    ['scale_attn_by_inverse_layer_idx', true],
  ] as const) {
    await refuses('CONFIG_UNSUPPORTED', `"${field}"`, { ...old, [field]: value });
  }
  await refuses('CONFIG', '"head_dim"', { ...old, head_dim: 8 });
  await refuses('CONFIG', '"n_embd"', { ...old, n_head: 8 });
  await refuses('CONFIG_UNSUPPORTED', '"rope_type"', { ...old, rope_parameters: { rope_type: 'yarn', rope_theta: 1000, factor: 2 } });
  await refuses('CONFIG', '"rotary_emb_base"', { ...old, rotary_emb_base: 10000, rope_parameters: { rope_theta: 1000 } });
});

t('nomic_bert takes no more than it was trained on where its base depends on the length', () => {
  const sizes = { model_type: 'nomic_bert', n_positions: 8192, max_trained_positions: 2048 };
  assert.is(parse(sizes).maxSequenceLength, 8192);
  assert.is(parse({ ...sizes, rotary_scaling_factor: null }).maxSequenceLength, 8192);
  assert.is(parse({ ...sizes, rotary_scaling_factor: 2 }).maxSequenceLength, 2048);
  const dynamic = { rope_parameters: { rope_type: 'dynamic', factor: 2, rope_theta: 1000 } };
  assert.is(parse({ ...sizes, ...dynamic }).maxSequenceLength, 2048);
});

t('gte is `new` too, and stretches its angles by ntk alone', async () => {
  const fields = { model_type: 'new', position_embedding_type: 'rope', auto_map: { AutoModel: 'a--b.NewModel' } };
  assert.is(parse(fields).modelType, 'gte');
  assert.is(parse({ ...fields, type_vocab_size: 0 }).typeVocabSize, 0);
  parse({ ...fields, rope_scaling: { type: 'ntk', factor: 2 } });
  await refuses('CONFIG_UNSUPPORTED', '"type"', { ...fields, rope_scaling: { type: 'linear', factor: 2 } });
  await refuses('CONFIG', '"factor"', { ...fields, rope_scaling: { type: 'ntk' } });
  await refuses('CONFIG', '"rope_theta"', { ...fields, rope_theta: 10000, rope_parameters: { rope_theta: 20000 } });
  await refuses('CONFIG', '"rope_scaling"', {
    ...fields,
    rope_scaling: { type: 'ntk', factor: 2 },
    rope_parameters: { rope_type: 'default' },
  });
  await refuses('CONFIG_UNSUPPORTED', '"layer_norm_type"', { ...fields, layer_norm_type: 'rms_norm' });
  await refuses('CONFIG_UNSUPPORTED', '"logn_attention_scale"', { ...fields, logn_attention_scale: true });
  await refuses('CONFIG_UNSUPPORTED', '"pack_qkv"', { ...fields, pack_qkv: false });
  await refuses('CONFIG_UNSUPPORTED', '"position_embedding_type"', { ...fields, position_embedding_type: 'absolute' });
});

t('modernbert reads both generations of files, and refuses those that contradict themselves', async () => {
  const fields = { model_type: 'modernbert', num_hidden_layers: 4 };
  const kinds = (...names: string[]) => names.map((name) => `${name}_attention`);
  parse({ ...fields, global_attn_every_n_layers: 3, layer_types: kinds('full', 'sliding', 'sliding', 'full') });
  await refuses('CONFIG', '"global_attn_every_n_layers"', {
    ...fields,
    global_attn_every_n_layers: 2,
    layer_types: kinds('full', 'sliding', 'sliding', 'full'),
  });
  await refuses('CONFIG', '"layer_types"', { ...fields, layer_types: kinds('full') });
  await refuses('CONFIG_UNSUPPORTED', '"layer_types"', { ...fields, layer_types: kinds('full', 'linear', 'full', 'full') });
  const rope = { full_attention: { rope_theta: 80000 }, sliding_attention: { rope_theta: 500 } };
  parse({ ...fields, rope_parameters: rope, global_rope_theta: 80000 });
  await refuses('CONFIG', '"global_rope_theta"', { ...fields, rope_parameters: rope, global_rope_theta: 160000 });
  await refuses('CONFIG_UNSUPPORTED', '"type"', { ...fields, rope_scaling: { type: 'linear', factor: 2 } });
  await refuses('CONFIG_UNSUPPORTED', '"rope_type"', {
    ...fields,
    rope_parameters: { ...rope, full_attention: { rope_type: 'llama3', rope_theta: 80000 } },
  });
  await refuses('CONFIG_UNSUPPORTED', '"classifier_pooling"', { ...fields, classifier_pooling: 'max' });
  await refuses('CONFIG', '"local_attention"', { ...fields, local_attention: -1 });
  await refuses('CONFIG', '"norm_eps"', { ...fields, norm_eps: 0 });
});

t('jina-bert is told from bert by its positions, and its implementation by auto_map', async () => {
  const fields = { model_type: 'bert', position_embedding_type: 'alibi', feed_forward_type: 'geglu' };
  assert.is(parse(fields).modelType, 'jina-bert');
  assert.is(parse({ ...fields, position_embedding_type: 'absolute' }).modelType, 'bert');
  await refuses('CONFIG_UNSUPPORTED', '"feed_forward_type"', { ...fields, feed_forward_type: 'original' });
  parse({ ...fields, auto_map: { AutoModel: 'jinaai/jina-bert-v2-qk-post-norm--modeling_bert.JinaBertModel' } });
  await refuses('CONFIG_UNSUPPORTED', '"auto_map"', { ...fields, auto_map: { AutoModel: 'someone/other--modeling.Model' } });
  assert.equal(alibiSlopes(4), [2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8]);
  assert.equal(alibiSlopes(6), [2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
});

const relative = { relative_attention: true, pos_att_type: 'p2c|c2p', hidden_size: 24, num_attention_heads: 3 };
for (const type of ['deberta', 'deberta-v2']) {
  t(`${type} refuses contradictions in how positions meet contents`, async () => {
    const fields = { model_type: type, ...relative };
    parse(fields);
    parse({ ...fields, pos_att_type: ['c2p'] });
    parse({ model_type: type, pos_att_type: 'None', relative_attention: false });
    await refuses('CONFIG_UNSUPPORTED', '"pos_att_type"', { ...fields, pos_att_type: null });
    await refuses('CONFIG_UNSUPPORTED', '"pos_att_type"', { ...fields, pos_att_type: 'none' });
    await refuses('CONFIG_UNSUPPORTED', '"pos_att_type"', { ...fields, pos_att_type: ['p2p'] });
    await refuses('CONFIG_UNSUPPORTED', '"talking_head"', { ...fields, talking_head: true });
    await refuses('CONFIG_UNSUPPORTED', '"pooler_hidden_size"', { ...fields, pooler_hidden_size: 12 });
    await refuses('CONFIG', '"max_relative_positions"', { ...fields, max_relative_positions: 'all' });
  });
}

t('deberta-v2 has buckets and a convolution, which the first version does not know', async () => {
  const fields = { model_type: 'deberta-v2', ...relative };
  const contradictions = [
    ['CONFIG', '"position_buckets"', { position_buckets: 64, max_relative_positions: 20 }],
    ['CONFIG', '"position_buckets"', { position_buckets: 1 }],
    ['CONFIG_UNSUPPORTED', '"conv_kernel_size"', { conv_kernel_size: 4 }],
    ['CONFIG_UNSUPPORTED', '"conv_groups"', { conv_kernel_size: 3, conv_groups: 2 }],
    ['CONFIG_UNSUPPORTED', '"conv_act"', { conv_kernel_size: 3, conv_act: 'snake' }],
    ['CONFIG_UNSUPPORTED', '"attention_head_size"', { attention_head_size: 64 }],
  ] as const;
  for (const [code, what, wrong] of contradictions) {
    await refuses(code, what, { ...fields, ...wrong });
    parse({ ...fields, model_type: 'deberta', ...wrong });
  }
  // Inputs that never reach the logarithms.
  parse({ ...fields, position_buckets: 256, max_position_embeddings: 64 });
});

t('distances share rows as float32 rounds their logarithms', () => {
  const rows = distanceRows({ span: 18, buckets: 18, longest: 17 }, 20);
  // transformers' make_log_bucket_position(arange(20), 18, 17) + 18, at most 35; in float64 the row of distance 12 would be 31.
  const further = [18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 32, 33, 34, 35, 35, 35, 35, 35];
  assert.equal(rows.slice(19), further);
  assert.equal(rows.slice(7, 19), [4, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
  assert.equal(distanceRows({ span: 4, buckets: 0, longest: 4 }, 6), [0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 7]);
});

t('every family refuses what it would compute wrongly', async () => {
  for (const type of knownNames) {
    await refuses('CONFIG_UNSUPPORTED', '"quantization_config"', { model_type: type, quantization_config: { bits: 8 } });
    await refuses('CONFIG_UNSUPPORTED', '"pruned_heads"', { model_type: type, pruned_heads: { 0: [1] } });
  }
});

t.run();
