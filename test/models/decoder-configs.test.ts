// What config.json and the tensors of models that write may say.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../src/architectures/config.js';
import type { JsonObject } from '../../src/checkpoint/json-fields.js';
import { buildModel } from '../../src/models/build-model.js';
import { editJson, rejection, temporaryFolder, withModel } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';
import { withTensors } from '../support/with-tensors.js';

const t = suite('configurations of decoders');
const folderOf = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
const configOf = (name: string) => JSON.parse(readFileSync(join(folderOf(name), 'config.json'), 'utf8')) as Record<string, JsonObject>;

async function refuses(code: string, text: string, config: object): Promise<void> {
  const error = await rejection(async () => parseConfig(JSON.stringify(config)));
  assert.is(error.code, code, error.message);
  assert.ok(error.message.includes(text), error.message);
}

const bert2bert = configOf('bert2bert-projected');
const withPart = (part: 'encoder' | 'decoder', changes: object): object => ({ ...bert2bert, [part]: { ...bert2bert[part], ...changes } });

t('an encoder-decoder has two configurations, of families that can be both', async () => {
  const { modelType, hiddenSize, isDecoder, architectures, decoder } = parseConfig(JSON.stringify(bert2bert));
  assert.equal([modelType, hiddenSize, isDecoder, architectures], ['bert', 24, false, ['EncoderDecoderModel']]);
  assert.equal([decoder!.modelType, decoder!.hiddenSize, decoder!.isDecoder, decoder!.tieWordEmbeddings], ['bert', 21, true, false]);
  const { model_type: _, ...untyped } = bert2bert;
  assert.is(parseConfig(JSON.stringify(untyped)).decoder!.hiddenSize, 21);
  await refuses('CONFIG', '"decoder"', { ...bert2bert, decoder: undefined });
  await refuses('CONFIG', '"encoder"', { ...bert2bert, encoder: 'bert' });
  await refuses('CONFIG', '"model_type" of "encoder"', withPart('encoder', { model_type: undefined }));
  await refuses(
    'CONFIG_UNSUPPORTED',
    'one of bert, roberta, xlm-roberta, camembert, bert-generation',
    withPart('decoder', { model_type: 'gpt2' }),
  );
  await refuses('CONFIG_UNSUPPORTED', '"electra"', withPart('encoder', { model_type: 'electra' }));
  await refuses('CONFIG_UNSUPPORTED', '"marian"', withPart('decoder', { model_type: 'marian' }));
});

t('halves that would compute something else are refused', async () => {
  await refuses('CONFIG_UNSUPPORTED', '"is_decoder" of "decoder"', withPart('decoder', { is_decoder: false }));
  await refuses('CONFIG_UNSUPPORTED', '"is_decoder" of "decoder"', withPart('decoder', { is_decoder: undefined }));
  await refuses('CONFIG_UNSUPPORTED', '"is_decoder" of "encoder"', withPart('encoder', { is_decoder: true }));
  await refuses('CONFIG_UNSUPPORTED', '"cross_attention_hidden_size"', withPart('decoder', { cross_attention_hidden_size: 24 }));
  await refuses('CONFIG_UNSUPPORTED', '"position_embedding_type"', withPart('decoder', { position_embedding_type: 'relative_key' }));
  await refuses('CONFIG', '"num_attention_heads"', withPart('decoder', { num_attention_heads: 5 }));
});

t('a decoder alone says so, and has no cross-attention', async () => {
  const alone = configOf('bertgen-lm');
  assert.is(parseConfig(JSON.stringify(alone)).isDecoder, true);
  for (const type of ['bert', 'roberta', 'xlm-roberta', 'camembert', 'bert-generation']) {
    assert.is(parseConfig(JSON.stringify({ model_type: type, is_decoder: true })).isDecoder, true, type);
  }
  await refuses('CONFIG_UNSUPPORTED', '"add_cross_attention"', { ...alone, add_cross_attention: true });
  await refuses('CONFIG_UNSUPPORTED', '"is_decoder"', { model_type: 'albert', is_decoder: true });
});

t('marian has the defaults of its class, two vocabularies, and refuses what transformers ignores', async () => {
  const { numLayers, hiddenSize, intermediateSize, layerNormEps, vocabSize, padTokenId, decoder, maxSequenceLength } =
    parseConfig('{"model_type": "marian"}');
  assert.equal([numLayers, hiddenSize, intermediateSize, layerNormEps], [12, 1024, 4096, 1e-5]);
  assert.equal([vocabSize, padTokenId, decoder!.vocabSize, maxSequenceLength], [58101, 58100, 58101, 1024]);
  const own = { model_type: 'marian', vocab_size: 120, pad_token_id: 119, decoder_layers: 3, decoder_ffn_dim: 50 };
  for (const [given, read] of [
    [90, 90],
    [null, 120],
    [undefined, 120],
  ]) {
    assert.is(parseConfig(JSON.stringify({ ...own, decoder_vocab_size: given })).decoder!.vocabSize, read);
  }
  const both = parseConfig(JSON.stringify(own));
  assert.equal([both.numLayers, both.decoder!.numLayers, both.decoder!.intermediateSize, both.decoder!.isDecoder], [12, 3, 50, true]);
  for (const [field, value] of Object.entries({
    normalize_before: true,
    normalize_embedding: true,
    add_final_layer_norm: true,
    static_position_embeddings: false,
  })) {
    await refuses('CONFIG_UNSUPPORTED', `"${field}"`, { ...own, [field]: value });
  }
});

t('bart has the defaults of its class, and refuses what transformers ignores', async () => {
  const { numLayers, hiddenSize, vocabSize, padTokenId, decoder, maxSequenceLength } = parseConfig('{"model_type": "bart"}');
  assert.equal([numLayers, hiddenSize, vocabSize, padTokenId, decoder!.vocabSize, maxSequenceLength], [12, 1024, 50265, 1, 50265, 1024]);
  const published = { normalize_before: false, normalize_embedding: true, add_final_layer_norm: false, static_position_embeddings: false };
  assert.is(parseConfig(JSON.stringify({ model_type: 'bart', ...published })).numLayers, 12);
  for (const [field, value] of Object.entries(published)) {
    await refuses('CONFIG_UNSUPPORTED', `"${field}"`, { model_type: 'bart', ...published, [field]: !value });
  }
});

/** What building says of a directory's tensors; undefined where it can be built. */
async function fault(folder: string): Promise<string | undefined> {
  try {
    await withModel(folder, (directory) => void buildModel(directory, { heads: true }));
    return undefined;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
}

t('tensors that halves share are read under either name, and without tie_encoder_decoder each needs its own', async () => {
  const shared = temporaryFolder(folderOf('bert2bert-shared'));
  assert.is(await fault(shared), undefined);
  editJson(join(shared, 'config.json'), { tie_encoder_decoder: false });
  assert.match((await fault(shared))!, /^MODEL_MISMATCH.*37 missing: "encoder.embeddings.word_embeddings.weight" \[110, 24\]/s);
  editJson(join(shared, 'config.json'), { tie_encoder_decoder: true });
  await withTensors(shared, (tensor) => {
    const isOwn = /crossattention|cls\.predictions/.test(tensor.name);
    return [isOwn ? tensor : { ...tensor, name: tensor.name.replace('decoder.bert.', 'encoder.') }];
  });
  assert.is(await fault(shared), undefined);
});

t('the words of a tied decoder are stored under either name', async () => {
  const folder = temporaryFolder(folderOf('roberta2roberta'));
  const [table, matrix] = ['decoder.roberta.embeddings.word_embeddings.weight', 'decoder.lm_head.decoder.weight'];
  await withTensors(folder, (tensor) => [tensor.name === table ? { ...tensor, name: matrix } : tensor]);
  assert.is(await fault(folder), undefined);
  const config = configOf('roberta2roberta');
  editJson(join(folder, 'config.json'), { decoder: { ...config['decoder'], tie_word_embeddings: false } });
  assert.match((await fault(folder))!, new RegExp(`^MODEL_MISMATCH.*1 missing: "${table}"`, 's'));
});

t('all tensors that do not fit are listed: of cross-attention, and of the matrix between halves', async () => {
  const folder = temporaryFolder(folderOf('bert2bert-projected'));
  await withTensors(folder, (tensor) => (tensor.name.includes('crossattention') ? [] : [tensor]));
  assert.match(
    (await fault(folder))!,
    /^MODEL_MISMATCH.*20 missing: "decoder\.bert\.encoder\.layer\.0\.crossattention\.self\.query\.weight" \[21, 21\]/s,
  );
  const narrow = temporaryFolder(folderOf('bert2bert-projected'));
  await withTensors(narrow, (tensor) => (tensor.name.startsWith('enc_to_dec_proj') ? [] : [tensor]));
  assert.match((await fault(narrow))!, /^MODEL_MISMATCH.*2 missing: "enc_to_dec_proj\.weight" \[21, 24\], "enc_to_dec_proj\.bias" \[21\]/s);
});

t('a pooler is surplus', () =>
  withModel(folderOf('bert2bert-shared'), (directory) => {
    const { surplus } = buildModel(directory, { heads: true });
    assert.equal([...surplus].sort(), ['encoder.pooler.dense.bias', 'encoder.pooler.dense.weight']);
  }),
);

t.run();
