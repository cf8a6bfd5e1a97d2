import { readdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { colors } from '../terminal/colors.js';
import { BerthaError } from '../../errors.js';
import { inspectModel, loadEmbedder, stats, systemInfo, type CudaDevice, type Embedder, type SystemInfo } from '../../index.js';
import { errorMessage } from '../../realms.js';
import { defaultModelDirectory } from '../../runtime/default-model.js';
import { defaultWeightCache, weightCacheDirectory } from '../../runtime/options/weight-cache.js';
import { openOutput } from '../output.js';
import { selfTestText, selfTestTolerances, selfTestVector } from '../self-test.js';
import { version } from '../../version.js';

/** The flags of `bertha doctor`, as commander hands them over. */
export interface DoctorFlags {
  readonly json?: boolean;
}

/** One thing that was looked at. `details` is for programs, `text` for people. */
interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
  readonly details?: object;
}

/** Checks the installation and prints the findings; the exit code is 1 when something that is needed does not work. */
export async function doctor(flags: DoctorFlags): Promise<number> {
  const findings = [
    { name: 'bertha', ok: true, text: version, details: { version } },
    machine(),
    ...(await attempt('addon', () => addonFindings())),
    ...(await attempt('weight cache', weightCache)),
    ...(await attempt('self-test', modelFindings)),
  ];
  const ok = findings.every((finding) => finding.ok);
  const output = await openOutput(undefined, { patchable: false });
  await output.write(flags.json === true ? toJson(findings, ok) : describe(findings, ok));
  return ok ? 0 : 1;
}

function machine(): Finding {
  const model = os.cpus()[0]?.model.trim() ?? 'unknown CPU';
  const details = { node: process.version, platform: process.platform, arch: process.arch, cpu: model };
  return { name: 'machine', ok: true, text: `${model}, ${process.platform}-${process.arch}, Node ${process.version}`, details };
}

function addonFindings(): Finding[] {
  const { addon, isa, threads, cuda, device } = systemInfo();
  const why = isa.forced ? 'forced by BERTHA_ISA' : 'the best this CPU and this build have';
  return [
    { name: 'addon', ok: true, text: `${addon.version}, built by ${addon.builder}, compiler ${addon.compiler}`, details: addon },
    { name: 'instructions', ok: true, text: `${isa.chosen}: ${why} (available: ${isa.available.join(', ')})`, details: isa },
    { name: 'threads', ok: true, text: `${threads.pool}: ${threads.reason}`, details: threads },
    ...cudaFindings(cuda),
    { name: 'device', ok: true, text: `auto takes ${device.chosen}: ${device.reason}`, details: device },
  ];
}

/** A line for each device; the first one's, which is there without any, holds all details. */
function cudaFindings(cuda: SystemInfo['cuda']): Finding[] {
  const line = ({ description, problem }: CudaDevice): string => (problem === '' ? description : `cannot be used: ${problem}`);
  const [first, ...others] = cuda.devices;
  const text = first === undefined ? `not available: ${cuda.problem}` : line(first);
  return [
    { name: 'cuda', ok: true, text, details: cuda },
    ...others.map((device) => ({ name: device.name, ok: true, text: line(device), details: device })),
  ];
}

/** Whether loading keeps packed weights in files, and what lies there. */
async function weightCache(): Promise<Finding[]> {
  const used = weightCacheDirectory();
  const directory = used ?? defaultWeightCache();
  const names = await readdir(directory).catch(() => []);
  const files = await Promise.all(names.filter((name) => name.endsWith('.weights')).map((name) => stat(path.join(directory, name))));
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const state = used === undefined ? 'off (BERTHA_WEIGHT_CACHE=1 or the option weightCache)' : 'on';
  const text = `${state}; ${directory} holds ${files.length} files, ${(bytes / 2 ** 20).toFixed(0)} MB`;
  return [{ name: 'weight cache', ok: true, text, details: { used: used !== undefined, directory, files: files.length, bytes } }];
}

/** What the bundled model shows: its numbers, its memory, and the event loop while it computes. */
async function modelFindings(): Promise<Finding[]> {
  try {
    defaultModelDirectory();
  } catch (error) {
    // The weights are an optional package; a folder that was named and is not there is a fault.
    if (!(error instanceof BerthaError) || error.code !== 'MODEL_NOT_FOUND' || process.env['BERTHA_MODEL_DIR']) throw error;
    return [{ name: 'self-test', ok: true, text: `not run: ${error.message}`, details: { installed: false } }];
  }
  const started = performance.now();
  const embedder = await loadEmbedder();
  try {
    return [await selfTest(embedder, performance.now() - started), await service(embedder), queue(), memory(embedder)];
  } finally {
    embedder.dispose();
  }
}

async function selfTest(embedder: Embedder, loadMs: number): Promise<Finding> {
  const { vector } = await embedder.embed(selfTestText);
  const expected = selfTestVector();
  // Math.max passes NaN on, and NaN is not within the tolerance.
  const difference = vector.length === expected.length ? Math.max(...expected.map((value, i) => Math.abs(value - vector[i]!))) : Number.NaN;
  const { parametersByDtype } = await inspectModel(embedder.directory);
  const dtype = (['I8', 'F16'] as const).find((each) => parametersByDtype?.has(each)) ?? 'F32';
  const tolerance = selfTestTolerances[dtype];
  const ok = difference <= tolerance;
  const text = `${embedder.directory} loads in ${loadMs.toFixed(0)} ms; largest difference to the stored vector ${difference.toExponential(1)}`;
  return { name: 'self-test', ok, text, details: { model: embedder.directory, difference, tolerance, loadMs } };
}

/** Two seconds of a service's life: the event loop's delay idle, and while texts are embedded without pause. */
async function service(embedder: Embedder): Promise<Finding> {
  const idle = await loopDelay(() => sleep(500));
  const before = stats();
  const until = performance.now() + 1500;
  const texts = new Array<string>(64).fill(selfTestText);
  const busy = await loopDelay(async () => {
    while (performance.now() < until) await embedder.embed(texts);
  });
  const after = stats();
  const tokensPerSecond = (after.batches.tokens - before.batches.tokens) / 1.5;
  const lateHelpers = after.lateHelpers - before.lateHelpers;
  const others = lateHelpers > 0 ? '; other programs use these processors' : '';
  const text = `event-loop delay p99 ${busy.toFixed(1)} ms while embedding ${tokensPerSecond.toFixed(0)} tokens/s, ${idle.toFixed(1)} ms idle${others}`;
  return { name: 'service', ok: true, text, details: { loopDelayMs: busy, idleLoopDelayMs: idle, tokensPerSecond, lateHelpers } };
}

/** The 99th percentile, in milliseconds. */
async function loopDelay(work: () => Promise<unknown>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return histogram.percentile(99) / 1e6;
}

function queue(): Finding {
  const { limit } = stats().queue;
  const text = `interactive before bulk; ${limit.toLocaleString('en')} tokens may wait`;
  return { name: 'lanes', ok: true, text, details: { lanes: ['interactive', 'bulk'], limit } };
}

function memory(embedder: Embedder): Finding {
  const { weights, workspaces } = embedder.memoryUsage();
  const { rss } = process.memoryUsage();
  const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MB`;
  const text = `weights ${mb(weights)}, workspaces ${mb(workspaces)}, this process ${mb(rss)}`;
  return { name: 'memory', ok: true, text, details: { weights, workspaces, rss } };
}

/** The findings of a part, or the one finding that it failed. */
async function attempt(name: string, part: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await part();
  } catch (error) {
    const code = error instanceof BerthaError ? error.code : 'INTERNAL';
    const message = errorMessage(error);
    return [{ name, ok: false, text: `${code}: ${message}`, details: { code, message } }];
  }
}

function toJson(findings: readonly Finding[], ok: boolean): string {
  const parts = findings.map(({ name, ok, details }) => [name, { ok, ...details }]);
  return `${JSON.stringify({ ok, ...Object.fromEntries(parts) }, undefined, 2)}\n`;
}

function describe(findings: readonly Finding[], ok: boolean): string {
  const lines = findings.map(
    ({ name, ok, text }) => `${ok ? colors.green('ok') : colors.red('no')}  ${colors.bold(name.padEnd(12))} ${text}\n`,
  );
  return `${lines.join('')}${ok ? 'All is well.' : colors.red('Something needed does not work.')}\n`;
}
