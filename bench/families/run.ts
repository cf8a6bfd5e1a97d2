// Families after BERT beside onnxruntime-node, from token ids on; how a long text's time grows; what a table of 250,002 rows costs.
//   npm run bench:families -- [--python PYTHON] [--seconds 1] [--threads 2] [--only speed,growth,memory] [--models NAME]
// PYTHON is one that has bench/python/requirements.txt: it makes the ONNX graphs of models with random weights, once (bench/.cache, 3 GB).
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { loadEmbedder, loadModel } from '../../src/index.js';
import { Random } from '../../test/support/random.js';
import { mixedLengths } from '../cases.js';
import type { BenchModel, Engine, Work } from '../engine.js';
import { inOwnProcess } from '../engines/own-process.js';
import { measure, type Contestant, type Effort } from '../measure.js';
import { installRivals } from '../rivals.js';
import { makeModel, modernBertBase, xlmRobertaSmall } from './models.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    seconds: { type: 'string', default: '1' },
    threads: { type: 'string' },
    only: { type: 'string', default: 'speed,growth,memory' },
    models: { type: 'string', default: '' },
  },
});
const threads = Number(values.threads ?? Math.min(2, availableParallelism()));
const effort: Effort = { budgetMs: 1000 * Number(values.seconds), minRounds: 1, maxRounds: 200 };
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

const cases: readonly (readonly [name: string, lengths: readonly number[]])[] = [
  ['1x16', [16]],
  ['1x128', [128]],
  ['256 mixed', mixedLengths(256)],
];

function workOf(lengths: readonly number[], vocabSize: number): Work {
  const random = new Random(7);
  const ids = lengths.map((length) =>
    Int32Array.from({ length }, (_, i) => (i === 0 ? 0 : i === length - 1 ? 2 : random.integer(4, vocabSize - 1))),
  );
  // Rivals pad: texts of like lengths together cost them least.
  return { texts: [], ids, batchSize: 32, batching: 'sorted' };
}

async function speed(model: BenchModel, vocabSize: number): Promise<void> {
  for (const precision of ['fp32', 'int8'] as const) {
    const engines: Engine[] = [await inOwnProcess({ kind: 'bertha', precision }), await inOwnProcess({ kind: 'onnxruntime', precision })];
    const runners = [await engines[0]!.load(model, threads), await engines[1]!.load(model, threads)];
    for (const [name, lengths] of cases) {
      const work = workOf(lengths, vocabSize);
      const contestants: Contestant[] = runners.map((runner, i) => ({ name: engines[i]!.name, run: runner.encoder!(work) }));
      const timings = await measure(contestants, effort, threads > 1);
      const [ours, theirs] = engines.map((engine) => timings.get(engine.name)!.median);
      const columns = [ours!.toFixed(2).padStart(10), theirs!.toFixed(2).padStart(10), (theirs! / ours!).toFixed(2).padStart(7)];
      print(`${model.name.padEnd(18)}${precision.padEnd(6)}${name.padEnd(11)}${columns.join('')}x`);
    }
    for (const { pid } of engines) if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }
}

/** Milliseconds for a thousand tokens in texts of several lengths: the same in all of them where layers see a window. */
async function growth(): Promise<void> {
  const lengths = [1024, 2048, 4096, 8192];
  for (const kind of ['sliding', 'full'] as const) {
    const { directory, name } = makeModel(modernBertBase([kind, kind]));
    const model = await loadModel(directory, { threads });
    const times: number[] = [];
    for (const length of lengths) {
      const { ids } = workOf([length], 1000);
      const runs: number[] = [];
      for (let i = 0; i < 2; i++) {
        const start = performance.now();
        await model.forward([{ ids: ids[0]! }]);
        runs.push((performance.now() - start) / (length / 1000));
      }
      times.push(Math.min(...runs));
    }
    model.dispose();
    const columns = lengths.map((length, i) => `${length}: ${times[i]!.toFixed(1)}`).join('  ');
    print(`${name.padEnd(28)} ms a thousand tokens  ${columns}  (${(times.at(-1)! / times[0]!).toFixed(2)}x from first to last)`);
  }
}

/** MB of memory of this process by a line of /proc/self/status. */
function resident(line: 'RssAnon' | 'RssFile'): number {
  const [, kilobytes] = new RegExp(`${line}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))!;
  return Number(kilobytes) / 1000;
}

async function memory(model: BenchModel): Promise<void> {
  const start = { own: resident('RssAnon'), mapped: resident('RssFile') };
  const embedder = await loadEmbedder(model.directory, { threads });
  const random = new Random(9);
  const texts = Array.from({ length: 100 }, () => Array.from({ length: 20 }, () => `w${random.integer(4, 250_001)}`).join(' '));
  await embedder.embed(texts);
  const own = resident('RssAnon') - start.own;
  const mapped = resident('RssFile') - start.mapped;
  print(
    `${model.name}: table 384 MB, layers 85 MB; after 2,000 random words ${own.toFixed(0)} MB of memory more, ${mapped.toFixed(0)} MB of the file mapped`,
  );
  embedder.dispose();
}

const parts = values.only.split(',');
const wanted = (name: string): boolean => name.toLowerCase().includes(values.models.toLowerCase());
if (parts.includes('memory')) await memory(makeModel(xlmRobertaSmall()));
if (parts.includes('growth')) await growth();
if (parts.includes('speed')) {
  if (values.python === undefined) throw new Error('Expected --python PYTHON, which makes the ONNX graphs, but received none.');
  installRivals();
  print(`\nmilliseconds from token ids on, ${threads} threads${' '.repeat(6)}bertha  onnxruntime`);
  for (const random of [xlmRobertaSmall(), modernBertBase()])
    if (wanted(random.name)) await speed(makeModel(random, values.python), random.config.vocab_size);
}
// onnxruntime's threads would keep this process from ending.
process.exit(0);
