import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon } from '../src/runtime/addon.js';

/** What a result depends on besides the code. */
export interface Machine {
  readonly cpu: string;
  /** Of processors whose name does not tell them apart. */
  readonly family: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly instructionSet: string;
  readonly compiler: string;
  /** The compiler's, of all files; each file of kernels adds its instruction set. */
  readonly flags: string;
  readonly builder: string;
}

export function describeMachine(): Machine {
  const addon = loadAddon();
  const info = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(info)?.[1] ?? '';
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    family: `family ${field('cpu family')} model ${field('model')}`,
    processors: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    instructionSet: addon.isa().chosen,
    compiler: addon.compiler,
    flags: compilerFlags(),
    builder: addon.builder,
  };
}

function compilerFlags(): string {
  const sources = readFileSync(new URL('../native/sources.gypi', import.meta.url), 'utf8');
  const { variables } = JSON.parse(sources) as { variables: { bertha_cflags: readonly string[] } };
  return variables.bertha_cflags.filter((flag) => !flag.startsWith('-W')).join(' ');
}

/** The folder name for results of a machine. */
export function machineSlug({ cpu, family, instructionSet }: Machine): string {
  const words = `${cpu} ${family} ${instructionSet}`.toLowerCase().replace(/\(.*?\)|processor|cpu/g, ' ');
  return words.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}

/** Shares of all processors' time in an interval. */
export interface Load {
  readonly idle: number;
  /** Taken by other guests of the same host. */
  readonly steal: number;
}

/** The load of the machine over some time, from /proc/stat; undefined where there is none. */
export async function machineLoad(ms: number): Promise<Load | undefined> {
  const before = processorTimes();
  await sleep(ms);
  return loadSince(before);
}

const kQuietMs = 200;

/** Waits until so much of the machine is idle, at most `limitMs`; returns the share of the last look, or undefined where nothing tells. */
export async function untilIdle(share: number, limitMs: number): Promise<number | undefined> {
  const end = performance.now() + limitMs;
  for (;;) {
    const load = await machineLoad(kQuietMs);
    if (load === undefined || load.idle >= share || performance.now() >= end) return load?.idle;
  }
}

/** Counters of /proc/stat now, for `loadSince`. */
export function processorTimes(): readonly number[] | undefined {
  if (!existsSync('/proc/stat')) return undefined;
  return readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
}

/** The load since `before`. */
export function loadSince(before: readonly number[] | undefined): Load | undefined {
  const after = processorTimes();
  if (before === undefined || after === undefined) return undefined;
  const spent = after.map((value, i) => value - before[i]!);
  const total = Math.max(
    1,
    spent.reduce((sum, value) => sum + value, 0),
  );
  return { idle: (spent[3]! + spent[4]!) / total, steal: spent[7]! / total };
}

/** A process that keeps one core busy until it is told to stop. */
export function startNeighbour(): { stop(): void } {
  const child: ChildProcess = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  process.once('exit', () => child.kill('SIGKILL'));
  return { stop: () => child.kill('SIGKILL') };
}
