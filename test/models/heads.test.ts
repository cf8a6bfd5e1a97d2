import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AutoModelForMultipleChoice,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  BertForSequenceClassification,
  classifyText,
  ElectraForMultipleChoice,
  fillMask,
  loadEmbedder,
  loadModel,
  MPNetModel,
  pipeline,
  recognizeEntities,
} from '../../src/index.js';
import { editJson, golden, rejection, tinyCopy } from '../support/checkpoint-files.js';
import { withTensors } from '../support/with-tensors.js';
import { instructionSet } from '../support/devices.js';

const t = suite(`heads ${instructionSet}`);

/** A copy of a tiny model with other fields in its config.json. */
function reconfigured(name: string, changes: Readonly<Record<string, unknown>>): string {
  const folder = tinyCopy(name);
  editJson(`${folder}/config.json`, changes);
  return folder;
}

/** What every architecture and class of the goldens says whose config.json names `architectures`. */
const kTasks: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  'bert-sequence-classification': async (folder) => (await pipeline('text-classification', folder))('The man.', { top_k: null }),
  'distilbert-sequence-classification': async (folder) => (await pipeline('text-classification', folder))('The man.', { top_k: null }),
  'electra-sequence-classification': async (folder) => (await pipeline('text-classification', folder))('The man.', { top_k: null }),
  'bert-token-classification': async (folder) => (await pipeline('token-classification', folder))('The man.'),
  'distilbert-token-classification': async (folder) => (await pipeline('token-classification', folder))('The man.'),
  'bert-question-answering': async (folder) => (await pipeline('question-answering', folder))('Who?', 'The man.'),
  'distilbert-question-answering': async (folder) => (await pipeline('question-answering', folder))('Who?', 'The man.'),
  'bert-multiple-choice': async (folder) => (await pipeline('multiple-choice', folder))('Who?', ['The man.', 'A cat.']),
  'bert-mlm': async (folder) => (await pipeline('fill-mask', folder))('It was [MASK].'),
  'distilbert-mlm': async (folder) => (await pipeline('fill-mask', folder))('It was [MASK].'),
  'bert-nsp': async (folder) => (await pipeline('next-sentence-prediction', folder))('A man.', 'A cat.'),
  'electra-discriminator': async (folder) => (await pipeline('replaced-token-detection', folder))('A man.'),
};

for (const [name, answer] of Object.entries(kTasks)) {
  t(`${name} has its head whatever architectures names`, async () => {
    const expected = await answer(golden('tiny', name));
    const prefix = { b: 'Bert', d: 'DistilBert', e: 'Electra' }[name[0]!]!;
    const classes = ['Model', 'ForMaskedLM', 'ForTokenClassification', 'ForQuestionAnswering', 'ForMultipleChoice', 'LMHeadModel'];
    for (const architectures of [null, [], ['MyClassifier'], ['HF_ColBERT', 7], 'BertModel', ...classes.map((each) => [prefix + each])]) {
      assert.equal(await answer(reconfigured(name, { architectures })), expected, JSON.stringify(architectures));
    }
  });
}

t('embeds whatever class the config names, and whatever it says of labels', async () => {
  for (const changes of [
    { architectures: ['HF_ColBERT'] },
    { architectures: ['BertForRetrieval'], id2label: { 1: 'a' } },
    { id2label: 'none', num_labels: -3 },
    { problem_type: 'ranking', pad_token_id: -1 },
    { id2label: { x: 'y' }, label2id: [], pad_token_id: 1e9 },
  ]) {
    const embedder = await loadEmbedder(reconfigured('bert-base-noprefix', changes));
    assert.is((await embedder.embed('x')).vector.length, 34);
    embedder.dispose();
  }
});

t('loads a classifier whose labels make no sense, and says so when it is to classify', async () => {
  const folder = reconfigured('bert-sequence-classification', { id2label: { 1: 'a', 2: 'b' } });
  const model = await loadModel(folder);
  assert.is((await model.forward(model.tokenizer.encode('The man.'))).lastHiddenState.dims.length, 2);
  const error = await rejection(() => classifyText(model, 'The man.'));
  assert.equal([error.code, error.message.includes('"id2label"')], ['CONFIG', true]);
  model.dispose();
});

t('gives a head without labels in its config as many as it has rows', async () => {
  const folder = reconfigured('bert-nli', { id2label: null, label2id: null, num_labels: null, architectures: ['BertModel'] });
  const model = await loadModel(folder);
  assert.equal(model.config.id2label, ['LABEL_0', 'LABEL_1', 'LABEL_2']);
  assert.is((await classifyText(model, 'x', { topK: null })).labels.length, 3);
  model.dispose();
});

t('reads one classifier over sequences or over tokens, as it is asked for', async () => {
  const model = await loadModel(golden('tiny/bert-sequence-classification'));
  assert.equal(Object.keys(model.values.heads), ['sequenceClassification']);
  const { entities } = await recognizeEntities(model, 'The man.', { ignoreLabels: [] });
  assert.ok(entities.length > 0);
  model.dispose();
  const folder = golden('tiny/bert-sequence-classification');
  const tokens = await (await AutoModelForTokenClassification.from_pretrained(folder))({ input_ids: [[2, 5, 3]] });
  assert.equal(tokens.logits!.dims, [1, 3, model.config.numLabels]);
  const error = await rejection(() => AutoModelForMultipleChoice.from_pretrained(golden('tiny/bert-nli')));
  assert.is(error.code, 'MODEL_MISMATCH');
  assert.is((await rejection(() => BertForSequenceClassification.from_pretrained(golden('tiny/bert-mlm')))).code, 'NO_HEAD');
  assert.is(
    (await rejection(() => AutoModelForSequenceClassification.from_pretrained(golden('tiny/bert-token-classification')))).code,
    'MODEL_MISMATCH',
  );
});

t('takes a stored decoder before the tied one, and the word table from the decoder where only that is stored', async () => {
  const expected = await fillMask(await loadModel(golden('tiny/bert-mlm-untied')), 'It was [MASK].');
  assert.equal(await fillMask(await loadModel(reconfigured('bert-mlm-untied', { tie_word_embeddings: true })), 'It was [MASK].'), expected);
  const tied = await fillMask(await loadModel(golden('tiny/bert-mlm')), 'It was [MASK].');
  const swapped = await withTensors(tinyCopy('bert-mlm'), (tensor) => [
    tensor.name.endsWith('word_embeddings.weight') ? { ...tensor, name: 'cls.predictions.decoder.weight' } : tensor,
  ]);
  assert.equal(await fillMask(await loadModel(swapped), 'It was [MASK].'), tied);
});

t('a head that lacks a tensor keeps the others and the encoder', async () => {
  const broken = await withTensors(tinyCopy('bert-pretraining'), (tensor) => (tensor.name === 'cls.seq_relationship.bias' ? [] : [tensor]));
  const model = await loadModel(broken);
  assert.equal(Object.keys(model.values.heads), ['maskedLm']);
  assert.match(model.values.headFaults.nextSentence!.message, 'seq_relationship.bias');
  assert.is((await rejection(() => pipeline('next-sentence-prediction', model))).code, 'MODEL_MISMATCH');
  model.dispose();
});

// transformers 5.24 in float64, MPNetModel on the same directory: <pad> takes position 1 and does not count.
t('MPNet counts positions over tokens other than <pad>', async () => {
  const expected = [-0.5707408534496343, -0.702059552697523, -0.7943439989315914, -3.396248003354129];
  const model = await loadModel(golden('tiny/mpnet-base'));
  const last = async (text: string) => (await model.forward(model.tokenizer.encode(text))).lastHiddenState.data;
  const values = (await last('the <pad> man <pad> is')).slice(-4);
  values.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-5, `${value}, expected ${expected[i]}`));
  // In a batch of its own and among others: the same bits.
  const texts = ['the man', 'the <pad> man <pad> is', '<pad>', 'is <pad>'];
  const batch = await model.forward(texts.map((text) => model.tokenizer.encode(text)));
  for (const [i, text] of texts.entries()) assert.equal(batch[i]!.lastHiddenState.data, await last(text));
  model.dispose();
});

t('MPNet reads no pad_token_id, and sorts distances into 32 buckets whatever the table has', async () => {
  const ids = { input_ids: [[2, 1, 7, 1, 9, 3]] };
  const expected = (await (await MPNetModel.from_pretrained(golden('tiny/mpnet-base')))(ids)).last_hidden_state!.data;
  for (const changes of [{ pad_token_id: 0 }, { pad_token_id: null }, { is_decoder: true, layer_norm_epsilon: 1 }]) {
    assert.equal((await (await MPNetModel.from_pretrained(reconfigured('mpnet-base', changes)))(ids)).last_hidden_state!.data, expected);
  }
  const wide = reconfigured('mpnet-base', { relative_attention_num_buckets: 64 });
  const name = 'relative_attention_bias.weight';
  await withTensors(wide, (tensor) => {
    if (!tensor.name.endsWith(name)) return [tensor];
    const bytes = new Uint8Array(tensor.bytes.byteLength * 2);
    bytes.set(tensor.bytes);
    return [{ ...tensor, shape: [64, tensor.shape[1]!], bytes }];
  });
  assert.equal((await (await MPNetModel.from_pretrained(wide))(ids)).last_hidden_state!.data, expected);
});

t('MPNet’s relative biases are computed at load, and no forward adds any', async () => {
  const memoryOf = async (directory: string) => {
    const [first, second] = [await loadModel(directory), await loadModel(directory)];
    const before = first.memoryUsage();
    await first.forward([{ ids: Int32Array.of(0, 7, 9, 2) }]);
    assert.equal([first.memoryUsage().weights, second.memoryUsage().weights], [before.weights, before.weights]);
    const { config } = first;
    for (const model of [first, second]) model.dispose();
    return { weights: before.weights, config };
  };
  const whole = await memoryOf(golden('tiny/mpnet-base'));
  const { hiddenSize, numHeads } = whole.config;
  const positions = whole.config.maxSequenceLength + 2;
  const fewer = 32;
  const shorter = reconfigured('mpnet-base', { max_position_embeddings: positions - fewer });
  await withTensors(shorter, (tensor) => {
    if (!tensor.name.endsWith('position_embeddings.weight')) return [tensor];
    const shape = [positions - fewer, hiddenSize];
    return [{ ...tensor, shape, bytes: tensor.bytes.subarray(0, shape[0]! * hiddenSize * 4) }];
  });
  const difference = whole.weights - (await memoryOf(shorter)).weights;
  // A row of the position table, and two distances for each head, for each position.
  const expected = fewer * (hiddenSize + 2 * numHeads) * 4;
  assert.ok(Math.abs(difference - expected) <= 256, `${difference} bytes for ${expected}`);
});

t('ELECTRA’s multiple choice reads the settings of its summary', async () => {
  // The layers of a classifier serve as those of a choice: dense and one row.
  const base = await withTensors(tinyCopy('electra-sequence-classification'), (tensor) => {
    const names: Readonly<Record<string, string>> = {
      'classifier.dense.weight': 'sequence_summary.summary.weight',
      'classifier.dense.bias': 'sequence_summary.summary.bias',
    };
    if (names[tensor.name] !== undefined) return [{ ...tensor, name: names[tensor.name]! }];
    if (!tensor.name.startsWith('classifier.out_proj')) return [tensor];
    const shape = [1, ...tensor.shape.slice(1)];
    const rows = tensor.shape[0]!;
    return [{ ...tensor, name: tensor.name.replace('out_proj.', ''), shape, bytes: tensor.bytes.slice(0, tensor.bytes.byteLength / rows) }];
  });
  const config = readFileSync(`${base}/config.json`, 'utf8');
  const ids = [[2, 8, 90, 3]];
  const logit = async (changes: object) => {
    writeFileSync(`${base}/config.json`, JSON.stringify({ ...(JSON.parse(config) as object), ...changes }));
    return (await (await ElectraForMultipleChoice.from_pretrained(base))({ input_ids: ids })).logits!.data[0]!;
  };
  const values: number[] = [];
  for (const summary_type of ['first', 'last', 'mean']) {
    for (const summary_activation of ['gelu', 'tanh', null]) values.push(await logit({ summary_type, summary_activation }));
  }
  assert.is(new Set(values).size, 9);
  assert.is(await logit({ summary_type: 'cls_index' }), values[3]!);
  for (const changes of [{ summary_type: 'attn' }, { summary_activation: 'laplace' }])
    assert.is((await rejection(() => logit(changes))).code, 'CONFIG_UNSUPPORTED');
});

t.run();
