import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { fillMask, loadModel, predictNextSentence } from '../../src/index.js';
import { openCorpus } from '../../src/pretraining/corpus/text-source.js';
import { readDocuments, type Documents } from '../../src/pretraining/corpus/documents.js';
import { TokenArena } from '../../src/pretraining/corpus/token-arena.js';
import { drawExamples, type DrawOptions, type DrawnExample } from '../../src/pretraining/examples/draw-examples.js';
import { pretrain, trainWordPiece, type PretrainOptions } from '../../src/pretraining/index.js';
import { Budget } from '../../src/runtime/event-loop-budget.js';
import { cliProgram } from '../support/cli.js';
import { codeOf, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('pretrain');

const folder = temporaryFolder();
const words = ['the', 'cat', 'dog', 'sat', 'ran', 'on', 'under', 'a', 'mat', 'tree', 'slept', 'jumped'];
/** Documents of a few sentences, each of 4 to 9 words. */
const documents = Array.from({ length: 24 }, (_, d) =>
  Array.from({ length: 2 + (d % 5) }, (_, s) =>
    Array.from({ length: 4 + ((d + s) % 6) }, (_, w) => words[(d * 7 + s * 5 + w * 3) % 12]).join(' '),
  ),
);
const corpus = join(folder, 'corpus.txt');
writeFileSync(corpus, documents.map((sentences) => sentences.join('\n')).join('\n\n'));
const tokenizer = await trainWordPiece(corpus, { vocabSize: 80 });

async function read(options?: Partial<DrawOptions>): Promise<{ documents: Documents; examples: DrawnExample[] }> {
  const format = { format: 'sentences', needsOthers: true } as const;
  const reading = readDocuments(await openCorpus('test', corpus), tokenizer.tokenizer(), new Budget(undefined), format);
  const read = (await reading.next()).value as Documents;
  const drawing = drawExamples(read, { objective: 'next-sentence', maxLength: 24, shortSeqProb: 0.1, seed: 3, part: 0, ...options });
  let step = drawing.next();
  while (step.done !== true) step = drawing.next();
  return { documents: read, examples: step.value };
}

/** The document that a token is in. */
function documentOf({ sentences, documents: bounds }: Documents, token: number): number {
  return bounds.findLastIndex((sentence) => sentences[sentence]! <= token);
}

t('a corpus is read as documents of sentences', async () => {
  const { documents: read_ } = await read();
  assert.is(read_.documents.length - 1, documents.length);
  assert.is(read_.sentences.length - 1, documents.flat().length);
});

t('B follows A in its document, or is text of another one; pairs fit the length', async () => {
  const seen = [0, 0];
  for (let seed = 0; seed < 20; seed++) {
    const { documents: corpus_, examples } = await read({ seed });
    for (const { a, b, label } of examples) {
      seen[label]!++;
      assert.ok(a.end > a.begin && b!.end > b!.begin && a.end - a.begin + b!.end - b!.begin <= 21);
      const [first, second] = [documentOf(corpus_, a.begin), documentOf(corpus_, b!.begin)];
      assert.is(first === second ? 0 : 1, label);
      assert.is(documentOf(corpus_, a.end - 1), first);
      assert.is(documentOf(corpus_, b!.end - 1), second);
      if (label === 0) assert.ok(b!.begin >= a.end);
    }
  }
  assert.ok(seen[0]! > 200 && seen[1]! > 200, seen.join());
});

t('a sentence order is kept or swapped within a document', async () => {
  const { documents: corpus_, examples } = await read({ objective: 'sentence-order' });
  for (const { a, b, label } of examples) {
    assert.is(documentOf(corpus_, a.begin), documentOf(corpus_, b!.begin));
    assert.is(b!.begin >= a.end ? 0 : 1, label);
  }
  assert.ok(new Set(examples.map(({ label }) => label)).size === 2);
});

t('without pairs the windows of a corpus are all of its text, once', async () => {
  for (const [maxLength, shortSeqProb] of [
    [8, 0],
    [24, 0.5],
    [512, 0],
  ] as const) {
    const { documents: corpus_, examples } = await read({ objective: 'none', maxLength, shortSeqProb });
    let at = 0;
    for (const { a } of examples) {
      assert.is(a.begin, at);
      assert.ok(a.end > a.begin && a.end - a.begin <= maxLength - 2);
      at = a.end;
    }
    assert.is(at, corpus_.tokens.length);
  }
});

const options: PretrainOptions = {
  corpus,
  tokenizer,
  config: { hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 64, max_position_embeddings: 64 },
  maxLength: 32,
  perDeviceTrainBatchSize: 8,
  learningRate: 3e-3,
  maxSteps: 40,
  saveStrategy: 'no',
  loggingStrategy: 'no',
};

t('a model from nothing learns, is saved as BertForPreTraining, and is loaded with both heads', async () => {
  const outputDir = join(folder, 'model');
  const { model, metrics, examples, tokens } = await pretrain({
    ...options,
    evalCorpus: corpus,
    outputDir,
    wholeWordMask: true,
    maskingRule: 'google',
  });
  model.dispose();
  assert.ok(examples > 20 && tokens > 300);
  assert.ok(metrics['eval_mlm_loss']! < Math.log(tokenizer.tokens.length) - 0.5, JSON.stringify(metrics));
  assert.ok(Math.abs(metrics['eval_perplexity']! - Math.exp(metrics['eval_mlm_loss']!)) < 1e-9);
  const config = JSON.parse(readFileSync(join(outputDir, 'config.json'), 'utf8')) as { readonly architectures: readonly string[] };
  assert.equal(config.architectures, ['BertForPreTraining']);
  const loaded = await loadModel(outputDir);
  assert.ok((await fillMask(loaded, 'the cat [MASK] on a mat')) !== undefined);
  assert.ok((await predictNextSentence(loaded, { text: 'the cat sat', textPair: 'on a mat' })) !== undefined);
  loaded.dispose();
});

t('the same run gives the same model; one that goes on begins where it was', async () => {
  const save = async (name: string, more: Partial<PretrainOptions>): Promise<{ bytes: Buffer; loss: number }> => {
    const outputDir = join(folder, name);
    const { model, metrics } = await pretrain({ ...options, maxSteps: 4, outputDir, ...more });
    model.dispose();
    return { bytes: readFileSync(join(outputDir, 'model.safetensors')), loss: metrics['train_loss']! };
  };
  const first = await save('first', { objective: 'mlm' });
  assert.ok(first.bytes.equals((await save('second', { objective: 'mlm', threads: 2 })).bytes));
  const whole = await save('whole', { objective: 'mlm', saveStrategy: 'steps', saveSteps: 2 });
  assert.ok(whole.bytes.equals(first.bytes));
  const { config: _, tokenizer: __, ...rest } = options;
  const { model, metrics } = await pretrain({ ...rest, model: join(folder, 'model'), maxSteps: 2 });
  model.dispose();
  assert.ok(metrics['train_loss']! < first.loss + 1);
});

t('with lora the encoder stays as it is: an adapter with both heads is saved', async () => {
  const { config: _, tokenizer: __, ...rest } = options;
  const [base, adapter] = [join(folder, 'model'), join(folder, 'adapter')];
  const lora = { r: 2, targetModules: 'all-linear' };
  const { model } = await pretrain({ ...rest, model: base, maxSteps: 2, outputDir: adapter, lora });
  model.dispose();
  assert.not(readdirSync(adapter).includes('model.safetensors'));
  const loaded = await loadModel(base, { adapter });
  assert.equal(loaded.config.architectures, ['BertForPreTraining']);
  assert.ok(loaded.values.heads.maskedLm && loaded.values.heads.nextSentence);
  loaded.dispose();
});

t('bertha pretrain learns a vocabulary and a model', async () => {
  const output = join(folder, 'cli');
  mkdirSync(output);
  const args = [
    corpus,
    '-o',
    output,
    '--vocab-size',
    '80',
    '--max-length',
    '16',
    '--max-steps',
    '2',
    '--objective',
    'mlm',
    '--json',
    '--save-strategy',
    'no',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [cliProgram, 'pretrain', ...args]);
  assert.ok((JSON.parse(stdout) as Record<string, number>)['train_loss']! > 0);
});

t('says what is wrong', async () => {
  const refuses = async (code: string, message: RegExp, more: Readonly<Record<string, unknown>>): Promise<void> => {
    const error = await rejection(() => pretrain({ ...options, ...more } as unknown as PretrainOptions));
    assert.is(error.code, code);
    assert.match(error.message, message);
  };
  await refuses('INVALID_ARG', /two or more documents/, { corpus: ['One. Two. Three.'].values() });
  await refuses('INVALID_OPTION', /model \(to go on with\) or config/, { model: folder });
  await refuses('INVALID_OPTION', /tiny, mini/, { config: 'huge' as 'tiny' });
  await refuses('INVALID_OPTION', /a tokenizer for a new model/, { tokenizer: undefined });
  await refuses('MAX_LENGTH', /at most 64/, { maxLength: 65 });
  await refuses('MAX_LENGTH', /at least 5/, { maxLength: 4 });
  await refuses('EMPTY_INPUT', /words in the corpus/, { corpus: [' ', ''].values() });
  await refuses('IO', /nothing/, { corpus: join(folder, 'nothing') });
  await refuses('INVALID_OPTION', /corpus/, { corpus: undefined });
  assert.is(
    codeOf(() =>
      drawExamples(
        { tokens: new TokenArena(9), sentences: [0, 3], documents: [0, 1] },
        { objective: 'none', maxLength: 3, shortSeqProb: 0, seed: 1, part: 0 },
      ).next(),
    ),
    'MAX_LENGTH',
  );
});

t.run();
