// Tokens a second of generated texts, in turns with rivals: npm run bench:generation [-- --python PYTHON] [--threads N] [--precision fp32,int8,bf16] [--seconds S] [--cases NAME] [--rivals NAME,…] [--small]
// The shape of Marian-base (6 + 6 layers, hidden 512, inner 2,048, 58,101 words), random weights, 24 tokens in, 24 out; tokens are counted per text, not per
// beam. PYTHON has bench/python/requirements.txt; what it lacks is left out and named. transformers.js has no beams, and pads texts of mixed length.
// Each side is a process of its own, stopped while another has its turn.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../test/support/random.js';
import { LineProcess } from '../line-process.js';
import { describeMachine } from '../machine.js';
import { measure, type Contestant, type Timing } from '../measure.js';
import { installRivals } from '../rivals.js';
import { randomMarian } from './marian.js';
import { targetOf } from './targets.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    threads: { type: 'string', default: '1' },
    precision: { type: 'string', default: 'fp32,int8,bf16' },
    seconds: { type: 'string', default: '3' },
    cases: { type: 'string', default: '' },
    rivals: { type: 'string', default: 'pytorch,transformers.js,ctranslate2' },
    small: { type: 'boolean', default: false },
  },
});
const tokens = 24;
const random = new Random(1);
const { directory, vocabSize } = randomMarian(values.small);
const sourceOf = (length: number): number[] => [...random.integers(length - 1, 2, vocabSize - 2), 0];
const even = Array.from({ length: 16 }, () => ({ source: sourceOf(tokens), length: tokens }));
const mixed = Array.from({ length: 16 }, (_, i) => ({ source: sourceOf(8 + 4 * i), length: 4 + 3 * i }));
const cases = [
  { name: '1 text, greedy', texts: even.slice(0, 1), numBeams: 1 },
  { name: '1 text, 4 beams', texts: even.slice(0, 1), numBeams: 4 },
  { name: '16 texts, greedy', texts: even, numBeams: 1 },
  { name: '16 texts, 4 beams', texts: even, numBeams: 4 },
  // 8 to 68 tokens in, 4 to 49 out.
  { name: '16 mixed texts, greedy', texts: mixed, numBeams: 1 },
].filter(({ name }) => name.includes(values.cases));

const python = fileURLToPath(new URL('../python/', import.meta.url));
const threads = Number(values.threads);

interface Side {
  readonly engine: string;
  readonly precision: string;
  readonly child: LineProcess;
  readonly version: string;
}

/** The graphs that transformers.js runs; whether there are any. */
function exportGraphs(): boolean {
  const folder = join(directory, 'transformers/onnx');
  if (existsSync(join(folder, 'decoder_model_merged_quantized.onnx'))) return true;
  if (values.python === undefined) return false;
  const args = [join(python, 'export_marian.py'), directory, '--out', folder];
  return spawnSync(values.python, args, { stdio: ['ignore', 2, 2] }).status === 0;
}

async function open(engine: string, precision: string): Promise<Side | undefined> {
  const isPython = engine === 'pytorch' || engine === 'ctranslate2';
  const child = isPython
    ? new LineProcess(values.python!, [join(python, 'generation.py')])
    : new LineProcess(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('host.ts', import.meta.url))]);
  try {
    const { version } = await child.ask({ do: 'load', engine, precision, threads, directory });
    return { engine, precision, child, version: version as string };
  } catch (error) {
    process.stdout.write(`left out: ${engine} ${precision}: ${String(error)}\n`);
    child.stop();
    return undefined;
  }
}

async function openAll(): Promise<Side[]> {
  const sides = [];
  for (const precision of values.precision.split(',')) sides.push(await open('bertha', precision));
  for (const engine of values.rivals.split(',')) {
    const why =
      engine === 'transformers.js'
        ? exportGraphs() || 'no graphs: --python PYTHON with onnx and onnxruntime makes them'
        : values.python !== undefined || 'needs --python PYTHON';
    if (why !== true) process.stdout.write(`left out: ${engine}: ${why}\n`);
    else for (const precision of ['fp32', 'int8']) sides.push(await open(engine, precision));
  }
  return sides.filter((side) => side !== undefined);
}

function contestantOf({ engine, precision, child }: Side, { texts, numBeams }: (typeof cases)[number]): Contestant {
  const work = { do: 'run', sources: texts.map(({ source }) => source), lengths: texts.map(({ length }) => length), numBeams };
  const run = async (): Promise<number> => (await child.ask(work))['ms'] as number;
  return { name: `${engine} ${precision}`, run: Object.assign(run, { pid: child.pid }) };
}

/** Whether an engine has a case, and whether it makes sense. */
const takes = (engine: string, name: string): boolean =>
  name.includes('mixed') ? ['bertha', 'transformers.js'].includes(engine) : engine !== 'transformers.js' || name.includes('greedy');

function report(name: string, written: number, timings: Map<string, Timing>): void {
  process.stdout.write(`\n${name}\n`);
  for (const [side, { min, median, runs }] of timings) {
    const rate = (ms: number): string => ((1000 * written) / ms).toFixed(1).padStart(8);
    const ratios = [...timings].flatMap(([other, timing]) => {
      if (!side.startsWith('bertha') || other.startsWith('bertha')) return [];
      const ratio = timing.median / median;
      const target = targetOf(name, side, other);
      const verdict = target === undefined ? '' : ` (${ratio >= target ? 'target' : 'MISSED'} ${target})`;
      return [`${ratio.toFixed(2)}x ${other}${verdict}, ${(timing.min / min).toFixed(2)} of the best`];
    });
    process.stdout.write(`  ${side.padEnd(22)} ${rate(median)} tokens/s, best ${rate(min)} (${runs} runs)\n`);
    for (const ratio of ratios) process.stdout.write(`      ${ratio}\n`);
  }
}

installRivals();
const { cpu, instructionSet, node } = describeMachine();
process.stdout.write(
  `${cpu}, ${instructionSet}, Node ${node}; ${threads} ${threads === 1 ? 'thread' : 'threads'}; tokens per text, median of calls\n`,
);
const sides = await openAll();
for (const { engine, precision, version } of sides) process.stdout.write(`  ${engine} ${precision}: ${version}\n`);
for (const each of cases) {
  const contestants = sides.filter(({ engine }) => takes(engine, each.name)).map((side) => contestantOf(side, each));
  const timings = await measure(contestants, { budgetMs: Number(values.seconds) * 1000, minRounds: 3, maxRounds: 200 }, false);
  report(
    each.name,
    each.texts.reduce((sum, { length }) => sum + length, 0),
    timings,
  );
}
for (const { child } of sides) child.stop();
