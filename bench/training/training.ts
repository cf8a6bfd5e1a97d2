// Steps of fine-tuning in turns with PyTorch's: npm run bench:training -- [--python PYTHON] [--threads 1,2] [--precision fp32,bf16] [--rounds N] [--full] [--only TEXT] [--recompute]
// PYTHON has torch and transformers; without it there is no rival. Each side is a process of its own, stopped while the other has its turn.
// A step: forward with dropout 0.1, cross entropy of two classes, or of the words at 15 % of the tokens (pretraining), backward, clipping, AdamW. --full adds
// BERT-base with 32 texts: 7 GB for PyTorch. --recompute is Bertha's gradient checkpointing; --only keeps the cases whose name contains the text. Targets of
// pretraining in fp32: 1.5 times transformers on Zen 4, 2.5 times on Zen 5. Shares of the peak count what has to be computed: the vocabulary for masked tokens
// alone, though transformers computes it for all.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadTestAddon } from '../../test/support/test-addon.js';
import { Random } from '../../test/support/random.js';
import { LineProcess } from '../line-process.js';
import { describeMachine } from '../machine.js';
import { bertBase, miniLm } from '../models.js';
import type { BenchModel } from '../engine.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    threads: { type: 'string', default: '1,2' },
    precision: { type: 'string', default: 'fp32' },
    rounds: { type: 'string', default: '5' },
    full: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    recompute: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

interface Case {
  readonly name: string;
  readonly model: BenchModel;
  /** Steps of a turn. */
  readonly batches: readonly (readonly number[][])[];
  /** Of pre-training: the positions to be predicted, by text. */
  readonly masked?: readonly (readonly number[][])[];
}

const random = new Random(7);
const text = (tokens: number): number[] => [
  101,
  ...Array.from({ length: tokens - 2 }, () => 1000 + Math.floor(random.next() * 28000)),
  102,
];
const same = (count: number, tokens: number): number[][] => Array.from({ length: count }, () => text(tokens));
/** Lengths from 23 to 128, lognormal around 48.7. */
const mixed = (count: number): number[][] => Array.from({ length: count }, () => text(mixedLength()));
function mixedLength(): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Math.round(Math.min(128, Math.max(23, Math.exp(3.76 + 0.45 * normal))));
}

/** Three positions in twenty, neither the first nor the last. */
function maskedOf(texts: readonly number[][]): number[][] {
  return texts.map(({ length }) => {
    const count = Math.round(0.15 * length);
    return Array.from({ length: count }, (_, i) => 1 + Math.floor((i * (length - 2)) / count));
  });
}

const small = miniLm(undefined);
const base = bertBase(undefined);
const long = mixed(256);
const byLength = [...long].sort((a, b) => a.length - b.length);
const raw = same(32, 128);
const inBatches = (texts: number[][]): number[][][] => Array.from({ length: 8 }, (_, i) => texts.slice(32 * i, 32 * i + 32));
const cases: readonly Case[] = [
  { name: 'MiniLM 32 x 128', model: small, batches: [same(32, 128)] },
  { name: 'MiniLM mixed', model: small, batches: [mixed(32)] },
  { name: 'MiniLM 256 mixed, grouped by length', model: small, batches: inBatches(byLength) },
  { name: 'MiniLM pretraining 32 x 128', model: small, batches: [raw], masked: [maskedOf(raw)] },
  { name: 'BERT-base 8 x 128', model: base, batches: [same(8, 128)] },
  ...(values.full ? [{ name: 'BERT-base 32 x 128', model: base, batches: [same(32, 128)] }] : []),
];

const kVocabulary = 30522; // of both models

/** Additions and multiplications of a step's products: three times those of the forward's linears, 3.5 times those of its attention. */
function gigaFlops({ model, batches, masked = [] }: Case): number {
  const { layers, hidden, intermediate } = model;
  const linear = 2 * (4 * hidden * hidden + 2 * hidden * intermediate) * layers * 3;
  const word = 2 * (hidden * hidden + hidden * kVocabulary) * 3;
  const encoder = batches.flat().reduce((sum, { length }) => sum + length * (linear + 4 * length * hidden * layers * 3.5), 0);
  return (encoder + masked.flat(2).length * word) / 1e9;
}

const signal = (child: LineProcess, name: 'SIGSTOP' | 'SIGCONT'): boolean => process.kill(child.pid, name);
const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1]!;

async function measure(each: Case, precision: string, threads: number): Promise<void> {
  const host = fileURLToPath(new URL('host.ts', import.meta.url));
  const script = fileURLToPath(new URL('../python/training.py', import.meta.url));
  const sides = [new LineProcess(process.execPath, ['--import', 'tsx', host])];
  if (values.python !== undefined) sides.push(new LineProcess(values.python, [script]));
  const lines: string[] = [];
  const times = sides.map(() => [] as number[]);
  const task = each.masked === undefined ? 'text-classification' : 'fill-mask';
  const step = { do: 'step', batches: each.batches, masked: each.masked };
  try {
    for (const side of sides) {
      await side.ask({ do: 'load', directory: each.model.directory, task, precision, threads, recompute: values.recompute });
      await side.ask(step);
      signal(side, 'SIGSTOP');
    }
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < sides.length; i++) {
        const at = (round + i) % sides.length;
        signal(sides[at]!, 'SIGCONT');
        times[at]!.push((await sides[at]!.ask(step))['seconds'] as number);
        signal(sides[at]!, 'SIGSTOP');
      }
    }
    for (const [i, side] of sides.entries()) {
      signal(side, 'SIGCONT');
      const memory = await side.ask({ do: 'memory' });
      const gibibytes = (name: string): string => ((memory[name] as number) / 2 ** 30).toFixed(2);
      const parts = i === 0 ? ` (weights ${gibibytes('weightBytes')}, activations ${gibibytes('workspaceBytes')})` : '';
      const texts = each.batches.flat().length;
      const tokens = each.batches.flat(2).length;
      const [low, middle] = [Math.min(...times[i]!), median(times[i]!)];
      const share = (100 * gigaFlops(each)) / middle / ((peaks[precision] ?? NaN) * threads);
      const ratio = i === 0 && sides.length > 1 ? `  ${(median(times[1]!) / middle).toFixed(2)}x PyTorch` : '';
      const name = i === 0 ? 'Bertha' : 'PyTorch';
      lines.push(
        `  ${name.padEnd(8)} ${middle.toFixed(3)} s (min ${low.toFixed(3)})  ${(texts / middle).toFixed(1)} texts/s, ${(tokens / middle).toFixed(0)} tokens/s  ${share.toFixed(0)}% of the peak  peak memory ${gibibytes('peakBytes')} GiB${parts}${ratio}`,
      );
    }
  } finally {
    for (const side of sides) side.stop();
  }
  console.log(`${each.name}, ${precision}, ${threads} ${threads === 1 ? 'thread' : 'threads'}\n${lines.join('\n')}`);
}

const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.family}, ${machine.instructionSet}, Node ${machine.node}`);
const peaks = loadTestAddon().ops.peak();
for (const precision of values.precision.split(',')) {
  for (const each of cases.filter(({ name }) => name.includes(values.only)))
    for (const threads of values.threads.split(',')) await measure(each, precision, Number(threads));
}
