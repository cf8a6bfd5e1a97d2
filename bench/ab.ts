// Another built checkout in turns with this one, on the same texts and threads, a process each; the base twice, which shows the noise.
//   npm run bench:ab -- --base DIR [--precision fp32,bf16,int8] [--threads 1,2] [--only NAME] [--seconds 1]
// Ends with exit code 1 when a case is slower by more than 3 % beyond the noise.
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadTokenizer } from '../src/index.js';
import { defaultModelDirectory } from '../src/runtime/default-model.js';
import { embeddingCases, tokenizerCase, type AbCase } from './ab/cases.js';
import { judge, sides, tolerance, type Side } from './ab/verdict.js';
import { textsOf } from './cases.js';
import { describeMachine, machineLoad } from './machine.js';
import { measure, watchProcess, type Contestant, type Timing } from './measure.js';

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    precision: { type: 'string', default: 'fp32,bf16,int8' },
    threads: { type: 'string' },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '1' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const base = values.base === undefined ? undefined : resolve(values.base);
if (base === undefined || !existsSync(join(base, 'dist', 'index.js'))) {
  throw new Error(`Expected --base DIR, another checkout in which npm ci was run, but received ${base ?? 'none'}.`);
}
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const threadCounts = (values.threads ?? (availableParallelism() > 1 ? '1,2' : '1')).split(',').map(Number);
const effort = { budgetMs: Number(values.seconds) * 1000, minRounds: 5, maxRounds: 4000 };
const directory = defaultModelDirectory();

/** A process that computes with the library of one checkout. */
class Contender {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    watchProcess(child.pid!);
    process.once('exit', () => child.kill('SIGKILL'));
  }

  static async start(checkout: string): Promise<Contender> {
    const script = fileURLToPath(new URL('ab/contestant.mjs', import.meta.url));
    const child = fork(script, [checkout], { execArgv: ['--expose-gc'] });
    await nextMessage(child);
    return new Contender(child);
  }

  async ask(message: object): Promise<Readonly<Record<string, number>>> {
    this.#child.send(message);
    const answer = await nextMessage(this.#child);
    if (typeof answer['error'] === 'string') throw new Error(answer['error']);
    return answer as Record<string, number>;
  }

  stop(): void {
    this.#child.kill();
  }
}

function nextMessage(child: ChildProcess): Promise<Record<string, unknown>> {
  return new Promise((done, fail) => {
    const onExit = (code: number | null): void => fail(new Error(`Expected an answer of the process but it ended with ${code}.`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      done(message as Record<string, unknown>);
    });
  });
}

const tokenizer = await loadTokenizer(directory);
const vocab = readFileSync(join(directory, 'vocab.txt'), 'utf8').split('\n');

function contestant(name: Side, contender: Contender, each: AbCase, options: object): Contestant {
  const { texts } = textsOf(each.lengths, vocab, tokenizer);
  const message =
    each.method === 'first' ? { first: { directory, options } } : { run: { method: each.method, texts, options: { maxLength: 512 } } };
  return { name, run: async () => (await contender.ask(message))['ms']! };
}

const slower: string[] = [];

function report(name: string, timings: ReadonlyMap<string, Timing>): void {
  const byName = Object.fromEntries(timings) as Record<Side, Timing>;
  const { ratio, noise, isSlower } = judge(byName);
  const cell = ({ median, min }: Timing): string => `${median.toFixed(3).padStart(9)} (${min.toFixed(3)})`.padEnd(21);
  const mark = isSlower ? '  SLOWER' : '';
  print(`${name.padEnd(40)}${cell(byName.base)}${cell(byName.this)}${ratio.toFixed(3).padStart(6)}  ±${noise.toFixed(3)}${mark}`);
  if (isSlower) slower.push(name);
}

const { cpu, family, instructionSet, node } = describeMachine();
const load = await machineLoad(1000);
print(`${cpu} (${family}), ${instructionSet}, Node ${node}, ${Math.round(100 * (load?.idle ?? 1))}% idle before the run`);
print(`${''.padEnd(40)}base, ms (min)       this, ms (min)        ratio   noise`);
const checkouts: Readonly<Record<Side, string>> = { base, 'base again': base, this: root };
for (const precision of values.precision.split(',')) {
  for (const threads of threadCounts) {
    const contenders = new Map<Side, Contender>();
    for (const side of sides) contenders.set(side, await Contender.start(checkouts[side]));
    const options = { precision, threads };
    let reason: string | undefined;
    for (const contender of contenders.values())
      await contender.ask({ load: { directory, options } }).catch((e: Error) => (reason = e.message));
    if (reason === undefined) {
      const isFirst = precision === values.precision.split(',')[0] && threads === threadCounts[0];
      for (const each of [...embeddingCases, ...(isFirst ? [tokenizerCase] : [])]) {
        const name = `${precision}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${each.name}`;
        if (!name.includes(values.only)) continue;
        const contestants = [...contenders].map(([side, contender]) => contestant(side, contender, each, options));
        report(name, await measure(contestants, effort, threads > 1));
      }
      const memory: string[] = [];
      for (const [side, contender] of contenders)
        memory.push(`${side} ${(await contender.ask({ memory: true }))['residentMb']!.toFixed(0)}`);
      print(`${precision}, ${threads} threads, resident MB: ${memory.join(', ')}`);
    } else {
      print(`${precision}: not measured: ${reason}`);
    }
    for (const contender of contenders.values()) contender.stop();
  }
}
print(slower.length === 0 ? `no case is slower by more than ${100 * tolerance} % beyond the noise` : `slower: ${slower.join('; ')}`);
process.exit(slower.length > 0 ? 1 : 0);
