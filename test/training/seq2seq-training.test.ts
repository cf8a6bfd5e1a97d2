import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadModel, translate } from '../../src/index.js';
import { trainWordPiece } from '../../src/pretraining/index.js';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { createModel, encoderDecoderFrom, evaluateModel, train, type TrainModelOptions } from '../../src/training/index.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('seq2seq training');
const folder = temporaryFolder();
const goldenGeneration = (name: string): string => golden('../golden-generation/tiny', name);
const pairs = readFileSync(new URL('../../examples/training/data/translations.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','))
  .map(([source, target]) => ({ source: source!, target: target! }));
const options = {
  task: 'translation',
  perDeviceTrainBatchSize: 10,
  progress: false,
  saveStrategy: 'no',
} as const satisfies TrainModelOptions;

/** A pair of small BERTs over the words of the pairs, nothing dropped unless `rate` says so. */
async function newPair(name: string, rate = 0): Promise<string> {
  const directory = join(folder, name);
  const tokenizer = join(folder, `${name} tokenizer`);
  const texts = pairs.flatMap(({ source, target }) => [source, target]);
  await (await trainWordPiece(texts.values(), { vocabSize: 300, lowercase: false })).save(tokenizer);
  const size = { hidden_size: 64, num_hidden_layers: 1, num_attention_heads: 4, intermediate_size: 128, max_position_embeddings: 32 };
  const half = { ...size, hidden_dropout_prob: rate, attention_probs_dropout_prob: rate };
  await createModel(directory, { config: { model_type: 'encoder-decoder', encoder: half, decoder: half }, tokenizer });
  return directory;
}

const bytesOf = (directory: string): Buffer => readFileSync(join(directory, 'model.safetensors'));

t('fifty pairs are learned by heart, and the saved model writes them', async () => {
  const rows = pairs.filter((_, i) => i % 2 === 0).slice(0, 50);
  const outputDir = join(folder, 'by heart');
  const start = await newPair('fifty');
  const { model, metrics } = await train(start, rows, {
    ...options,
    numTrainEpochs: 40,
    learningRate: 3e-3,
    warmupSteps: 20,
    evalDataset: rows,
    predictWithGenerate: true,
    generationMaxLength: 24,
    generationNumBeams: 1,
    outputDir,
  });
  model.dispose();
  assert.is(metrics['eval_exact_match'], 1, JSON.stringify(metrics));
  for (const name of ['bleu', 'chrf', 'chrf++']) assert.ok(Math.abs(metrics[`eval_${name}`]! - 100) < 1e-9, name);
  assert.ok(metrics['eval_loss']! < 0.05);
  const loaded = await loadModel(outputDir);
  const { metrics: again } = await evaluateModel(loaded, 'translation', rows, { generation: { numBeams: 1, maxNewTokens: 24 } });
  assert.is(again['exact_match'], 1);
  const { text } = await translate(loaded, rows[3]!.source);
  assert.is(text.replaceAll(' .', '.'), rows[3]!.target);
  loaded.dispose();
});

t('a run that was interrupted ends with the bits of one that was not, dropout and smoothing included', async () => {
  const start = await newPair('resumed', 0.1);
  const run = { ...options, maxSteps: 8, learningRate: 1e-3, labelSmoothingFactor: 0.1, saveStrategy: 'steps', saveSteps: 3 } as const;
  const whole = join(folder, 'whole');
  const rows = pairs.slice(0, 40);
  (await train(start, rows, { ...run, outputDir: whole })).model.dispose();
  const parts = join(folder, 'parts');
  const stop = new AbortController();
  const onStepEnd = ({ state }: { readonly state: { readonly globalStep: number } }): void => {
    if (state.globalStep === 5) stop.abort(new Error('enough'));
  };
  const broken = train(start, rows, { ...run, outputDir: parts, callbacks: [{ onStepEnd }], signal: stop.signal });
  assert.match(String(await broken.catch((error: unknown) => error)), /enough/);
  assert.ok(existsSync(join(parts, 'checkpoint-3')));
  (await train(start, rows, { ...run, outputDir: parts, resumeFromCheckpoint: true })).model.dispose();
  assert.ok(bytesOf(parts).equals(bytesOf(whole)));
});

t('tied halves learn one set of weights, which is saved for both', async () => {
  const start = join(folder, 'tied');
  await encoderDecoderFrom(golden('tiny/bert-mlm'), golden('tiny/bert-mlm'), { directory: start, tie: true });
  const outputDir = join(folder, 'tied output');
  const rows = [
    { source: 'a cat', target: 'the dog' },
    { source: 'the dog', target: 'a cat' },
  ];
  (await train(start, rows, { ...options, maxSteps: 2, learningRate: 1e-2, outputDir })).model.dispose();
  const [before, after] = [await openModelDirectory(start), await openModelDirectory(outputDir)];
  const read = (opened: typeof after, name: string) => opened.tensors.get(name)!.file.readFloat32(name);
  for (const name of ['embeddings.word_embeddings.weight', 'encoder.layer.0.attention.self.query.weight']) {
    const learned = await read(after, `decoder.bert.${name}`);
    assert.equal(await read(after, `encoder.${name}`), learned);
    assert.not.equal(await read(before, `decoder.bert.${name}`), learned);
  }
  assert.equal([...after.tensors.keys()].sort(), [...before.tensors.keys()].sort());
  for (const opened of [before, after]) await opened.close();
});

for (const name of ['bert2bert-projected', 'roberta2roberta', 'marian-separate', 'bart']) {
  t(`${name} learns: the loss falls, and the best words are right more often`, async () => {
    const rows = ['a cat', 'the dog runs', 'one of them', 'it was said'].map((source, i, all) => ({ source, target: all[(i + 1) % 4] }));
    const run = { ...options, perDeviceTrainBatchSize: 2, learningRate: 3e-3, evalDataset: rows };
    const few = await train(goldenGeneration(name), rows, { ...run, numTrainEpochs: 1, learningRate: 0 });
    const many = await train(goldenGeneration(name), rows, { ...run, numTrainEpochs: 150 });
    for (const { model } of [few, many]) model.dispose();
    assert.equal(few.newlyInitialized, []);
    assert.ok(many.metrics['eval_loss']! < few.metrics['eval_loss']! / 2, `${many.metrics['eval_loss']} of ${few.metrics['eval_loss']}`);
    assert.ok(many.metrics['eval_accuracy']! > few.metrics['eval_accuracy']!);
  });
}

t('the best checkpoint can be judged by the texts', async () => {
  const start = await newPair('judged');
  const outputDir = join(folder, 'judged output');
  const judged = { evalStrategy: 'epoch', saveStrategy: 'epoch', loadBestModelAtEnd: true, metricForBestModel: 'chrf' } as const;
  const rows = pairs.slice(0, 30);
  const { model, metrics } = await train(start, rows, {
    ...options,
    ...judged,
    task: 'translation',
    numTrainEpochs: 2,
    learningRate: 3e-3,
    evalDataset: rows.slice(0, 4),
    predictWithGenerate: true,
    generationMaxLength: 12,
    generationNumBeams: 2,
    outputDir,
  });
  model.dispose();
  const state = JSON.parse(readFileSync(join(outputDir, 'checkpoint-6/trainer_state.json'), 'utf8')) as { best_metric: number };
  assert.is(metrics['eval_chrf'], state.best_metric);
});

t('a frozen encoder keeps its numbers, the decoder learns; layers computed again and other threads change no bit', async () => {
  const start = join(folder, 'frozen');
  await encoderDecoderFrom(golden('tiny/bert-mlm'), golden('tiny/bert-mlm'), { directory: start });
  const rows = [
    { source: 'a cat', target: 'the dog' },
    { source: 'the dog', target: 'a cat' },
  ];
  const run = async (name: string, more: Partial<TrainModelOptions>): Promise<string> => {
    const outputDir = join(folder, name);
    (
      await train(start, rows, { ...options, perDeviceTrainBatchSize: 1, maxSteps: 3, learningRate: 1e-3, outputDir, ...more })
    ).model.dispose();
    return outputDir;
  };
  const [before, after] = [await openModelDirectory(start), await openModelDirectory(await run('frozen output', { freeze: ['encoder'] }))];
  const read = (opened: typeof after, name: string) => opened.tensors.get(name)!.file.readFloat32(name);
  for (const name of after.tensors.keys()) {
    const isSame = Buffer.from((await read(before, name)).buffer).equals(Buffer.from((await read(after, name)).buffer));
    if (name.startsWith('encoder.')) assert.ok(isSame, name);
    if (name.endsWith('query.weight') && name.startsWith('decoder.')) assert.not.ok(isSame, name);
  }
  for (const opened of [before, after]) await opened.close();
  const plain = bytesOf(await run('plain', {}));
  assert.ok(bytesOf(await run('again', { gradientCheckpointing: true })).equals(plain));
  assert.ok(bytesOf(await run('one thread', { threads: 1 })).equals(plain));
});

t('what cannot be learned is refused by name', async () => {
  const rows = [{ source: 'a', target: 'b' }];
  const refusal = async (model: string, more: Partial<TrainModelOptions> & Readonly<Record<string, unknown>>) => {
    const { code, message } = await rejection(() => train(model, rows, { ...options, ...more } as TrainModelOptions));
    return `${code} ${message}`;
  };
  const changed = (name: string, key: string): string => {
    const directory = temporaryFolder(goldenGeneration(name));
    const file = join(directory, 'config.json');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), [key]: 0.1 }));
    return directory;
  };
  for (const key of ['activation_dropout', 'encoder_layerdrop', 'decoder_layerdrop']) {
    assert.match(await refusal(changed('marian-separate', key), {}), new RegExp(`CONFIG_UNSUPPORTED .*"${key}" of 0`));
  }
  const pair = goldenGeneration('bert2bert-projected');
  assert.match(await refusal(golden('tiny/bert-mlm'), {}), /CONFIG_UNSUPPORTED .*an encoder-decoder for translation .*encoderDecoderFrom/);
  assert.match(await refusal(pair, { classWeights: [1, 2] }), /INVALID_OPTION .*classWeights, which is for other tasks/);
  assert.match(await refusal(pair, { loss: 'CoSENT' }), /INVALID_OPTION .*loss, which is for other tasks/);
  assert.match(await refusal(pair, { generationNumBeams: 2 }), /INVALID_OPTION .*predictWithGenerate for generationNumBeams/);
  assert.match(await refusal(pair, { collator: { docStride: 3 } }), /INVALID_OPTION .*docStride/);
  assert.match(await refusal(pair, { lora: {} }), /INVALID_OPTION .*no lora/);
  assert.match(
    await refusal(pair, { task: 'fill-mask', predictWithGenerate: true }),
    /predictWithGenerate, which is for translation and summ/,
  );
});

t('the command teaches a new pair a vocabulary of its own, or one of two encoders', () => {
  const bertha = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'train', ...args], { encoding: 'utf8' });
  const [source, target] = [join(folder, 'pairs.en'), join(folder, 'pairs.de')];
  writeFileSync(source, pairs.map((pair) => pair.source).join('\n'));
  writeFileSync(target, pairs.map((pair) => pair.target).join('\n'));
  const output = join(folder, 'command');
  const files = ['--train', source, '--train-target', target, '--max-steps', '2', '--output', output, '--json'];
  const config = join(folder, 'config.json');
  const size = { hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32 };
  writeFileSync(config, JSON.stringify({ model_type: 'encoder-decoder', encoder: size, decoder: size }));
  const run = bertha('translate', ...files, '--config', config, '--vocab-size', '200', '--max-target-length', '20');
  assert.is(run.status, 0, run.stderr);
  assert.ok((JSON.parse(run.stdout) as Record<string, number>)['train_loss']! > 0);
  assert.ok(existsSync(join(output, 'generation_config.json')) && existsSync(join(output, 'vocab.txt')));
  const bert = golden('tiny/bert-mlm');
  const warm = bertha('summarize', ...files, '--encoder', bert, '--decoder', bert, '--tie');
  assert.is(warm.status, 0, warm.stderr);
  assert.match(warm.stderr, /newly initialized: decoder\.bert\.encoder\.layer\.0\.crossattention/);
  for (const [wrong, message] of [
    [['translate', ...files], /one of --model, --encoder with --decoder, or --config/],
    [['translate', ...files, '--model', bert, '--tie'], /--tie, which is for another of them/],
    [['classify', '--train', source, '--output', output, '--tie'], /--tie, which is for translate, summarize/],
  ] as const) {
    const refused = bertha(...wrong);
    assert.is(refused.status, 2);
    assert.match(refused.stderr, message);
  }
});

t.run();
