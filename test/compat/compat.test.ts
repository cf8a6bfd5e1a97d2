import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  AutoModel,
  AutoModelForPreTraining,
  AutoModelForSequenceClassification,
  AutoTokenizer,
  BertForMaskedLM,
  BertForPreTraining,
  BertForQuestionAnswering,
  BertModel,
  BertTokenizer,
  DistilBertModel,
  ElectraForPreTraining,
  loadModel,
  Tensor,
} from '../../src/index.js';
import { codeOf, golden, rejection } from '../support/checkpoint-files.js';

const t = suite('compat');
const kTexts = ['The children played in the garden.', 'Rain.'];

t('computes a padded batch as its texts alone', async () => {
  const directory = golden('tiny/bert-base-noprefix');
  const tokenizer = await BertTokenizer.from_pretrained(directory);
  const model = await BertModel.from_pretrained(directory);
  const batch = tokenizer(kTexts, { padding: true });
  const {
    last_hidden_state: hidden,
    pooler_output: pooled,
    hidden_states: states,
    attentions,
  } = await model({
    ...batch,
    output_hidden_states: true,
    output_attentions: true,
  });
  const [texts, tokens] = batch.input_ids.dims as [number, number];
  const { hiddenSize: width, numLayers, numHeads } = model.config;
  assert.equal(hidden!.dims, [texts, tokens, width]);
  assert.equal(pooled!.dims, [texts, width]);
  assert.is(states!.length, numLayers + 1);
  assert.equal(attentions![0]!.dims, [texts, numHeads, tokens, tokens]);
  const alone = await loadModel(directory);
  const results = await alone.forward(
    kTexts.map((text) => alone.tokenizer.encode(text)),
    { attentions: true },
  );
  results.forEach(({ lastHiddenState, poolerOutput, attentions: own }, i) => {
    const { data } = lastHiddenState;
    const begin = i * tokens * width;
    assert.equal(hidden!.data.slice(begin, begin + data.length), data);
    assert.ok(hidden!.data.slice(begin + data.length, begin + tokens * width).every((value) => value === 0));
    assert.equal(pooled!.data.slice(i * width, (i + 1) * width), poolerOutput!.data);
    const length = data.length / width;
    const row = attentions![0]!.data.slice((i * numHeads * tokens + 1) * tokens, (i * numHeads * tokens + 1) * tokens + length);
    assert.equal(row, own![0]!.data.slice(length, 2 * length));
  });
  alone.dispose();
  await model.dispose();
});

t('takes arrays, 64-bit ids and padding on the left', async () => {
  const model = await AutoModel.from_pretrained(golden('tiny/bert-base-noprefix'));
  const ids = [101, 200, 300, 102];
  const expected = (await model({ input_ids: ids })).last_hidden_state!;
  const big = { data: BigInt64Array.from(ids, BigInt), dims: [1, 4] };
  assert.equal((await model({ input_ids: big as unknown as number[] })).last_hidden_state, expected);
  const padded = await model({ input_ids: [[0, 0, ...ids]], attention_mask: [[0, 0, 1, 1, 1, 1]] });
  assert.equal(padded.last_hidden_state!.data.slice(2 * model.config.hiddenSize), expected.data);
  await model.dispose();
});

t('gives full logits by the names of transformers', async () => {
  const keys = async (model: { (inputs: { input_ids: number[] }): Promise<object>; dispose(): Promise<void> }) => {
    const output = await model({ input_ids: [101, 200, 102] });
    await model.dispose();
    return Object.entries(output).map(([key, tensor]) => `${key} ${(tensor as Tensor).dims.join('x')}`);
  };
  const masked = await BertForMaskedLM.from_pretrained(golden('tiny/bert-mlm'));
  const { vocabSize } = masked.config;
  assert.equal(await keys(masked), [`logits 1x3x${vocabSize}`]);
  const pretrained = await BertForPreTraining.from_pretrained(golden('tiny/bert-pretraining'));
  assert.equal(await keys(pretrained), [`prediction_logits 1x3x${pretrained.config.vocabSize}`, 'seq_relationship_logits 1x2']);
  assert.equal(await keys(await BertForQuestionAnswering.from_pretrained(golden('tiny/bert-question-answering'))), [
    'start_logits 1x3',
    'end_logits 1x3',
  ]);
  assert.equal(await keys(await ElectraForPreTraining.from_pretrained(golden('tiny/electra-discriminator'))), ['logits 1x3']);
  assert.equal(await keys(await AutoModelForPreTraining.from_pretrained(golden('tiny/electra-discriminator'))), ['logits 1x3']);
  assert.equal(await keys(await AutoModelForSequenceClassification.from_pretrained(golden('tiny/bert-nli'))), ['logits 1x3']);
});

t('encodes and decodes under the names of transformers', async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(golden('tiny/bert-mlm'));
  assert.is(tokenizer.mask_token, '[MASK]');
  const ids = tokenizer.encode('It was good.');
  assert.equal(tokenizer.convert_ids_to_tokens(ids), ['[CLS]', ...tokenizer.tokenize('It was good.'), '[SEP]']);
  assert.equal(tokenizer.convert_tokens_to_ids(['[MASK]']), [tokenizer.mask_token_id]);
  assert.equal(tokenizer.batch_decode([ids], { skip_special_tokens: true }), ['it was good.']);
  const pair = tokenizer('It', { text_pair: 'was' });
  assert.equal(pair.token_type_ids!.tolist(), [[0, 0, 0, 1, 1]]);
  const cut = tokenizer(kTexts, { padding: 'max_length', truncation: true, max_length: 6, return_token_type_ids: false });
  assert.equal(
    [cut.input_ids.dims, Object.keys(cut)],
    [
      [2, 6],
      ['input_ids', 'attention_mask'],
    ],
  );
  assert.is(
    codeOf(() => tokenizer(kTexts)),
    'INVALID_ARG',
  );
});

t('has the fields of a tokenizer, and honours or refuses every option of its calls', async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(golden('tiny/bert-mlm'));
  const specials = ['[UNK]', '[SEP]', '[PAD]', '[CLS]', '[MASK]'];
  const { unk_token, sep_token, pad_token, cls_token, mask_token } = tokenizer;
  assert.equal([unk_token, sep_token, pad_token, cls_token, mask_token], specials);
  assert.equal([tokenizer.all_special_tokens, tokenizer.all_special_ids], [specials, tokenizer.convert_tokens_to_ids(specials)]);
  assert.is(tokenizer.cls_token_id, tokenizer.encode('It')[0]);
  assert.equal([tokenizer.padding_side, tokenizer.truncation_side], ['right', 'right']);
  assert.is(tokenizer.model_max_length, tokenizer.tokenizer.maxLength);
  assert.is(tokenizer.vocab_size, tokenizer.tokenizer.vocabSize);

  const one = tokenizer('It was', { return_tensor: false });
  assert.equal(one, { input_ids: tokenizer.encode('It was'), attention_mask: [1, 1, 1, 1], token_type_ids: [0, 0, 0, 0] });
  const lists = tokenizer(['It', 'It was'], { return_tensor: false, return_attention_mask: false, return_token_type_ids: false });
  assert.equal(lists as object, { input_ids: [tokenizer.encode('It'), one.input_ids] });
  const left = tokenizer(['It', 'It was'], { padding: true, padding_side: 'left', truncation: null, pad_to_multiple_of: 6 });
  assert.equal(left.attention_mask.tolist(), [
    [0, 0, 0, 1, 1, 1],
    [0, 0, 1, 1, 1, 1],
  ]);
  const cut = tokenizer('It was', { truncation: true, max_length: 3, truncation_side: 'left' });
  assert.equal(tokenizer.convert_ids_to_tokens(cut.input_ids.data), ['[CLS]', 'was', '[SEP]']);
  assert.equal(tokenizer('It', { textPair: 'was' }).token_type_ids!.tolist(), [[0, 0, 0, 1, 1]]);
  assert.equal(tokenizer.tokenize('It', { text_pair: 'was', add_special_tokens: true }), ['[CLS]', 'it', '[SEP]', 'was', '[SEP]']);
  assert.is(tokenizer.decode(one.input_ids, { skipSpecialTokens: true }), 'it was');
  for (const options of [{ paddings: true }, { is_split_into_words: true }, { padding: 'all' }, { padding_side: 'top' }]) {
    assert.is(
      codeOf(() => tokenizer('It', options as object)),
      'INVALID_OPTION',
    );
  }
  assert.is(
    codeOf(() => tokenizer.decode([101], { skip: true } as object)),
    'INVALID_OPTION',
  );
});

t('refuses a class of another architecture, a missing head and inputs that do not fit', async () => {
  assert.is((await rejection(() => DistilBertModel.from_pretrained(golden('tiny/bert-mlm')))).code, 'CONFIG_UNSUPPORTED');
  assert.is((await rejection(() => BertForMaskedLM.from_pretrained(golden('tiny/bert-nsp')))).code, 'NO_HEAD');
  const model = await AutoModel.from_pretrained(golden('tiny/bert-mlm'));
  const code = async (inputs: object) => (await rejection(() => model(inputs as { input_ids: number[] }))).code;
  assert.is(await code(undefined as unknown as object), 'INVALID_ARG');
  assert.is(await code({ input_ids: [[1, 2], [1]] }), 'INVALID_ARG');
  assert.is(await code({ input_ids: [[1, 2]], attention_mask: [[1]] }), 'INVALID_ARG');
  assert.is(await code({ input_ids: [[1, 2, 3]], attention_mask: [[1, 0, 1]] }), 'INVALID_ARG');
  assert.is(await code({ input_ids: [[1.5]] }), 'INVALID_IDS');
  assert.is(await code({ input_ids: [[1_000_000]] }), 'INVALID_IDS');
  await model.dispose();
  assert.is(
    codeOf(() => new Tensor(new Float32Array(3), [2, 2])),
    'INVALID_ARG',
  );
});

t.run();
