import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { AutoModel, AutoTokenizer, loadTokenizer, ones, stack, Tensor } from '../../src/index.js';
import { codeOf, editJson, golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('compat tokenizer');
const kTexts = ['The children played in the garden.', 'Rain.'];
const directory = golden('tiny/bert-mlm');

// The expected values were printed by transformers 4.57.6.
t('returns windows, offsets, masks and lengths as Python does', async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(directory);
  const options = {
    truncation: true,
    max_length: 6,
    stride: 2,
    padding: true,
    return_overflowing_tokens: true,
    return_offsets_mapping: true,
    return_special_tokens_mask: true,
    return_length: true,
  } as const;
  const batch = tokenizer(kTexts, options);
  assert.equal(batch.input_ids.tolist(), [
    [101, 214, 554, 427, 217, 102],
    [101, 427, 217, 214, 1473, 102],
    [101, 214, 1473, 117, 102, 0],
    [101, 1534, 117, 102, 0, 0],
  ]);
  const offsets = batch.offset_mapping!.tolist() as number[][][];
  assert.equal(batch.offset_mapping!.dims, [4, 6, 2]);
  assert.equal(offsets.slice(2), [
    [
      [0, 0],
      [23, 26],
      [27, 33],
      [33, 34],
      [0, 0],
      [0, 0],
    ],
    [
      [0, 0],
      [0, 4],
      [4, 5],
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  ]);
  assert.equal((batch.special_tokens_mask!.tolist() as number[][])[3], [1, 0, 0, 1, 1, 1]);
  assert.equal(
    [batch.length!.tolist(), batch.overflow_to_sample_mapping!.tolist()],
    [
      [6, 6, 6, 6],
      [0, 0, 0, 1],
    ],
  );
  const lists = tokenizer(kTexts, { ...options, return_tensor: false });
  assert.equal([lists.input_ids, lists.offset_mapping, lists.length], [batch.input_ids.tolist(), offsets, [6, 6, 6, 6]]);
  const pair = tokenizer('The children', {
    text_pair: 'in rain',
    return_special_tokens_mask: true,
    return_length: true,
    return_tensors: false,
  });
  assert.equal(pair, {
    input_ids: [101, 214, 554, 102, 217, 1534, 102],
    attention_mask: [1, 1, 1, 1, 1, 1, 1],
    token_type_ids: [0, 0, 0, 0, 1, 1, 1],
    special_tokens_mask: [1, 0, 0, 1, 0, 0, 1],
    length: [7],
  });
  const model = await AutoModel.from_pretrained(directory);
  assert.equal((await model(batch)).last_hidden_state!.dims.slice(0, 2), [4, 6]);
  await model.dispose();
});

t('reads everything in camel case too, which JSON and comparisons do not see', async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(directory);
  const batch = tokenizer('It was', { returnLength: true, maxLength: 3 });
  assert.is(batch.inputIds, batch.input_ids);
  assert.equal([Object.keys(batch), Object.keys({ ...batch }).length], [['input_ids', 'attention_mask', 'token_type_ids', 'length'], 4]);
  assert.is(
    JSON.stringify(tokenizer('It', { return_tensor: false })),
    '{"input_ids":[101,' + tokenizer.encode('It')[1] + ',102],"attention_mask":[1,1,1],"token_type_ids":[0,0,0]}',
  );
  assert.equal([tokenizer.maskTokenId, tokenizer.modelMaxLength], [tokenizer.mask_token_id, tokenizer.model_max_length]);
  assert.equal(tokenizer.batch_decode([tokenizer.encode('It')], { skipSpecialTokens: true }), ['it']);
});

t('has the special tokens that files name, in the order of Python', async () => {
  const plain = await AutoTokenizer.from_pretrained(directory);
  assert.equal(
    [plain.bos_token, plain.eos_token_id, plain.additional_special_tokens, plain.chat_template],
    [undefined, undefined, [], null],
  );
  const folder = temporaryFolder(directory);
  editJson(path.join(folder, 'tokenizer_config.json'), {
    bos_token: '[CLS]',
    eos_token: '[SEP]',
    additional_special_tokens: ['[unused1]', '<x>'],
  });
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  assert.equal([tokenizer.bos_token, tokenizer.bos_token_id, tokenizer.eos_token, tokenizer.eos_token_id], ['[CLS]', 101, '[SEP]', 102]);
  assert.equal(
    [tokenizer.additional_special_tokens, tokenizer.additional_special_tokens_ids],
    [
      ['[unused1]', '<x>'],
      [2, 2013],
    ],
  );
  assert.equal(tokenizer.all_special_tokens, ['[CLS]', '[SEP]', '[UNK]', '[PAD]', '[MASK]', '[unused1]', '<x>']);
  assert.equal(tokenizer.all_special_ids, [101, 102, 100, 0, 103, 2, 2013]);
  const own = await loadTokenizer(folder);
  assert.equal([own.bosId, own.eosId, own.additionalSpecialTokens], [101, 102, ['[unused1]', '<x>']]);
});

t('pads and cuts where its fields say, once they are set', async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(directory);
  tokenizer.padding_side = 'left';
  tokenizer.truncation_side = 'left';
  assert.equal((tokenizer(kTexts, { padding: true }).input_ids.tolist() as number[][])[1], [0, 0, 0, 0, 0, 101, 1534, 117, 102]);
  assert.equal(tokenizer(kTexts[0]!, { truncation: true, max_length: 5 }).input_ids.tolist(), [[101, 214, 1473, 117, 102]]);
  assert.equal(tokenizer.encode(kTexts[0]!, { truncation: true, max_length: 5 }), [101, 214, 1473, 117, 102]);
  tokenizer.padding_side = 'top' as 'left';
  assert.is(
    codeOf(() => tokenizer(kTexts, { padding: true })),
    'INVALID_OPTION',
  );
});

t('cuts at max_length as transformers.js does', async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(directory);
  const dims = (options: object) => tokenizer(kTexts, { padding: true, ...options }).input_ids.dims;
  assert.equal(
    [dims({ max_length: 4 }), dims({ max_length: 4, truncation: true })],
    [
      [2, 9],
      [2, 4],
    ],
  );
  assert.equal(tokenizer(kTexts[0]!, { max_length: 4 }).input_ids.dims, [1, 4]);
  const limit = tokenizer.model_max_length;
  assert.equal(dims({ max_length: 10_000, padding: 'max_length' }), [2, limit]);
  const folder = temporaryFolder(directory);
  editJson(path.join(folder, 'tokenizer_config.json'), { model_max_length: 1e30 });
  editJson(path.join(folder, 'config.json'), { max_position_embeddings: 1 << 20 });
  const words = 'in the garden '.repeat(40);
  assert.ok((await AutoTokenizer.from_pretrained(folder))(words, { truncation: true }).input_ids.dims[1]! > 100);
});

t('converts, decodes and refuses', async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(directory);
  const { input_ids } = tokenizer(kTexts, { padding: true });
  const vocabulary = tokenizer.get_vocab();
  assert.equal([vocabulary.get('[MASK]'), vocabulary.size], [103, 2013]);
  assert.equal([tokenizer.convert_tokens_to_ids('[MASK]'), tokenizer.convert_ids_to_tokens(103)], [103, '[MASK]']);
  assert.equal(tokenizer.tokenize('The', { pair: 'rain' }), ['the', 'rain']);
  const plain = { skip_special_tokens: true, clean_up_tokenization_spaces: null };
  assert.equal(tokenizer.batch_decode(input_ids, plain), ['the children played in the garden.', 'rain.']);
  assert.equal(tokenizer.batch_decode(input_ids.to('int64'), plain), tokenizer.batch_decode([input_ids[0]!, input_ids[1]!], plain));
  assert.equal(tokenizer.batch_decode([]), []);
  assert.is(tokenizer.decode(new Tensor('int64', [1534n], [1])), 'rain');
  assert.is(tokenizer.decode_single([1534]), 'rain');
  const refused: [string, () => unknown][] = [
    ['INVALID_ARG', () => tokenizer.apply_chat_template([{ role: 'user', content: 'Hello' }])],
    ['INVALID_ARG', () => tokenizer([])],
    ['INVALID_ARG', () => tokenizer(kTexts, { text_pair: 'a' })],
    ['INVALID_ARG', () => tokenizer('a', { text_pair: ['b'] })],
    ['INVALID_ARG', () => tokenizer(kTexts, { text_pair: ['a'] })],
    ['INVALID_ARG', () => tokenizer.batch_decode([101])],
    ['INVALID_ARG', () => tokenizer.decode(stack([ones([3]), ones([3])]) as never)],
    ['INVALID_OPTION', () => tokenizer('a', { return_tensors: 'torch' as 'pt' })],
    ['INVALID_OPTION', () => tokenizer('a', { stride: -1 })],
    ['INVALID_OPTION', () => tokenizer('a', { text_target: 'b' } as object)],
  ];
  for (const [code, call] of refused) assert.is(codeOf(call), code, call.toString());
  assert.is((await rejection(() => AutoTokenizer.from_pretrained(7 as unknown as string))).code, 'INVALID_ARG');
});

t.run();
