// What heads cost beside the plain encoder, and zero-shot beside one forward a label, on random weights, in turns in one process.
//   npm run bench:tasks -- [--quick] [--python PYTHON]        --quick: the small shape of MiniLM in place of BERT-base
// The rival of zero-shot is transformers.js, one forward a label, without the head ([SEP] makes its texts as long as the pairs). It needs an ONNX graph of the same shape: bench/python
// makes one with PYTHON; without a graph the rival is left out, and the output says so.
import { parseArgs } from 'node:util';
import { answerQuestion, classifyZeroShot, fillMask, loadModel, type Model } from '../src/index.js';
import { availablePrecisions } from '../src/runtime/options/precision.js';
import { Random } from '../test/support/random.js';
import { transformersEngine } from './engines/transformers.js';
import { withHead } from './head-models.js';
import { measure, type Contestant, type Effort } from './measure.js';
import { bertBase, miniLm } from './models.js';
import { installRivals } from './rivals.js';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, python: { type: 'string' } } });
const effort: Effort = values.quick ? { budgetMs: 1500, minRounds: 3, maxRounds: 60 } : { budgetMs: 4000, minRounds: 3, maxRounds: 30 };
const shape = values.quick ? miniLm(values.python) : bertBase(values.python);
const words = 'the of time river station music winter city old small people found water moved green years house'.split(' ');
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const missed: string[] = [];

const wordsOf = (random: Random, count: number) => Array.from({ length: count }, () => random.pick(words)).join(' ');
const timed = (run: () => Promise<unknown>) => async (): Promise<number> => {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
};

async function compare(title: string, contestants: readonly Contestant[]): Promise<number[]> {
  const timings = await measure(contestants, effort, true);
  const medians = contestants.map(({ name }) => timings.get(name)!.median);
  print(`\n${title}`);
  contestants.forEach(({ name }, i) => print(`  ${name.padEnd(44)} ${medians[i]!.toFixed(1).padStart(9)} ms`));
  return medians;
}

function verdict(what: string, value: number, isMet: boolean): void {
  print(`  ${what}: ${value.toFixed(2)}${isMet ? '' : '  MISSED'}`);
  if (!isMet) missed.push(what);
}

/** The encoder alone: tokens to pooled vectors. */
async function encode(model: Model, pairs: readonly (string | readonly [string, string])[], maxLength: number): Promise<void> {
  const encodings = model.tokenizer.encodeBatch(pairs, { truncation: true, maxLength });
  await model.session.run(model.pack(encodings), [model.values.sentenceEmbedding]);
}

async function masked(): Promise<void> {
  const model = await loadModel(await withHead(shape, 'masked'));
  const random = new Random(3);
  const texts = Array.from({ length: 32 }, () => `[MASK] ${wordsOf(random, 62)} [MASK] ${wordsOf(random, 62)}`);
  const [plain, heads] = await compare(`masked words: ${shape.name}, 32 texts of 128 tokens, 2 masks each`, [
    { name: 'encoder alone', run: timed(() => encode(model, texts, 128)) },
    { name: 'fillMask, top 5', run: timed(() => fillMask(model, texts)) },
  ]);
  verdict('times the encoder (at most 1.15)', heads! / plain!, heads! / plain! <= 1.15);
  model.dispose();
}

async function zeroShot(): Promise<void> {
  const directory = await withHead(shape, 'inference');
  const text = 'The museum will open a new wing with paintings from four centuries in the spring.';
  const labels = ['politics', 'sports', 'art', 'weather', 'science', 'business', 'health', 'travel', 'food', 'music'];
  const precisions = (['fp32', 'bf16', 'int8'] as const).filter((each) => availablePrecisions().includes(each));
  const models = await Promise.all(precisions.map((precision) => loadModel(directory, { precision })));
  const contestants: Contestant[] = models.map((model, i) => ({
    name: `classifyZeroShot, all labels in one batch, ${precisions[i]}`,
    run: timed(() => classifyZeroShot(model, text, labels)),
  }));
  if (shape.onnx.fp32 !== undefined) {
    installRivals();
    const rival = await transformersEngine().load(shape, 2);
    const texts = labels.map((label) => `${text} [SEP] This example is ${label}.`);
    const ids = texts.map((each) => models[0]!.tokenizer.encode(each).ids);
    contestants.push({
      name: 'transformers.js, one forward a label, fp32',
      run: rival.text!({ texts, ids, batchSize: 1, batching: 'arrival' }),
    });
  }
  const medians = await compare(`zero-shot: ${shape.name}, 1 text, 10 labels`, contestants);
  if (medians.length === models.length) print('  no ONNX graph of this shape: rival left out');
  else
    precisions.forEach((precision, i) =>
      verdict(`times as fast in ${precision} (at least 3)`, medians.at(-1)! / medians[i]!, medians.at(-1)! / medians[i]! >= 3),
    );
  for (const model of models) model.dispose();
}

async function answers(): Promise<void> {
  const model = await loadModel(await withHead(shape, 'answers'));
  const context = wordsOf(new Random(4), 10_000);
  const question = 'Where did the people of the old city move?';
  const maxSeqLen = Math.min(384, model.maxTokens);
  const stride = Math.min(maxSeqLen >> 1, 128);
  const first = model.tokenizer.encode(question, { pair: context, truncation: 'only_second', maxLength: maxSeqLen, stride });
  const windows = [first, ...first.overflowing];
  const tokens = windows.reduce((sum, { length }) => sum + length, 0);
  const batch = model.pack(windows);
  const [plain, heads] = await compare(`answers: ${shape.name}, 10,000 words in ${windows.length} windows, ${tokens} tokens`, [
    { name: 'encoder alone, tokenized before', run: timed(() => model.session.run(batch, [model.values.sentenceEmbedding])) },
    { name: 'answerQuestion', run: timed(() => answerQuestion(model, { question, context })) },
  ]);
  print(`  ${Math.round((1000 * tokens) / heads!)} tokens/s`);
  verdict("share of the encoder's tokens/s (at least 0.90)", plain! / heads!, plain! / heads! >= 0.9);
  model.dispose();
}

await masked();
await zeroShot();
await answers();
print(missed.length === 0 ? '\nall targets met' : `\nmissed: ${missed.join('; ')}`);
process.exitCode = missed.length === 0 ? 0 : 1;
