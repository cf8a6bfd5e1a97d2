// The pre-training of a tiny BERT (2 x 128) beside transformers: npm run learn -- --task pretrain [--threads N] [--python PYTHON]
// Text: enwiki-shortened.xml.bz2 and WikiText-2 of the shared folder, made by wikipedia_text.py; every twentieth article is held out. The vocabulary is learned from the same text.
// transformers' results are stored in scripts/pretraining/results.json; with --python (one with transformers) reference.py computes them from the same batches, ids and masks included,
// its decoder on the masked rows alone. Times of a step are those of --task pretrain-speed (speed.ts), transformers as it is.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchGroups } from '../../src/training/trainer/batch-source.js';
import { readExamples } from '../../src/training/trainer/examples.js';
import type { OpenPretraining } from '../../src/pretraining/open-pretraining.js';
import { Budget } from '../../src/runtime/event-loop-budget.js';
import { BatchFile } from './batch-file.js';
import { missingText, openGate, settings, writeText, type PretrainingGateOptions } from './open-gate.js';
import { readResults, record, type BerthaResult } from './results.js';
import { reportSpeed } from './speed.js';
import { unigramLoss } from './unigram.js';

const here = import.meta.dirname;
const curveSteps = 50;

/** Runs the gate. */
export async function pretrainingGate(shared: string, options: PretrainingGateOptions): Promise<void> {
  const text = missingText(shared);
  if (text !== undefined) return console.log(`skipped pretrain: no ${text}`);
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'bertha-gate-'));
  try {
    writeText(shared, folder, options.python ?? 'python3');
    const curve: number[] = [];
    const opened = await openGate(folder, { threads: options.threads, onLoss: (loss) => curve.push(loss) });
    try {
      const digest = await exportBatches(opened, folder);
      await opened.trainer.saveModel(join(folder, 'start'));
      const known = readResults().bertha;
      const { stepSeconds } = known?.digest === digest ? known : {};
      const ours = {
        ...(await run(opened, digest, options.threads ?? 2)),
        curve: curve.slice(0, curveSteps),
        ...(stepSeconds && { stepSeconds }),
      };
      await opened.trainer.saveModel(join(folder, 'model'));
      record('bertha', ours);
      if (options.python !== undefined) {
        const args = [join(here, 'reference.py'), folder, '--threads', String(options.threads ?? 2), '--digest', digest, '--masked-rows'];
        execFileSync(options.python, args, { stdio: 'inherit', env: { ...process.env, HF_HUB_OFFLINE: '1' } });
      }
      report(ours, await unigramLoss(opened.examples, opened.heldOut!, opened.collator, opened.trainer.args, settings['vocabSize']!));
    } finally {
      await opened.close();
    }
  } finally {
    if (options.keep === undefined) rmSync(folder, { recursive: true });
  }
}

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

async function run({ trainer, heldOut }: OpenPretraining, digest: string, threads: number): Promise<Omit<BerthaResult, 'curve'>> {
  const begun = performance.now();
  await trainer.train();
  const seconds = (performance.now() - begun) / 1000;
  const metrics = await trainer.evaluate(heldOut!);
  return {
    digest,
    threads,
    seconds: Math.round(seconds),
    steps: trainer.state.globalStep,
    heldOut: { mlmLoss: metrics['eval_mlm_loss']!, pairAccuracy: metrics['eval_pair_accuracy']! },
  };
}

function report(ours: BerthaResult, unigram: number): void {
  const { transformers } = readResults();
  const line = (name: string, { heldOut, threads }: Pick<BerthaResult, 'heldOut' | 'threads'>, seconds: number | undefined): void =>
    console.log(
      `${name}: held-out MLM loss ${heldOut.mlmLoss.toFixed(3)} (unigram ${unigram.toFixed(3)}), pairs ${(100 * heldOut.pairAccuracy).toFixed(1)} %` +
        (seconds === undefined ? '' : `, ${seconds.toFixed(0)} s on ${threads} threads`),
    );
  line('pretrain, Bertha', ours, ours.seconds);
  if (transformers === undefined) return console.log('pretrain: no results of transformers');
  const { heldOut, curve } = transformers;
  if (heldOut !== undefined) line('pretrain, transformers', { ...transformers, heldOut }, undefined);
  if (transformers.digest !== ours.digest) console.log('pretrain: the stored results are of other batches; run with --python');
  const worst = Math.max(...ours.curve.map((loss, step) => Math.abs(loss - curve[step]!)));
  const gates: (readonly [string, boolean])[] = [
    [`the first ${curveSteps} losses differ by at most 1e-4: ${worst.toExponential(1)}`, worst <= 1e-4],
    ['20 minutes', ours.seconds <= 1200],
  ];
  const gain = unigram - ours.heldOut.mlmLoss;
  if (heldOut === undefined) {
    console.log('pretrain: of transformers only the first steps are stored; run with --python');
    gates.push(['1.0 below the unigram loss', gain >= 1]);
  } else {
    gates.push(
      ['held-out MLM loss within 0.03', Math.abs(ours.heldOut.mlmLoss - heldOut.mlmLoss) <= 0.03],
      // About 1,000 pairs, so a standard error of 1.5 points on either side: only a lower one would say something.
      ['accuracy of pairs not below by more than 0.02', ours.heldOut.pairAccuracy >= heldOut.pairAccuracy - 0.02],
      ['1.0 below the unigram loss, or as transformers less 0.03', gain >= Math.min(1, unigram - heldOut.mlmLoss - 0.03)],
    );
  }
  for (const [what, holds] of gates) console.log(`${holds ? 'ok  ' : 'FAIL'} pretrain: ${what}`);
  if (gates.some(([, holds]) => !holds)) process.exitCode = 1;
  reportSpeed();
}
