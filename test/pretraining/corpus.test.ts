import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { readDocuments } from '../../src/pretraining/corpus/documents.js';
import { openCorpus, type TextSource } from '../../src/pretraining/corpus/text-source.js';
import { TokenArena } from '../../src/pretraining/corpus/token-arena.js';
import { pretrain, trainWordPiece, type PretrainOptions } from '../../src/pretraining/index.js';
import { ExampleStore } from '../../src/pretraining/store/example-store.js';
import { ExampleWriter } from '../../src/pretraining/store/example-writer.js';
import { prepareExamples, type PrepareOptions } from '../../src/pretraining/store/prepare-examples.js';
import { Budget } from '../../src/runtime/event-loop-budget.js';
import { rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('corpus');

const folder = temporaryFolder();
const words = ['the', 'cat', 'dog', 'sat', 'ran', 'on', 'under', 'a', 'mat', 'tree'];
/** Documents of 1 to 4 sentences, of 3 to 6 words. */
const texts = Array.from({ length: 60 }, (_, d) =>
  Array.from({ length: 1 + (d % 4) }, (_, s) =>
    Array.from({ length: 3 + ((d + s) % 4) }, (_, w) => words[(d * 7 + s * 3 + w) % 10]).join(' '),
  ),
);
const corpus = join(folder, 'corpus.txt');
writeFileSync(corpus, texts.map((sentences) => sentences.join('\n')).join('\n\n\n'));
const learned = await trainWordPiece(corpus, { vocabSize: 60 });
const tokenizer = learned.tokenizer();

async function prepare(source: TextSource, more?: Partial<PrepareOptions>): Promise<ExampleStore> {
  const draw = { objective: 'next-sentence', maxLength: 16, shortSeqProb: 0.1, seed: 1 } as const;
  const own = { corpus: await openCorpus('test', source), tokenizer, draw, format: 'sentences', budget: new Budget(undefined) } as const;
  return prepareExamples({ ...own, folder: undefined, ...more });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

t('parts of a corpus are all of it once, each with others for every document', async () => {
  for (const needsOthers of [true, false]) {
    let [parts, sentences, tokens] = [0, 0, 0];
    const options = { format: 'sentences', partTokens: 40, needsOthers } as const;
    for await (const part of readDocuments(await openCorpus('test', corpus), tokenizer, new Budget(undefined), options)) {
      parts++;
      assert.ok(part.documents.length > (needsOthers ? 2 : 1));
      assert.is(part.documents.at(-1), part.sentences.length - 1);
      sentences += part.sentences.length - 1;
      tokens += part.sentences.at(-1)!;
    }
    assert.ok(parts > 5, `${parts} parts`);
    assert.is(sentences, texts.flat().length);
    assert.is(tokens, texts.flat().join(' ').split(' ').length);
  }
});

t('a document longer than a part is cut, but not where next sentences need others', async () => {
  const long = Array.from({ length: 60 }, () => 'the cat sat').join('\n');
  const read = async (needsOthers: boolean): Promise<number> => {
    const file = join(folder, 'long.txt');
    writeFileSync(file, `a dog ran\n\n${long}`);
    const options = { format: 'sentences', partTokens: 20, needsOthers } as const;
    const parts = await all(readDocuments(await openCorpus('test', file), tokenizer, new Budget(undefined), options));
    return parts.length;
  };
  assert.ok((await read(false)) > 5);
  const error = await rejection(() => read(true));
  assert.is(error.code, 'INVALID_ARG');
  assert.match(error.message, /more than 80 tokens/);
});

t('examples of parts are the same each time, and of the documents that they name', async () => {
  const [first, second, whole] = [
    await prepare(corpus, { partTokens: 50 }),
    await prepare(corpus, { partTokens: 50 }),
    await prepare(corpus),
  ];
  assert.is(first.digest, second.digest);
  assert.is.not(first.digest, whole.digest);
  for (const { ids, aLength, label } of await all(first)) {
    assert.ok(aLength > 0 && ids.length > aLength && ids.length <= 13);
    assert.ok(label === 0 || label === 1);
  }
  for (const store of [first, second, whole]) await store.close();
});

/** A file of 20,000 examples: two tokens that say which it is. */
async function manyExamples(): Promise<ExampleStore> {
  const path = join(folder, 'many.bin');
  const writing = await open(path, 'w');
  const writer = new ExampleWriter(writing, path, 1000);
  for (let begin = 0; begin < 20_000; begin += 1000) {
    const arena = new TokenArena(1000);
    for (let i = begin; i < begin + 1000; i++) arena.add(Int32Array.of(Math.floor(i / 1000), i % 1000), Int32Array.of(0, 1, 2, 3));
    const drawn = Array.from({ length: 1000 }, (_, i) => ({
      a: { begin: 2 * i, end: 2 * i + 1 },
      b: { begin: 2 * i + 1, end: 2 * i + 2 },
      label: 1 as const,
    }));
    await writer.add(drawn, arena);
  }
  await writing.close();
  return new ExampleStore(await open(path), path, writer.finish());
}

t('an epoch is every example once, in an order of its own, and goes on from any place', async () => {
  const store = await manyExamples();
  assert.is(store.length, 20_000);
  const numberOf = (ids: ArrayLike<number>): number => ids[0]! * 1000 + ids[1]!;
  const order = async (
    epoch: number,
    from = 0,
    dataSeed = 5,
    trainSamplingStrategy: 'random' | 'sequential' | 'group_by_length' = 'random',
  ) =>
    (await all(store.inOrder({ dataSeed, trainSamplingStrategy, perDeviceTrainBatchSize: 8 }, epoch, from))).map(({ row, index }) => {
      assert.is(numberOf(row.ids), index);
      assert.is(row.aLength, 1);
      assert.is(row.label, 1);
      assert.equal([...row.isJoined], [0, 0]);
      return index;
    });
  const first = await order(0);
  assert.equal(
    [...first].sort((a, b) => a - b),
    Array.from({ length: 20_000 }, (_, i) => i),
  );
  assert.equal(await order(0), first);
  for (const from of [1, 16_383, 16_384, 19_999, 20_000]) assert.equal(await order(0, from), first.slice(from), `from ${from}`);
  assert.is.not((await order(1)).join(), first.join());
  assert.is.not((await order(0, 0, 6)).join(), first.join());
  assert.ok(Math.max(...first.slice(0, 50)) > 15_000, 'an epoch begins anywhere');
  assert.equal(
    await order(3, 0, 5, 'sequential'),
    Array.from({ length: 20_000 }, (_, i) => i),
  );
  await store.close();
});

t('examples in a folder are used again; those of other files or options, or not whole, are made anew', async () => {
  const own = mkdtempSync(join(folder, 'prepared-'));
  const made = (): string[] => readdirSync(own).filter((name) => !name.startsWith('.'));
  const store = await prepare(corpus, { folder: own });
  const [key] = made();
  const file = join(own, key!, 'examples.bin');
  const { mtimeMs } = statSync(file);
  const again = await prepare(corpus, { folder: own });
  assert.is(statSync(file).mtimeMs, mtimeMs);
  assert.is(again.digest, store.digest);
  // What a killed process leaves.
  const left = join(own, `.${key!}.writing-0123456789ab`);
  mkdirSync(left);
  truncateSync(file, 10);
  const mended = await prepare(corpus, { folder: own });
  assert.is(mended.digest, store.digest);
  assert.equal((await all(mended)).length, mended.length);
  assert.equal(readdirSync(own), [key]);
  const other = await prepare(corpus, { folder: own, draw: { objective: 'none', maxLength: 16, shortSeqProb: 0, seed: 1 } });
  const copy = join(folder, 'copy.txt');
  writeFileSync(copy, readFileSync(corpus));
  const third = await prepare(copy, { folder: own });
  assert.is(made().length, 3);
  for (const each of [store, again, mended, other, third]) await each.close();
});

t('a temporary file is gone with its run, also when the corpus fails', async () => {
  const own = mkdtempSync(join(folder, 'temporary-'));
  const store = await prepare(texts.flat().values(), { folder: own, format: 'documents' });
  assert.ok((await all(store)).length > 10);
  await store.close();
  const failing = async function* () {
    yield 'the cat sat. a dog ran.';
    throw new Error('broken');
  };
  await prepare(failing(), { folder: own }).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'broken'),
  );
  assert.equal(readdirSync(own), []);
});

if (process.platform === 'linux') {
  t('a full disk is an error that says where and how much', async () => {
    const handle = await open('/dev/full', 'w');
    const writer = new ExampleWriter(handle, '/dev/full', 10);
    const arena = new TokenArena(10);
    arena.add(Int32Array.of(1, 2), Int32Array.of(0, 1, 1, 2));
    const error = await rejection(() => writer.add([{ a: { begin: 0, end: 2 }, label: 0 }], arena));
    assert.is(error.code, 'IO');
    assert.match(error.message, /a full disk after 0 bytes/);
    await handle.close();
  });
}

const config = { hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32, max_position_embeddings: 64 };
const options: PretrainOptions = {
  corpus,
  tokenizer: learned,
  config,
  maxLength: 16,
  maxSteps: 6,
  loggingStrategy: 'no',
  saveStrategy: 'no',
};

t('a run that goes on from a checkpoint gives the same model, with examples that are there or made anew', async () => {
  const run = async (name: string, more: Partial<PretrainOptions>): Promise<Buffer> => {
    const outputDir = join(folder, name);
    const { model } = await pretrain({ ...options, outputDir, ...more });
    model.dispose();
    assert.not.ok(readdirSync(outputDir).includes('.bertha-corpus'));
    return readFileSync(join(outputDir, 'model.safetensors'));
  };
  for (const trainSamplingStrategy of ['random', 'group_by_length'] as const) {
    const corpusDir = join(folder, `kept-${trainSamplingStrategy}`);
    const whole = await run(`whole-${trainSamplingStrategy}`, { trainSamplingStrategy });
    const saved = { trainSamplingStrategy, saveStrategy: 'steps', saveSteps: 2, corpusDir } as const;
    const name = `parts-${trainSamplingStrategy}`;
    assert.ok((await run(name, saved)).equals(whole));
    assert.is(readdirSync(corpusDir).length, 1);
    const outputDir = join(folder, name);
    assert.ok((await run(name, { ...saved, resumeFromCheckpoint: join(outputDir, 'checkpoint-4') })).equals(whole));
    const { corpusDir: _, ...anew } = saved;
    assert.ok((await run(name, { ...anew, resumeFromCheckpoint: join(outputDir, 'checkpoint-2') })).equals(whole));
  }
});

t('bytes that are no UTF-8, empty documents and a line of 10 MB are learned from', async () => {
  const file = join(folder, 'odd.txt');
  const sentence = 'the cat sat on a mat ';
  const broken = Buffer.concat([
    Buffer.from('the cat '),
    Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]),
    Buffer.from(' sat\na dog ran\n'),
  ]);
  writeFileSync(
    file,
    Buffer.concat([broken, Buffer.from('\n\n \n\t\n\n\n'), Buffer.from(`${sentence.repeat(500_000)}\n\n`), Buffer.from('the dog sat')]),
  );
  const { model, metrics, examples } = await pretrain({ ...options, corpus: file, objective: 'mlm', maxSteps: 1 });
  model.dispose();
  assert.ok(examples > 200_000 && Number.isFinite(metrics['train_loss']), `${examples} examples`);
  const store = await prepare(file);
  assert.ok(store.length >= 3 && store.length <= 4);
  assert.not.ok((await all(store)).some(({ ids }) => ids.length > 13));
  await store.close();
});

t('says what is wrong with a corpus, a tokenizer or a vocabulary', async () => {
  const refuses = async (code: string, message: RegExp, work: () => Promise<unknown>): Promise<void> => {
    const error = await rejection(work);
    assert.is(error.code, code);
    assert.match(error.message, message);
  };
  const file = join(folder, 'one.txt');
  writeFileSync(file, '\n\n\nthe cat sat\na dog ran\n\n \n\n');
  await refuses('INVALID_ARG', /two or more documents for next sentences/, () => pretrain({ ...options, corpus: file }));
  await refuses('EMPTY_INPUT', /text for one example or more/, () =>
    pretrain({ ...options, corpus: ['the cat'].values(), objective: 'mlm+sop' }),
  );
  await refuses('INVALID_OPTION', /at least \d+ for vocabSize/, () => trainWordPiece(file, { vocabSize: 8 }));
  await refuses('INVALID_OPTION', /\[MASK\] among specialTokens/, () =>
    trainWordPiece(file, { specialTokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'] }),
  );
  const directory = join(folder, 'no-mask');
  mkdirSync(directory);
  writeFileSync(join(directory, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\ncat\n');
  await refuses('TOKENIZER', /\[MASK\]/, () => pretrain({ ...options, tokenizer: directory }));
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  await pretrain({ ...options, signal: controller.signal }).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'enough'),
  );
});

t.run();
