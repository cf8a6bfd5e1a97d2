import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { generate, loadModel, type Model } from '../../src/index.js';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { createModel, encoderDecoderFrom, evaluateModel, readParallel, Seq2SeqCollator } from '../../src/training/index.js';
import { rowsOf, type Dataset } from '../../src/training/datasets/dataset.js';
import { openPairs } from '../../src/training/seq2seq/open-pairs.js';
import { atOnce } from '../../src/calls/text-reader.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('seq2seq pairs');
const folder = temporaryFolder();
const bert = golden('tiny/bert-mlm');
const goldenGeneration = (name: string): string => golden('../golden-generation', name);

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function all<R>(dataset: Dataset<R>): Promise<R[]> {
  const rows: R[] = [];
  for await (const row of rowsOf(dataset)) rows.push(row);
  return rows;
}

async function withModel(directory: string, use: (model: Model) => Promise<void> | void): Promise<void> {
  const model = await loadModel(directory);
  try {
    await use(model);
  } finally {
    model.dispose();
  }
}

t('two files are read line by line, blank pairs passed over; unequal numbers of lines name file and line', async () => {
  const source = file('a.en', 'one\r\n\r\ntwo\nthree\n');
  const pairs = [
    { source: 'one', target: 'eins' },
    { source: 'two', target: 'zwei' },
    { source: 'three', target: '' },
  ];
  assert.equal(await all(readParallel(source, file('a.de', 'eins\n\nzwei\n\n'))), pairs);
  assert.equal(await all(await openPairs({ source, target: file('a.de', 'eins\n\nzwei\n\n') })), pairs);
  const short = await rejection(() => all(readParallel(source, file('short.de', 'eins\n\nzwei\n'))));
  assert.match(short.message, /DATASET|a line 4 in .*short\.de, beside that of .*a\.en but received 3 lines/);
  assert.is(short.code, 'DATASET');
  const long = await rejection(() => all(readParallel(source, file('long.de', 'a\n\nb\nc\nd\n'))));
  assert.match(long.message, /4 lines in .*long\.de, as in .*a\.en but received a line 5/);
});

t('TSV pairs may have names of columns or none', async () => {
  const expected = [
    { source: 'one "1', target: 'eins' },
    { source: 'two', target: 'zwei' },
  ];
  assert.equal(await all(await openPairs(file('plain.tsv', 'one "1\teins\ntwo\tzwei\n'))), expected);
  const more = await all(await openPairs(file('more.tsv', '"one\teins\tCC-BY\n')));
  assert.equal(more, [{ source: '"one', target: 'eins', 'column 3': 'CC-BY' }]);
  assert.equal(await all(await openPairs(file('named.tsv', 'summary\tarticle\nshort\tlong\n'))), [{ summary: 'short', article: 'long' }]);
  const columns = { source: 'en', target: 'de' };
  assert.equal(await all(await openPairs(file('mapped.tsv', 'de\ten\nzwei\ttwo\n'), columns)), [{ de: 'zwei', en: 'two' }]);
  assert.match((await rejection(() => openPairs(file('one.tsv', 'one\n')))).message, /columns for source and target in line 1/);
  assert.match((await rejection(() => openPairs(file('wrong.tsv', 'a\tb\n'), columns))).message, /columns for en and de in line 1/);
});

t('a batch holds sources end to end, start tokens with shifted targets, and labels with the end', async () => {
  const directory = join(folder, 'batch');
  await encoderDecoderFrom(bert, bert, { directory });
  await withModel(directory, (model) => {
    const { tokenizer } = model;
    const collator = new Seq2SeqCollator(model, { maxLength: 8, maxTargetLength: 4, columns: { target: 'summary' }, sourcePrefix: 'the ' });
    const rows = [
      { article: 'one', summary: 'the first of many words' },
      { article: 'two', summary: '' },
      { translation: { source: 'three', summary: 'a' } },
    ];
    const examples = rows.map((row, i) => atOnce(collator.encode(row, i)));
    const { batch, numItems, tokens, read } = collator.collate(examples);
    const words = (text: string): number[] => Array.from(tokenizer.encode(text, { addSpecialTokens: false }).ids);
    const [start, end] = [tokenizer.clsId!, tokenizer.sepId!];
    const first = words('the first of many words').slice(0, 3);
    const last = words('a');
    assert.equal(Array.from(batch.inputIds.subarray(0, batch.cuSeqlens[1])), [start, ...words('the one'), end].slice(0, 8));
    assert.equal(Array.from(batch.targetIds!), [start, ...first, start, start, ...last]);
    assert.equal(Array.from(batch.labels!), [...first, end, end, ...last, end]);
    assert.equal(Array.from(batch.cuTarget!), [0, 4, 5, 5 + last.length + 1]);
    assert.equal(numItems, [batch.labels!.length]);
    assert.is(tokens, batch.inputIds.length + batch.targetIds!.length);

    const { vocabSize } = model.config.decoder!;
    const logits = new Float32Array(batch.labels!.length * vocabSize);
    batch.labels!.forEach((label, row) => (logits[row * vocabSize + label] = 1));
    const { predictions, labels } = read(logits);
    assert.equal(predictions, labels);

    const texts = new Seq2SeqCollator(model, { columns: { target: 'summary' }, generates: true });
    const written = texts.collate([atOnce(texts.encode(rows[0]!, 0))]).read(new Float32Array(0));
    assert.equal(written, { predictions: [], labels: [tokenizer.decode(words('the first of many words'))] });
  });
});

t('limits and models that cannot be are refused', async () => {
  await withModel(bert, (model) => {
    assert.throws(() => new Seq2SeqCollator(model), /NO_HEAD|an encoder-decoder for the dataset/);
  });
  await withModel(goldenGeneration('tiny/bert2bert-projected'), (model) => {
    assert.throws(() => new Seq2SeqCollator(model, { maxTargetLength: 1000 }), /a maxTargetLength from 2 to/);
    assert.throws(() => new Seq2SeqCollator(model, { maxTargetLength: 1 }), /a maxTargetLength from 2 to/);
    const collator = new Seq2SeqCollator(model);
    assert.throws(() => atOnce(collator.encode({ article: 7, summary: 'a' }, 3)), /text in "article" of the row at index 3/);
    assert.throws(() => atOnce(collator.encode({ label: 'a' }, 0)), /a column for source \(source, src/);
    assert.throws(
      () => atOnce(collator.encode({ source: 'a', german: 'b' }, 0)),
      /a column for target \(target, tgt.*columns: \{ target: … \}/,
    );
  });
});

t('a warm start has the numbers of both models, new cross-attention that is told, and one set of weights where it is tied', async () => {
  const source = await openModelDirectory(bert);
  for (const tie of [false, true]) {
    const directory = join(folder, `warm-${tie}`);
    const made = await encoderDecoderFrom(bert, bert, { directory, tie, seed: 7 });
    assert.is(made.directory, directory);
    assert.ok(made.newlyInitialized.length > 0);
    assert.ok(made.newlyInitialized.every((name) => /^decoder\.bert\.encoder\.layer\.\d+\.crossattention\./.test(name)));
    const opened = await openModelDirectory(directory);
    const read = async (name: string) => opened.tensors.get(name)!.file.readFloat32(name);
    const own = await source.tensors
      .get('bert.encoder.layer.0.attention.self.query.weight')!
      .file.readFloat32('bert.encoder.layer.0.attention.self.query.weight');
    assert.equal(await read('encoder.encoder.layer.0.attention.self.query.weight'), own);
    assert.equal(await read('decoder.bert.encoder.layer.0.attention.self.query.weight'), own);
    assert.ok(opened.tensors.has('decoder.cls.predictions.transform.dense.weight'));
    assert.not.ok(opened.tensors.has('decoder.cls.predictions.decoder.weight'), 'tied to the word table');
    const cross = await read(made.newlyInitialized.find((name) => name.endsWith('query.weight'))!);
    const deviation = Math.sqrt(cross.reduce((sum, x) => sum + x * x, 0) / cross.length);
    assert.ok(deviation > 0.015 && deviation < 0.025, String(deviation));
    const config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Record<string, unknown>;
    assert.equal(
      [config['architectures'], config['model_type'], config['decoder_start_token_id'], config['eos_token_id'], config['pad_token_id']],
      [['EncoderDecoderModel'], 'encoder-decoder', 101, 102, 0],
    );
    assert.is(config['tie_encoder_decoder'], tie ? true : undefined);
    await opened.close();
    await withModel(directory, async (model) => {
      const [text] = await generate(model, 'a cat', { maxNewTokens: 5 });
      assert.ok(text!.ids.length > 0);
      // Of tensors under two names, which transformers needs, one is read.
      assert.equal(model.unusedTensors.includes('encoder.encoder.layer.0.output.dense.weight'), tie);
    });
  }
  await source.close();
});
t('a warm start refuses what is no half, other vocabularies and folders that are there', async () => {
  const codeOf = async (...args: Parameters<typeof encoderDecoderFrom>) => (await rejection(() => encoderDecoderFrom(...args))).code;
  const directory = join(folder, 'refused');
  assert.is(await codeOf(golden('tiny/distilbert-mlm'), bert, { directory }), 'CONFIG_UNSUPPORTED');
  assert.is(await codeOf(bert, goldenGeneration('tiny/bert2bert-projected'), { directory }), 'CONFIG_UNSUPPORTED');
  assert.is(await codeOf(bert, golden('tiny/bert-chinese'), { directory }), 'MODEL_MISMATCH');
  assert.is(await codeOf(bert, bert, { directory: folder }), 'IO');
  assert.is(await codeOf(bert, bert, {} as never), 'INVALID_OPTION');
  assert.not.ok(existsSync(directory));
});

t('encoder-decoders of a configuration load, and write', async () => {
  const size = { hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32 };
  const wide = { ...size, hidden_size: 24 };
  await createModel(join(folder, 'pair'), { config: { model_type: 'encoder-decoder', encoder: size, decoder: wide }, tokenizer: bert });
  const ofMarian = { d_model: 16, encoder_layers: 1, decoder_layers: 1, encoder_ffn_dim: 32, decoder_ffn_dim: 32 };
  const heads = { encoder_attention_heads: 2, decoder_attention_heads: 2, max_position_embeddings: 32 };
  const config = { model_type: 'marian', ...ofMarian, ...heads };
  await createModel(join(folder, 'marian'), { config, tokenizer: goldenGeneration('tiny/marian-separate') });
  for (const name of ['pair', 'marian']) {
    await withModel(join(folder, name), async (model) => {
      const [text] = await generate(model, 'a cat', { maxNewTokens: 5 });
      assert.ok(text!.ids.length > 0);
      assert.equal(model.unusedTensors, []);
    });
  }
  const lacking = { config: { model_type: 'encoder-decoder', encoder: size }, tokenizer: bert };
  assert.is((await rejection(() => createModel(join(folder, 'none'), lacking))).code, 'INVALID_OPTION');
  const small = { config: { model_type: 'encoder-decoder', encoder: size, decoder: { ...size, vocab_size: 5 } }, tokenizer: bert };
  assert.match((await rejection(() => createModel(join(folder, 'none'), small))).message, /a vocab_size of at least/);
});

t('texts are scored as they are written: what a model writes is right to the letter', async () => {
  await withModel(goldenGeneration('tiny/bert2bert-projected'), async (model) => {
    const sources = ['the cat', 'a dog', 'what a film'];
    const generation = { numBeams: 2, maxNewTokens: 6, minNewTokens: null, minLength: null };
    const written = await generate(model, sources, generation);
    const rows = sources.map((source, i) => ({ source, target: written[i]![0]!.text }));
    // A text that ran to its limit, or holds special tokens, is none that its own ids are read back to.
    const { metrics, rows: count } = await evaluateModel(model, 'translation', rows, { generation, batchSize: 2 });
    assert.is(count, 3);
    assert.ok(metrics['chrf']! > 60, JSON.stringify(metrics));
    assert.equal(Object.keys(metrics), ['bleu', 'chrf', 'chrf++', 'exact_match']);
    const summaries = await evaluateModel(model, 'summarization', rows, { generation });
    assert.equal(Object.keys(summaries.metrics), ['rouge1', 'rouge2', 'rougeL', 'exact_match']);
  });
  await withModel(golden('tiny/bert-sequence-classification'), async (model) => {
    const refused = (task: 'translation' | 'text-classification') =>
      rejection(() => evaluateModel(model, task, [{ source: 'a', target: 'b', label: 0 }], { generation: { numBeams: 2 } }));
    assert.is((await refused('translation')).code, 'NO_HEAD');
    assert.is((await refused('text-classification')).code, 'INVALID_OPTION');
  });
});

t('the command scores translations, of one file or two', () => {
  const bertha = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'evaluate', ...args, '--json'], { encoding: 'utf8' });
  const model = goldenGeneration('tiny/bert2bert-projected');
  const common = ['--model', model, '--max-new-tokens', '7', '--beams', '2'];
  const run = bertha('translate', ...common, '--file', file('c.en', 'the cat\na dog\n'), '--target', file('c.de', 'die Katze\nein Hund\n'));
  assert.is(run.status, 0, run.stderr);
  assert.equal(Object.keys(JSON.parse(run.stdout) as object), ['bleu', 'chrf', 'chrf++', 'exact_match']);
  const rows = file('rows.csv', 'text,label\na,b\n');
  const stray = bertha('classify', '--model', golden('tiny/bert-sequence-classification'), '--file', rows, '--beams', '2');
  assert.is(stray.status, 2);
  assert.match(stray.stderr, /--beams, which is for translate, summarize/);
});

t.run();
