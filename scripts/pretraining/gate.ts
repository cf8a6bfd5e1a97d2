// The pre-training of a tiny BERT (2 x 128) beside transformers: npm run learn -- --task pretrain [--threads N] [--python PYTHON]
// Text: enwiki-shortened.xml.bz2 and WikiText-2 of the shared folder, made by wikipedia_text.py; every twentieth article is held out. The vocabulary is learned from the same text.
// transformers' results are stored in scripts/pretraining/results.json; with --python (one with transformers) reference.py computes them from the same batches, ids and masks included.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModel, trainingArguments } from '../../src/training/index.js';
import { batchGroups } from '../../src/training/trainer/batch-source.js';
import { readExamples } from '../../src/training/trainer/examples.js';
import { openPretraining, type OpenPretraining } from '../../src/pretraining/open-pretraining.js';
import { trainWordPiece } from '../../src/pretraining/index.js';
import { Budget } from '../../src/runtime/event-loop-budget.js';
import { BatchFile } from './batch-file.js';
import { unigramLoss } from './unigram.js';

interface Result {
  readonly digest: string;
  readonly threads: number;
  readonly seconds: number;
  readonly curve: readonly number[];
  readonly heldOut: { readonly mlmLoss: number; readonly pairAccuracy: number };
}

const here = import.meta.dirname;
const settings = JSON.parse(readFileSync(join(here, 'arguments.json'), 'utf8')) as Readonly<Record<string, number>>;
const resultsFile = join(here, 'results.json');
const curveSteps = 50;

/** Runs the gate; `keep` is a folder for text, batches and models, which stay there. */
export async function pretrainingGate(
  shared: string,
  options: { readonly threads?: number; readonly python?: string; readonly keep?: string },
): Promise<void> {
  const sources = ['enwiki-shortened.xml.bz2', 'wikitext-2.valid.txt', 'wikitext-2.test.txt'].map((name) => join(shared, 'text', name));
  const missing = sources.find((file) => !existsSync(file));
  if (missing !== undefined) return console.log(`skipped pretrain: no ${missing}`);
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'bertha-gate-'));
  mkdirSync(folder, { recursive: true });
  try {
    const [corpus, held] = [join(folder, 'train.txt'), join(folder, 'held-out.txt')];
    execFileSync(options.python ?? 'python3', [join(here, 'wikipedia_text.py'), corpus, '--held-out', held, ...sources]);
    const opened = await open(folder, corpus, held, options.threads);
    try {
      const digest = await exportBatches(opened, folder);
      const ours = await run(opened, digest, options.threads ?? 2);
      await record('bertha', ours);
      if (options.python !== undefined) {
        const threads = String(options.threads ?? 2);
        execFileSync(options.python, [join(here, 'reference.py'), folder, '--threads', threads, '--digest', digest], { stdio: 'inherit' });
      }
      report(ours, await unigramLoss(opened.examples, opened.heldOut!, opened.collator, opened.trainer.args, settings['vocabSize']!));
    } finally {
      await opened.close();
    }
  } finally {
    if (options.keep === undefined) rmSync(folder, { recursive: true });
  }
}

async function open(folder: string, corpus: string, evalCorpus: string, threads: number | undefined): Promise<OpenPretraining> {
  const [tokenizer, start] = [join(folder, 'tokenizer'), join(folder, 'start')];
  await (await trainWordPiece(corpus, { vocabSize: settings['vocabSize'] })).save(tokenizer);
  rmSync(join(folder, 'new'), { recursive: true, force: true });
  const { hiddenSize: hidden_size, layers: num_hidden_layers, heads: num_attention_heads, seed, maxLength } = settings;
  const noDropout = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
  const config = { hidden_size, num_hidden_layers, num_attention_heads, intermediate_size: 4 * hidden_size!, ...noDropout };
  await createModel(join(folder, 'new'), { config, tokenizer, seed });
  const args = trainingArguments({
    numTrainEpochs: settings['epochs']!,
    perDeviceTrainBatchSize: settings['batchSize']!,
    perDeviceEvalBatchSize: settings['batchSize']!,
    learningRate: settings['learningRate']!,
    weightDecay: settings['weightDecay']!,
    warmupSteps: settings['warmup']!,
    seed: seed!,
    loggingSteps: 1,
    saveStrategy: 'no',
    ...(threads === undefined ? {} : { threads }),
  });
  const opened = await openPretraining(
    join(folder, 'new'),
    { corpus, evalCorpus, maxLength: maxLength!, callbacks: [{ onLog: (_, { loss }) => void (loss !== undefined && curve.push(loss)) }] },
    args,
  );
  await opened.trainer.saveModel(start);
  return opened;
}

const curve: number[] = [];

/** Writes down what will be trained on, in order, and the batches of the evaluation. */
async function exportBatches({ trainer, collator, examples, heldOut }: OpenPretraining, folder: string): Promise<string> {
  const budget = new Budget(undefined);
  const training = new BatchFile(join(folder, 'batches.bin'));
  const options = { args: trainer.args, examples: await readExamples(examples, collator, budget), collator, budget };
  for await (const { batches } of batchGroups(options, { epoch: 0, rows: 0 }, trainer.args.numTrainEpochs))
    batches.forEach((batch) => training.add(batch));
  const evaluation = new BatchFile(join(folder, 'held-out.bin'));
  const sequential = {
    ...options,
    args: { ...trainer.args, trainSamplingStrategy: 'sequential' as const },
    examples: await readExamples(heldOut!, collator, budget),
  };
  for await (const { batches } of batchGroups(sequential, { epoch: 0, rows: 0 }, 1)) batches.forEach((batch) => evaluation.add(batch));
  return `${training.close()}-${evaluation.close()}`;
}

async function run({ trainer, heldOut }: OpenPretraining, digest: string, threads: number): Promise<Result> {
  const begun = performance.now();
  await trainer.train();
  const seconds = (performance.now() - begun) / 1000;
  const metrics = await trainer.evaluate(heldOut!);
  return {
    digest,
    threads,
    seconds,
    curve: curve.slice(0, curveSteps),
    heldOut: { mlmLoss: metrics['eval_mlm_loss']!, pairAccuracy: metrics['eval_pair_accuracy']! },
  };
}

/** What reference.py writes: without `--steps` all of it. */
type Reference = Pick<Result, 'digest' | 'curve'> & Partial<Result>;

function readResults(): { readonly bertha?: Result; readonly transformers?: Reference } {
  return existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as ReturnType<typeof readResults>) : {};
}

async function record(name: string, result: Result): Promise<void> {
  const rounded = { ...result, seconds: Math.round(result.seconds) };
  writeFileSync(resultsFile, `${JSON.stringify({ ...readResults(), [name]: rounded }, null, 2)}\n`);
}

function report(ours: Result, unigram: number): void {
  const { transformers } = readResults();
  const line = (name: string, { heldOut, seconds, threads }: Result): void =>
    console.log(
      `${name}: held-out MLM loss ${heldOut.mlmLoss.toFixed(3)} (unigram ${unigram.toFixed(3)}), pairs ${(100 * heldOut.pairAccuracy).toFixed(1)} %, ${seconds.toFixed(0)} s on ${threads} threads`,
    );
  line('pretrain, Bertha', ours);
  if (transformers === undefined) return console.log('pretrain: no results of transformers');
  if (transformers.heldOut !== undefined) line('pretrain, transformers', transformers as Result);
  if (transformers.digest !== ours.digest) console.log('pretrain: the stored results are of other batches; run with --python');
  const worst = Math.max(...ours.curve.map((loss, step) => Math.abs(loss - transformers.curve[step]!)));
  const gates: (readonly [string, boolean])[] = [
    [`the first ${curveSteps} losses differ by at most 1e-4: ${worst.toExponential(1)}`, worst <= 1e-4],
    ['20 minutes', ours.seconds <= 1200],
  ];
  const gain = unigram - ours.heldOut.mlmLoss;
  const { heldOut, seconds } = transformers;
  if (heldOut === undefined || seconds === undefined) {
    console.log('pretrain: of transformers only the first steps are stored; run with --python');
    gates.push(['1.0 below the unigram loss', gain >= 1]);
  } else {
    gates.push(
      ['held-out MLM loss within 0.03', Math.abs(ours.heldOut.mlmLoss - heldOut.mlmLoss) <= 0.03],
      ['accuracy of pairs within 0.02', Math.abs(ours.heldOut.pairAccuracy - heldOut.pairAccuracy) <= 0.02],
      [`half of transformers' time: ${(seconds / ours.seconds).toFixed(2)} times as fast`, ours.seconds * 2 <= seconds],
      ['1.0 below the unigram loss, or as transformers less 0.03', gain >= Math.min(1, unigram - heldOut.mlmLoss - 0.03)],
    );
  }
  for (const [what, holds] of gates) console.log(`${holds ? 'ok  ' : 'FAIL'} pretrain: ${what}`);
  if (gates.some(([, holds]) => !holds)) process.exitCode = 1;
}
