import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { loadModel } from '../../src/index.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';

const t = suite(`models ${instructionSet}`);

const kHeads: Readonly<Record<string, readonly string[]>> = {
  'bert-base-noprefix': [],
  'bert-mlm': ['maskedLm'],
  'bert-pretraining': ['maskedLm', 'nextSentence'],
  'bert-nsp': ['nextSentence'],
  'bert-nli': ['sequenceClassification'],
  'bert-cased': ['tokenClassification'],
  'bert-question-answering': ['questionAnswering'],
  'bert-multiple-choice': ['multipleChoice'],
  'distilbert-mlm': ['maskedLm'],
  'distilbert-sequence-classification': ['sequenceClassification'],
  'electra-discriminator': ['replacedToken'],
  'electra-sequence-classification': ['sequenceClassification'],
  'mpnet-base': [],
};

for (const [name, heads] of Object.entries(kHeads)) {
  t(`finds ${heads.join(' and ') || 'no head'} in ${name}`, async () => {
    const model = await loadModel(golden('tiny', name));
    assert.equal(Object.keys(model.values.heads).sort(), [...heads].sort());
    assert.equal(model.unusedTensors, []);
    model.dispose();
  });
}

/** A copy of a tiny model whose config.json `change` has changed. */
function reconfigured(name: string, change: (config: Record<string, unknown>) => void): string {
  const folder = temporaryFolder(golden('tiny', name));
  const config = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as Record<string, unknown>;
  change(config);
  writeFileSync(`${folder}/config.json`, JSON.stringify(config));
  return folder;
}

t('lists the architectures it knows when model_type is another', async () => {
  const folder = reconfigured('bert-mlm', (config) => (config['model_type'] = 't5'));
  const error = await rejection(() => loadModel(folder));
  assert.is(error.code, 'CONFIG_UNSUPPORTED');
  assert.match(error.message, 'bert, distilbert, electra, mpnet, roberta, xlm-roberta');
});

t('rejects another kind of position embedding', async () => {
  const folder = reconfigured('bert-mlm', (config) => (config['position_embedding_type'] = 'rotary_key'));
  assert.is((await rejection(() => loadModel(folder))).code, 'CONFIG_UNSUPPORTED');
});

t('names the classifier whose rows do not fit id2label', async () => {
  const folder = reconfigured('bert-nli', (config) => (config['id2label'] = { 0: 'a', 1: 'b' }));
  const error = await rejection(() => loadModel(folder));
  assert.is(error.code, 'MODEL_MISMATCH');
  assert.match(error.message, '"classifier.weight": expected [2, ');
});

t('takes the class named first among those it knows, and the encoder where none is named', async () => {
  const second = await loadModel(
    reconfigured('bert-nli', (config) => (config['architectures'] = ['Custom', 'BertForSequenceClassification'])),
  );
  assert.equal(Object.keys(second.values.heads), ['sequenceClassification']);
  second.dispose();
  const none = await loadModel(reconfigured('bert-pretraining', (config) => delete config['architectures']));
  assert.equal(Object.keys(none.values.heads), ['maskedLm', 'nextSentence']);
  none.dispose();
});

t('loads the encoder alone, without memory for its heads, when heads are not wanted', async () => {
  const whole = await loadModel(golden('tiny/bert-mlm'));
  const encoder = await loadModel(golden('tiny/bert-mlm'), { heads: false });
  assert.equal(encoder.values.heads, {});
  assert.ok(encoder.session.memoryUsage().weights < whole.session.memoryUsage().weights);
  whole.dispose();
  encoder.dispose();
});

t('checks the words and positions that a call asks for', async () => {
  const model = await loadModel(golden('tiny/bert-mlm'));
  const { targets, logits } = model.values.heads.maskedLm!;
  const run = async (selected: number[], words: number[] | undefined) => {
    const batch = model.pack([{ ids: Int32Array.of(101, 200, 102) }]);
    const asked = { selected: Int32Array.from(selected), cuSelected: Int32Array.of(0, selected.length) };
    return model.session.run({ ...batch, ...asked, ...(words === undefined ? {} : { targets: Int32Array.from(words) }) }, [
      targets,
      logits,
    ]);
  };
  const words = Array.from({ length: 16 }, (_, i) => (i * 119) % model.config.vocabSize);
  const [picked, rows] = await run([1], words);
  assert.equal(
    Array.from(picked!.subarray(1)),
    words.map((word) => rows![word]!),
  );
  const logSum = Math.log(rows!.reduce((sum, value) => sum + Math.exp(value), 0));
  assert.ok(Math.abs(picked![0]! - logSum) < 1e-5);
  const code = async (selected: number[], ids?: number[]) => (await rejection(() => run(selected, ids))).code;
  assert.is(await code([1]), 'INVALID_ARG');
  assert.is(await code([1], words.slice(1)), 'INVALID_ARG');
  assert.is(await code([3], words), 'INVALID_ARG');
  assert.is(
    await code(
      [1],
      words.map((word, i) => (i === 7 ? model.config.vocabSize : word)),
    ),
    'INVALID_IDS',
  );
  assert.is(
    await code(
      [1],
      words.map((word, i) => (i === 7 ? -1 : word)),
    ),
    'INVALID_IDS',
  );
  model.dispose();
});

t('ignores the token types of a tokenizer whose model has none', async () => {
  const model = await loadModel(golden('tiny/distilbert-question-answering'));
  const pair = model.tokenizer.encode('Who is it?', { pair: 'It is the man.' });
  const plain = await model.forward({ ids: pair.ids });
  assert.equal((await model.forward({ ids: pair.ids, typeIds: pair.ids.map(() => 1) })).lastHiddenState, plain.lastHiddenState);
  model.dispose();
});

t.run();
