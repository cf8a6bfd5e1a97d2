// `npm run fuzz [-- --count N] [--seed S]`: mutated files through every reader of untrusted bytes. Each input must be taken, and then keep
// the reader's promises, or be refused with a BerthaError, in less than two seconds. An input that does neither is printed in base64.
import { parseArgs } from 'node:util';
import { BerthaError } from '../../src/errors.js';
import { Random } from '../support/random.js';
import { mutate } from './mutate.js';
import type { Target } from './target.js';
import { targets } from './targets.js';

const kSlowMs = 2000;

/** What a run found. */
export interface Findings {
  readonly taken: number;
  readonly refused: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/** Runs `count` inputs; the same seed makes the same inputs. */
export async function fuzz(count: number, seed: number): Promise<ReadonlyMap<string, Findings>> {
  const results = new Map<string, Findings>();
  for (const [i, target] of targets.entries()) {
    const random = new Random(seed * 31 + i);
    const refused = new Map<string, number>();
    const failures: string[] = [];
    let taken = 0;
    for (let n = Math.ceil((count * target.share) / 100); n > 0; n--) {
      const bytes = mutate(random.pick(target.seeds), target.seeds, random);
      const began = performance.now();
      let problem: unknown;
      try {
        await target.read(Buffer.from(bytes));
        taken++;
      } catch (error) {
        if (error instanceof BerthaError) refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
        else problem = error;
      }
      if (performance.now() - began > kSlowMs && (await isSlow(target, bytes))) problem = new Error('it took too long');
      if (problem === undefined) continue;
      failures.push(`${target.name}: ${problem instanceof Error ? problem.stack : String(problem)}\n  ${bytes.toString('base64')}`);
    }
    results.set(target.name, { taken, refused, failures });
  }
  return results;
}

/** Whether an input is slow again and again, and not because the machine was busy. */
async function isSlow(target: Target, bytes: Buffer): Promise<boolean> {
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    try {
      await target.read(Buffer.from(bytes));
    } catch {
      // What it throws was counted before.
    }
    if (performance.now() - began <= kSlowMs) return false;
  }
  return true;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { count: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } } });
  const started = performance.now();
  let failed = 0;
  let total = 0;
  for (const [name, { taken, refused, failures }] of await fuzz(Number(values.count), Number(values.seed))) {
    const codes = [...refused].sort((a, b) => b[1] - a[1]).map(([code, times]) => `${code} ${times}`);
    total += taken + failures.length + [...refused.values()].reduce((a, b) => a + b, 0);
    failed += failures.length;
    process.stdout.write(`${name}: ${taken} taken, refused: ${codes.join(', ')}\n`);
    for (const failure of failures.slice(0, 5)) process.stdout.write(`FAILED ${failure}\n`);
  }
  process.stdout.write(`${total} inputs in ${((performance.now() - started) / 1000).toFixed(0)} s, ${failed} failures\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].split('/').at(-1)!)) await main();
