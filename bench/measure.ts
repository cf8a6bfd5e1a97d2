import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TimedRun } from './engine.js';

/** Milliseconds of one engine at one case. */
export interface Timing {
  readonly min: number;
  readonly median: number;
  readonly p99: number;
  readonly runs: number;
}

/** How long to measure. */
export interface Effort {
  /** Milliseconds of computing for each engine at each case. */
  readonly budgetMs: number;
  readonly minRounds: number;
  readonly maxRounds: number;
}

/** A contestant of an interleaved measurement. */
export interface Contestant {
  readonly name: string;
  readonly run: TimedRun;
}

/** Runs of an engine in a row before the next engine has its turn, when runs are short. */
const kTurnMs = 20;
const kMaxTurn = 10;
/** One run of warming up is enough when a run is as long as this. */
const kLongRunMs = 200;

/**
 * Measures all contestants in turns, A B C, B C A, C A B …, so that whatever the machine does meanwhile hits all of them, and none always
 * comes after the same one. A contestant's process runs during its own turn alone: it is stopped in the others', because some engines'
 * threads spin after a run and would take a processor from whoever comes next. With `settle`, a turn begins only when the threads of this
 * process and those watched have gone to sleep, for contestants that share one.
 */
export async function measure(contestants: readonly Contestant[], effort: Effort, settle: boolean): Promise<Map<string, Timing>> {
  const times = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  const turns = new Map<string, number>();
  const pids = new Set(contestants.flatMap(({ run }) => run.pid ?? []));
  const takeTurn = async (run: TimedRun, count: number): Promise<readonly number[]> => {
    signal(run.pid, 'SIGCONT');
    try {
      return await repeat(run, count);
    } finally {
      signal(run.pid, 'SIGSTOP');
    }
  };
  const spent = (name: string) => times.get(name)!.reduce((sum, each) => sum + each, 0);
  const isDone = (name: string) => {
    const { length } = times.get(name)!;
    return length >= effort.maxRounds || (length >= effort.minRounds && spent(name) >= effort.budgetMs);
  };
  for (const pid of pids) signal(pid, 'SIGSTOP');
  try {
    for (const { name, run } of contestants) {
      let [once] = await takeTurn(run, 1);
      if (once! < kLongRunMs) [once] = await takeTurn(run, 1);
      turns.set(name, Math.max(1, Math.min(kMaxTurn, Math.floor(kTurnMs / once!))));
    }
    for (let round = 0; contestants.some(({ name }) => !isDone(name)); round++) {
      for (let i = 0; i < contestants.length; i++) {
        const { name, run } = contestants[(round + i) % contestants.length]!;
        if (isDone(name)) continue;
        if (settle) await untilQuiet();
        const turn = turns.get(name)!;
        // The first run of a turn finds caches full of the others' weights and threads asleep: all engines pay for it alike.
        const warm = turn > 1 ? 1 : 0;
        times.get(name)!.push(...(await takeTurn(run, warm + turn)).slice(warm));
      }
    }
  } finally {
    for (const pid of pids) signal(pid, 'SIGCONT');
  }
  return new Map([...times].map(([name, each]) => [name, summarize(each)]));
}

async function repeat(run: TimedRun, count: number): Promise<readonly number[]> {
  if (run.repeat !== undefined) return run.repeat(count);
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push(await run());
  return times;
}

function signal(pid: number | undefined, name: 'SIGSTOP' | 'SIGCONT'): void {
  if (pid !== undefined && process.platform !== 'win32') process.kill(pid, name);
}

function summarize(times: readonly number[]): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  return { min: sorted[0]!, median: quantile(0.5), p99: quantile(0.99), runs: sorted.length };
}

/** Processes of rivals, whose threads have to settle too. */
const watched: number[] = [];

/** Lets `measure` wait for the threads of a rival's process as it waits for those of this one. */
export function watchProcess(pid: number): void {
  watched.push(pid);
}

/** Waits until this process and those watched use less than a fifth of one core, at most half a second. */
async function untilQuiet(): Promise<void> {
  const end = performance.now() + 500;
  while (performance.now() < end) {
    const [start, used] = [performance.now(), usedMs()];
    await sleep(3);
    if (usedMs() - used < 0.2 * (performance.now() - start)) return;
  }
}

/** Processor time of this process and those watched. */
function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + watched.reduce((sum, pid) => sum + usedMsOf(pid), 0);
}

/** From Linux's scheduler, in nanoseconds: the coarser counters of /proc would miss a spinning thread. 0 where there is none. */
function usedMsOf(pid: number): number {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0);
  } catch {
    return 0; // a thread or the process has just ended
  }
}
