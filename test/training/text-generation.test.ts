// Decoders alone that learn texts: what is learned of a row, by heart, scores, the command line, what is refused.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { generate, loadModel, type Model } from '../../src/index.js';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { trainWordPiece } from '../../src/pretraining/index.js';
import {
  createModel,
  decoderFrom,
  evaluateModel,
  TextGenerationCollator,
  train,
  type TrainModelOptions,
} from '../../src/training/index.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('training for text generation');
const folder = temporaryFolder();
const texts = [
  'the cat sleeps on the warm stove',
  'a dog runs over the wet field',
  'she reads a long letter by the window',
  'they built the old bridge of stone',
  'no train leaves before seven today',
  'his garden is full of late roses',
];
const options = { task: 'text-generation', progress: false, saveStrategy: 'no' } as const satisfies TrainModelOptions;

/** A new decoder of a layer, nothing dropped. */
async function newDecoder(name: string, positions = 32): Promise<string> {
  const [directory, tokenizer] = [join(folder, name), join(folder, `${name} tokenizer`)];
  await (await trainWordPiece(texts.values(), { vocabSize: 200, lowercase: false })).save(tokenizer);
  const size = {
    hidden_size: 64,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    intermediate_size: 128,
    max_position_embeddings: positions,
  };
  const config = { ...size, is_decoder: true, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
  await createModel(directory, { config, tokenizer });
  return directory;
}

async function withDecoder<T>(directory: string, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(directory);
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}

/** What a collator makes of rows. */
function collated(model: Model, rows: readonly Readonly<Record<string, string>>[], maxLength?: number) {
  const collator = new TextGenerationCollator(model, { maxLength });
  const examples = rows.flatMap((row, i) => {
    const turns = collator.encode(row, i);
    for (let turn = turns.next(); ; turn = turns.next()) if (turn.done === true) return turn.value ?? [];
  });
  return { ...collator.collate(examples), collator };
}

t('each token is learned from those before it, the end too; of a prompt nothing; windows share nothing', async () => {
  await withDecoder(await newDecoder('rows', 12), async (model) => {
    const { tokenizer } = model;
    const words = (text: string): number[] => [...tokenizer.encode(text, { addSpecialTokens: false }).ids];
    const [begin, end] = [tokenizer.clsId!, tokenizer.sepId!];
    const whole = collated(model, [{ text: 'a dog runs' }, { text: '' }]);
    assert.equal([...whole.batch.inputIds], [begin, ...words('a dog runs'), end, begin, end]);
    assert.equal([...whole.batch.labels!], [...words('a dog runs'), end, -100, end, -100]);
    const learned = words('a dog runs').length + 1;
    assert.equal(whole.numItems, [learned + 1]);
    assert.equal([...whole.batch.cuSeqlens], [0, learned + 1, learned + 3]);
    const pair = collated(model, [{ prompt: 'the cat', completion: 'sleeps' }]);
    const prompt = words('the cat');
    assert.equal([...pair.batch.inputIds], [begin, ...prompt, ...words('sleeps'), end]);
    assert.equal([...pair.batch.labels!], [...prompt.map(() => -100), ...words('sleeps'), end, -100]);
    const long = collated(model, [{ text: texts[2]! }], 6);
    const all = words(texts[2]!);
    const windows = all.flatMap((_, i) => (i % 4 === 0 ? [all.slice(i, i + 4)] : []));
    const isLast = (i: number): boolean => i === windows.length - 1;
    assert.ok(windows.length > 1);
    assert.equal(
      [...long.batch.inputIds],
      windows.flatMap((ids, i) => [begin, ...ids, ...(isLast(i) ? [end] : [])]),
    );
    assert.equal(
      [...long.batch.labels!],
      windows.flatMap((ids, i) => [...ids, ...(isLast(i) ? [end] : []), -100]),
    );
    const most = prompt.length + 4;
    const cut = collated(
      model,
      [
        { prompt: 'the cat', completion: texts[0]! },
        { prompt: texts[0]!, completion: 'a' },
      ],
      most,
    );
    assert.equal([...cut.batch.inputIds], [begin, ...prompt, ...words(texts[0]!).slice(0, 3)]);
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(warning.message);
    process.on('warning', listen);
    cut.collator.warn();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    assert.match(warnings.join('\n'), new RegExp(`1 row of the dataset, the first .*was cut at ${most} tokens`));
    assert.match(warnings.join('\n'), new RegExp(`1 row of the dataset, the first .*left out: its prompt fills the ${most} tokens`));
  });
});

t('texts are learned by heart, and the saved model goes on with them; scores are those of generate', async () => {
  const [start, outputDir] = [await newDecoder('by heart'), join(folder, 'learned')];
  const rows = texts.map((text) => ({ text }));
  const before = await withDecoder(start, (model) => evaluateModel(model, 'text-generation', rows));
  const { model, metrics } = await train(start, rows, {
    ...options,
    perDeviceTrainBatchSize: 6,
    numTrainEpochs: 80,
    learningRate: 5e-3,
    evalDataset: rows,
    outputDir,
  });
  model.dispose();
  assert.ok(metrics['eval_accuracy']! > 0.85 && metrics['eval_loss']! < 0.5, JSON.stringify(metrics));
  await withDecoder(outputDir, async (learned) => {
    for (const text of texts) {
      const [prompt, rest] = [text.split(' ').slice(0, 2).join(' '), text.split(' ').slice(2).join(' ')];
      const [made] = await generate(learned, prompt);
      assert.is(made!.text, rest);
      assert.is(made!.finishReason, 'eos');
      const scored = await evaluateModel(learned, 'text-generation', [{ prompt, completion: rest }]);
      const expected = -made!.logProbabilities.reduce((sum, x) => sum + x, 0) / made!.ids.length;
      assert.ok(Math.abs(scored.metrics['loss']! - expected) < 1e-4, `${scored.metrics['loss']} of ${expected}`);
      assert.is(scored.metrics['accuracy'], 1);
    }
    const after = await evaluateModel(learned, 'text-generation', rows, { batchSize: 4 });
    assert.is(after.rows, texts.length);
    assert.ok(Math.abs(after.metrics['loss']! - metrics['eval_loss']!) < 1e-5);
    assert.ok(Math.abs(after.metrics['perplexity']! - Math.exp(after.metrics['loss']!)) < 1e-12);
    assert.ok(before.metrics['perplexity']! > 20 * after.metrics['perplexity']!);
  });
});

t('a decoder of an encoder has its layers and its head, and begins and ends texts as its tokenizer does', async () => {
  const source = golden('tiny/bert-mlm');
  const { directory, newlyInitialized } = await decoderFrom(source, { directory: join(folder, 'of an encoder') });
  assert.equal(newlyInitialized, []);
  const [before, after] = [await openModelDirectory(source), await openModelDirectory(directory)];
  assert.equal(after.config.architectures, ['BertLMHeadModel']);
  assert.ok(after.config.isDecoder);
  const read = (opened: typeof after, name: string) => opened.tensors.get(name)!.file.readFloat32(name);
  for (const name of after.tensors.keys()) assert.equal(await read(after, name), await read(before, name), name);
  assert.ok(after.tensors.has('cls.predictions.transform.dense.weight') && after.tensors.has('bert.encoder.layer.0.output.dense.weight'));
  for (const opened of [before, after]) await opened.close();
  const { model, metrics } = await train(directory, [{ text: 'a cat' }], { ...options, maxSteps: 2, learningRate: 1e-3 });
  assert.ok(metrics['train_loss']! > 0);
  assert.is((await generate(model, 'a', { maxNewTokens: 3, eosTokenId: [model.tokenizer.sepId!] }))[0]!.promptIds.length, 2);
  model.dispose();
});

t('what cannot be learned is refused by name', async () => {
  const decoder = await newDecoder('refusals');
  const refusal = async (model: string, more: object): Promise<string> => {
    const { code, message } = await rejection(() => train(model, [{ text: 'a' }], { ...options, ...more } as TrainModelOptions));
    return `${code} ${message}`;
  };
  assert.match(await refusal(golden('tiny/bert-mlm'), {}), /CONFIG_UNSUPPORTED .*a decoder alone \(is_decoder\)/);
  assert.match(await refusal(decoder, { classWeights: [1] }), /INVALID_OPTION .*classWeights, which is for other tasks/);
  assert.match(await refusal(decoder, { predictWithGenerate: true }), /predictWithGenerate, which is for translation and summ/);
  assert.match(await refusal(decoder, { collator: { maxTargetLength: 3 } }), /INVALID_OPTION .*maxTargetLength/);
  assert.match(await refusal(decoder, { collator: { maxLength: 2 } }), /MAX_LENGTH .*from 3 to 32/);
  assert.match(await refusal(decoder, { lora: {} }), /INVALID_OPTION .*no lora/);
  const { code } = await rejection(() => decoderFrom(golden('tiny/distilbert-mlm'), { directory: join(folder, 'none') }));
  assert.is(code, 'CONFIG_UNSUPPORTED');
  await withDecoder(golden('tiny/bert-mlm'), async (encoder) => {
    assert.is((await rejection(() => evaluateModel(encoder, 'text-generation', [{ text: 'a' }]))).code, 'NO_HEAD');
  });
});

t('the command teaches a new decoder a vocabulary of its own, or one of an encoder, and evaluates it', () => {
  const bertha = (...args: string[]) => spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], { encoding: 'utf8' });
  const file = join(folder, 'texts.txt');
  writeFileSync(file, texts.join('\n'));
  const output = join(folder, 'command');
  const run = bertha(
    ...['train', 'generate', '--train', file, '--config', 'tiny', '--vocab-size', '200', '--max-steps', '2', '--output', output, '--json'],
  );
  assert.is(run.status, 0, run.stderr);
  assert.ok((JSON.parse(run.stdout) as Record<string, number>)['train_loss']! > 0);
  const config = JSON.parse(readFileSync(join(output, 'config.json'), 'utf8')) as Record<string, unknown>;
  assert.equal([config['is_decoder'], config['architectures']], [true, ['BertLMHeadModel']]);
  const scored = bertha('evaluate', 'generate', '--model', output, '--file', file, '--json');
  assert.is(scored.status, 0, scored.stderr);
  assert.ok((JSON.parse(scored.stdout) as Record<string, number>)['perplexity']! > 1);
  for (const [wrong, message] of [
    [['--decoder', output, '--tie'], /--tie, which is for translate, summarize/],
    [
      ['--decoder', output, '--model', output],
      /one of --model, --decoder or --config for generate, got several|one of --model, --decoder or --config/,
    ],
    [['--decoder', golden('tiny/distilbert-mlm')], /for decoderFrom/],
  ] as const) {
    const refused = bertha('train', 'generate', '--train', file, '--output', output, ...wrong);
    assert.is(refused.status === 0, false);
    assert.match(refused.stderr, message);
  }
});

t.run();
