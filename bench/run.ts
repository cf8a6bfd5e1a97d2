// Bertha and its rivals on the same texts and threads, in turns, each engine in a process of its own.
//   npm run bench -- [--quick] [--only NAME] [--threads 1,2] [--precision fp32,bf16,int8] [--kind text,encoder] [--seconds N]
//                    [--python PYTHON] [--output FILE] [--no-save]
// --seconds: how long each engine is timed in each row, 1 as a rule.
// PYTHON is one that has bench/python/requirements.txt: it adds sentence-transformers, OpenVINO and CTranslate2, and makes ONNX graphs.
// Results go to bench/results/<cpu>/; `npm run bench:report` makes docs/performance.md from them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadTokenizer, similarity } from '../src/index.js';
import { loadTestAddon } from '../test/support/test-addon.js';
import { cases, gigaFlops, textsOf, type BenchCase } from './cases.js';
import type { BenchModel, Engine, Runner, Work } from './engine.js';
import { inOwnProcess } from './engines/own-process.js';
import { pythonEngines } from './engines/python.js';
import type { EngineSpec } from './engines/specs.js';
import { measureLoads } from './loads.js';
import { describeMachine, loadSince, machineLoad, machineSlug, processorTimes, startNeighbour, untilIdle } from './machine.js';
import { measure, type Contestant, type Effort } from './measure.js';
import { bertBase, miniLm } from './models.js';
import { reference, type Kind, type LoadRow, type Results, type Row } from './results.js';
import { installRivals } from './rivals.js';
import { allVerdicts, formatRow } from './table.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    threads: { type: 'string' },
    precision: { type: 'string', default: 'fp32,bf16,fp16-weights,int8,int8-fast' },
    kind: { type: 'string' },
    seconds: { type: 'string' },
    python: { type: 'string' },
    output: { type: 'string' },
    'no-save': { type: 'boolean', default: false },
  },
});
const quick = values.quick;
/** Share of the machine that must be idle before a run whose timings mean something. */
const kQuiet = 0.9;
/** How long a row waits for that. */
const kIdleLimitMs = quick ? 2000 : 20_000;
const seconds = Number(values.seconds ?? (quick ? 0.25 : 1));
if (!(seconds > 0)) throw new Error(`Expected a number of seconds above 0 for --seconds but received ${values.seconds}.`);
const effort: Effort = { budgetMs: 1000 * seconds, minRounds: quick || seconds < 1 ? 2 : 4, maxRounds: quick ? 200 : 1000 };
/** From token ids: a look at what the tokenizer costs. */
const encoderEffort: Effort = { ...effort, budgetMs: effort.budgetMs / 2, minRounds: Math.min(3, effort.minRounds) };
const threadCounts = (values.threads ?? (availableParallelism() > 1 ? '1,2' : '1')).split(',').map(Number);
const kinds = (values.kind ?? (quick ? 'text' : 'text,encoder')).split(',') as Kind[];
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

installRivals();
const machine = describeMachine();
const before = await machineLoad(1000);
const timesAtStart = processorTimes();
const peak = loadTestAddon().ops.peak();
const leftOut: string[] = [];
const isWanted = (each: BenchCase): boolean =>
  (!quick || each.isQuick) && (values.only === undefined || `${each.model} ${each.name}`.includes(values.only));
const precisions = values.precision.split(',').filter((each) => each !== 'fp32');
const specs: EngineSpec[] = [
  { kind: 'bertha', precision: 'fp32' },
  { kind: 'bertha', precision: 'fp32', sync: true },
  ...precisions.map((precision) => ({ kind: 'bertha', precision }) as const),
  { kind: 'onnxruntime', precision: 'fp32' },
  { kind: 'onnxruntime', precision: 'fp32', spins: false },
  { kind: 'onnxruntime', precision: 'int8' },
  { kind: 'onnxruntime', precision: 'int8', spins: false },
  ...(quick ? [] : [{ kind: 'transformers.js' } as const]),
];
const engines: Engine[] = [
  ...(await Promise.all(specs.map((spec) => inOwnProcess(spec)))),
  ...(values.python === undefined || quick ? [] : await pythonEngines(values.python, leftOut)),
];

const rows: Row[] = [];
const loads: LoadRow[] = [];
const results = (): Results => ({
  date: new Date().toISOString().slice(0, 10),
  quick,
  machine,
  peak,
  load: { before, during: loadSince(timesAtStart) },
  engines: engines.map(({ name, version, precision, isRival }) => ({ name, version, precision, isRival })),
  leftOut,
  loads,
  rows,
});

print(
  `${machine.cpu} (${machine.family}), ${machine.processors} processors, ${machine.instructionSet}, ${machine.compiler}, Node ${machine.node}`,
);
if (before !== undefined) {
  const hint = before.idle < kQuiet ? ': something else is running, these timings say little' : '';
  print(`${Math.round(100 * before.idle)}% idle before the run, ${Math.round(100 * before.steal)}% taken by other guests${hint}`);
}

for (const model of [miniLm(values.python), bertBase]) {
  const name = typeof model === 'function' ? 'BERT-base' : model.name;
  const wanted = cases.filter((each) => each.model === name && isWanted(each));
  if (wanted.length === 0) continue;
  const loaded = typeof model === 'function' ? model(values.python) : model;
  for (const threads of threadCounts) await runModel(loaded, wanted, threads);
}

const all = results();
const aims = allVerdicts(all);
if (leftOut.length > 0) print(`\nnot measured:\n${leftOut.map((each) => `  ${each}`).join('\n')}`);
for (const { row, engine, threads, against, ratio, target } of aims.filter(({ met }) => !met)) {
  print(`missed: ${row}, ${engine}, ${threads} threads: ${ratio.toFixed(2)}x ${against}, target ${Number(target.toFixed(2))}x`);
}
if (aims.length > 0) print(`${aims.filter(({ met }) => met).length} of ${aims.length} targets met`);
const isWhole = values.only === undefined && values.threads === undefined && values.kind === undefined;
if (values.output !== undefined || (isWhole && !values['no-save'])) {
  const folder = fileURLToPath(new URL(`results/${machineSlug(machine)}/`, import.meta.url));
  const file = values.output ?? join(folder, quick ? 'quick.json' : 'results.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(all, undefined, 1)}\n`);
  print(`results are in ${file}`);
}
if (values.only === undefined && !quick) {
  print('\nShares of the peak of one core, of single operations:');
  for (const { pid } of engines) if (pid !== undefined) process.kill(pid, 'SIGKILL');
  const kernels = fileURLToPath(new URL('kernels.mjs', import.meta.url));
  spawnSync(process.execPath, [kernels, '--tokens', '8,128,512'], { stdio: 'inherit' });
}
// onnxruntime's threads and rivals' processes would keep this one from ending.
process.exit(0);

async function runModel(model: BenchModel, wanted: readonly BenchCase[], threads: number): Promise<void> {
  const runners = new Map<Engine, Runner>();
  for (const engine of engines) {
    try {
      runners.set(engine, await engine.load(model, threads));
    } catch (error) {
      const reason = `${engine.name}, ${model.name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
      if (!leftOut.includes(reason)) leftOut.push(reason);
    }
  }
  const tokenizer = await loadTokenizer(model.directory);
  const vocab = readFileSync(join(model.directory, 'vocab.txt'), 'utf8').split('\n');
  await checkAgreement(runners, textsOf([9, 17, 5, 30], vocab, tokenizer).texts);
  for (const each of wanted) {
    const { texts, ids } = textsOf(each.lengths, vocab, tokenizer);
    const hasNeighbour = each.isContended && threads === Math.max(...threadCounts) && !(quick && texts.length > 1);
    for (const contended of hasNeighbour ? [false, true] : [false]) {
      const neighbour = contended ? startNeighbour() : undefined;
      for (const kind of contended ? (['text'] as const) : kinds) {
        const contestants = [...runners].flatMap(([engine, runner]) => contestantsOf(engine, runner, each, { texts, ids }, kind, threads));
        const idle = contended ? undefined : await untilIdle(kQuiet, kIdleLimitMs);
        const timings = Object.fromEntries(await measure(contestants, kind === 'text' ? effort : encoderEffort, threads > 1));
        const tokens = each.lengths.reduce((sum, length) => sum + length, 0);
        const work = { texts: texts.length, tokens, gigaFlops: gigaFlops(each.lengths, model) };
        const row: Row = {
          model: model.name,
          case: each.name,
          kind,
          threads,
          contended,
          ...work,
          ...(idle === undefined ? {} : { idle }),
          timings,
        };
        rows.push(row);
        print(`\n${formatRow(row, results())}`);
        if (idle !== undefined && idle < kQuiet) print(`  only ${Math.round(100 * idle)}% of the machine was idle before this row`);
      }
      neighbour?.stop();
    }
  }
  for (const runner of runners.values()) await runner.dispose();
  if (model.name === 'MiniLM' && values.only === undefined) {
    const row = await measureLoads(engines, model, threads, quick ? 3 : 9);
    loads.push(row);
    print(`\nload and first vector, ${threads} ${threads === 1 ? 'thread' : 'threads'}`);
    for (const [name, { median, min }] of Object.entries(row.timings)) {
      const share =
        row.timings[reference] === undefined ? '' : `  ${(median / row.timings[reference].median).toFixed(2)} of ${reference}'s time`;
      print(`  ${name.padEnd(30)}${median.toFixed(1).padStart(8)} ms  (${min.toFixed(1)})${share}`);
    }
  }
}

function contestantsOf(
  engine: Engine,
  runner: Runner,
  each: BenchCase,
  texts: Pick<Work, 'texts' | 'ids'>,
  kind: Kind,
  threads: number,
): Contestant[] {
  // One thread has nobody to spin for.
  if (engine.name.endsWith('no spinning') && threads === 1) return [];
  // Computing on the caller's thread is for the shortest way of single texts.
  if (engine.name.endsWith(' sync') && each.lengths.length > 1) return [];
  return (engine.packs ? each.batchings.slice(0, 1) : each.batchings).flatMap((batching) => {
    const work: Work = { ...texts, batchSize: each.batchSize, batching };
    const run = kind === 'text' ? runner.text(work) : runner.encoder?.(work);
    const name = engine.packs || each.batchings.length === 1 ? engine.name : `${engine.name} (${batching})`;
    return run === undefined ? [] : [{ name, run }];
  });
}

/** A bench of engines that compute different things would mean nothing: vectors in fp32 must agree, others resemble them. */
async function checkAgreement(runners: ReadonlyMap<Engine, Runner>, texts: readonly string[]): Promise<void> {
  const [first, ...others] = [...runners];
  const expected = await first![1].vectors(texts);
  for (const [engine, runner] of others) {
    const actual = await runner.vectors(texts);
    const worst = Math.min(...actual.map((vector, i) => similarity(vector, expected[i]!)));
    const limit = engine.precision === 'fp32' ? 0.99999 : 0.9;
    if (!(worst >= limit)) throw new Error(`Expected ${engine.name} to agree with ${first![0].name} but received a cosine of ${worst}.`);
  }
}
