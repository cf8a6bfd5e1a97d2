import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openGate, type PretrainingGateOptions } from './open-gate.js';
import { readResults, record } from './results.js';

const timedSteps = 40;

/**
 * The time of a step of both sides, one after the other in one run: the median of the first steps of the batches that `--task pretrain --keep DIR` has
 * left in `keep`. Stored with their results; without `keep` the stored ones are shown.
 */
export async function pretrainingSpeed(_shared: string, { threads = 2, python, keep }: PretrainingGateOptions): Promise<void> {
  const { bertha } = readResults();
  if (keep !== undefined && bertha !== undefined && existsSync(join(keep, 'batches.bin'))) {
    const ends: number[] = [];
    const opened = await openGate(keep, { threads, steps: timedSteps, onLoss: () => ends.push(performance.now()) });
    try {
      await opened.trainer.train();
    } finally {
      await opened.close();
    }
    const times = ends.slice(1).map((end, i) => (end - ends[i]!) / 1000);
    const stepSeconds = Number(times.sort((a, b) => a - b)[times.length >> 1]!.toFixed(4));
    record('bertha', { ...bertha, threads, stepSeconds });
    if (python !== undefined) {
      const args = ['--digest', bertha.digest, '--threads', String(threads), '--steps', String(timedSteps)];
      execFileSync(python, [join(import.meta.dirname, 'reference.py'), keep, ...args], {
        stdio: 'inherit',
        env: { ...process.env, HF_HUB_OFFLINE: '1' },
      });
    }
  }
  reportSpeed();
}

/** Prints the stored times of a step, and what they make of a whole run. */
export function reportSpeed(): void {
  const { bertha, transformers } = readResults();
  if (bertha?.stepSeconds === undefined) return console.log('pretrain: no time of a step is stored; run --task pretrain-speed --keep DIR');
  const minutes = (bertha.stepSeconds * bertha.steps) / 60;
  console.log(
    `pretrain, Bertha: ${bertha.stepSeconds.toFixed(3)} s a step on ${bertha.threads} threads, ${minutes.toFixed(1)} minutes for ${bertha.steps} steps (20 are allowed)`,
  );
  if (transformers?.stepSeconds === undefined || transformers.threads !== bertha.threads) return;
  const ratio = transformers.stepSeconds / bertha.stepSeconds;
  console.log(
    `${ratio >= 2 ? 'ok  ' : 'FAIL'} pretrain: half of transformers' time: its step takes ${transformers.stepSeconds.toFixed(3)} s, ${ratio.toFixed(2)} times as long`,
  );
}
