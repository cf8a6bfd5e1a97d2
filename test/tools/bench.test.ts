// The harness of `npm run bench`, without rivals: they are installed only where someone measures.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { judge } from '../../bench/ab/verdict.js';
import { cases, gigaFlops, textsOf } from '../../bench/cases.js';
import { batchesOf, type Engine } from '../../bench/engine.js';
import { inOwnProcess } from '../../bench/engines/own-process.js';
import { measure } from '../../bench/measure.js';
import { writeRandomBert } from '../../bench/random-bert.js';
import { ratios, type Results, type Row } from '../../bench/results.js';
import { formatRow, loadVerdicts, verdicts } from '../../bench/table.js';
import { targetsOf } from '../../bench/targets.js';
import { loadEmbedder, loadModel, loadTokenizer } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import { temporaryFolder } from '../support/checkpoint-files.js';
import { instructionSet, ops } from '../support/devices.js';
import { skip } from '../support/skip.js';

const t = suite('bench');

t('makes texts of exactly the tokens that each case names', async () => {
  const tokenizer = await loadTokenizer();
  const vocab = readFileSync(path.join(defaultModelDirectory(), 'vocab.txt'), 'utf8').split('\n');
  for (const { lengths } of cases) {
    const { ids } = textsOf(lengths, vocab, tokenizer);
    assert.equal(
      ids.map((each) => each.length),
      [...lengths],
    );
  }
  const mixed = cases.find(({ name }) => name.includes('mixed'))!.lengths;
  const mean = mixed.reduce((sum, length) => sum + length, 0) / mixed.length;
  assert.is(mixed.length, 256);
  assert.ok(mean > 22 && mean < 30 && Math.max(...mixed) <= 128, `mean ${mean}`);
});

t('puts texts into batches in arrival order, by length, or one by one', () => {
  const ids = [3, 9, 1, 7, 5].map((length) => new Int32Array(length));
  const batches = (batching: 'arrival' | 'sorted' | 'one') => batchesOf({ ids, batchSize: 2, batching });
  assert.equal(batches('arrival'), [[0, 1], [2, 3], [4]]);
  assert.equal(batches('sorted'), [[1, 3], [4, 0], [2]]);
  assert.equal(batches('one'), [[0], [1], [2], [3], [4]]);
});

t('measures in turns, each round beginning with the next one, drops what warms up, and stops at the budget', async () => {
  const order: string[] = [];
  const contestant = (name: string, times: number[]) => ({
    name,
    run: async () => {
      order.push(name);
      return times.shift() ?? 30;
    },
  });
  const effort = { budgetMs: 100, minRounds: 3, maxRounds: 5 };
  const timings = await measure([contestant('a', [1000, 40, 10, 40, 60]), contestant('b', [900, 90, 90, 90])], effort, false);
  // The first runs took long, so there is one of them; then a turn is one run.
  assert.equal(order.slice(0, 6), ['a', 'b', 'a', 'b', 'b', 'a']);
  assert.equal(timings.get('a'), { min: 10, median: 40, p99: 60, runs: 4 });
  assert.equal(timings.get('b'), { min: 90, median: 90, p99: 90, runs: 3 });
});

t('stops the processes of all engines but the one whose turn it is, and lets them go on in the end', async () => {
  if (process.platform !== 'linux') return skip('the states of processes in /proc');
  const spinning = [0, 1].map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  const isStopped = ({ pid }: { pid?: number | undefined }): boolean => /\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // A signal arrives a moment later.
  const settles = async (wanted: readonly boolean[]): Promise<boolean> => {
    for (let i = 0; i < 500; i++) {
      if (spinning.every((child, k) => isStopped(child) === wanted[k])) return true;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return false;
  };
  try {
    const contestants = spinning.map(({ pid }, own) => ({
      name: `engine ${own}`,
      run: Object.assign(async () => ((await settles(spinning.map((_, k) => k !== own))) ? 300 : NaN), { pid: pid! }),
    }));
    const timings = await measure(contestants, { budgetMs: 0, minRounds: 2, maxRounds: 2 }, false);
    assert.equal(
      [...timings.values()].map(({ median }) => median),
      [300, 300],
    );
    assert.ok(await settles([false, false]));
  } finally {
    for (const child of spinning) child.kill('SIGKILL');
  }
});

t('an engine in a process of its own gives the vectors, and the times, of that process', async () => {
  const engine = await inOwnProcess({ kind: 'bertha', precision: 'fp32' });
  try {
    assert.equal([engine.name, engine.isRival, engine.packs], ['bertha fp32', false, true]);
    const model = { name: 'MiniLM', directory: defaultModelDirectory(), onnx: {}, layers: 6, hidden: 384, intermediate: 1536 };
    const runner = await engine.load(model, 1);
    const embedder = await loadEmbedder(model.directory);
    const [vector] = await embedder.embed(['a cat'], { normalize: true });
    assert.equal((await runner.vectors(['a cat']))[0], vector!.vector);
    const work = { texts: ['a cat'], ids: [embedder.tokenizer.encode('a cat').ids], batchSize: 1, batching: 'arrival' } as const;
    for (const run of [runner.text(work), runner.encoder!(work)]) {
      assert.is(run.pid, engine.pid);
      assert.ok((await run.repeat!(3)).length === 3 && (await run()) > 0);
    }
    assert.ok((await engine.first!(model, 1)) > 0);
    const refused = await engine.load({ ...model, directory: 'does/not/exist' }, 1).catch((error: Error) => error.message);
    assert.match(String(refused), 'does/not/exist');
    embedder.dispose();
  } finally {
    process.kill(engine.pid!, 'SIGKILL');
  }
});

t('judges the shares of the peak that single operations reach', async () => {
  const { judgeShares } = (await import('../../bench/' + 'shares.mjs')) as { judgeShares: (output: string) => readonly object[] };
  const output = [
    'peak of fp32: 179 GF/s',
    'fp32, 128 tokens in texts of 128',
    '  qkv                    384x1152             300.0     734.0   23.1%      155     90%',
    '  attention              128                  193.1     194.9    6.1%      130     73%',
    '  layer norm, twice      384                   22.1      22.1    0.7%',
    '  ffn1 + gelu            384x1536             100.0    1030.1   32.2%      148     98%',
    '  one layer                                  3165.2',
    'peak of int8: 747 GF/s',
    'int8, 8 tokens in texts of 8',
    '  qkv                    384x1152              15.9      15.9   21.2%      447     76%',
    '  attention (bf16)       8                      3.9       3.9    5.2%       25      3%',
    '',
  ].join('\n');
  assert.equal(judgeShares(output), [
    { what: 'fp32, 128 tokens, products', share: 92, target: 95, met: false },
    { what: 'fp32, 128 tokens, attention', share: 73, target: 60, met: true },
    { what: 'int8, 8 tokens, products', share: 76, target: 75, met: true },
  ]);
});

const timing = (median: number) => ({ min: median, median, p99: median, runs: 3 });
const row: Row = {
  model: 'MiniLM',
  case: '256 mixed texts',
  kind: 'text',
  threads: 2,
  contended: false,
  texts: 256,
  tokens: 6600,
  gigaFlops: 100,
  timings: {
    'bertha fp32': timing(100),
    'onnxruntime fp32 (arrival)': timing(390),
    'onnxruntime fp32 (sorted)': timing(190),
    'onnxruntime int8 (sorted)': timing(80),
  },
};

t('compares with onnxruntime fp32 in arrival order and in its best order', () => {
  assert.equal(ratios(row, 100), { arrival: 3.9, best: 1.9 });
  const [arrival, best] = verdicts(row, 'bertha fp32', 'fp32', 'avx512');
  assert.ok(arrival!.met && arrival!.target === 3.8);
  assert.ok(!best!.met && best!.target === 1.95);
  assert.is(verdicts({ ...row, contended: true }, 'bertha fp32', 'fp32', 'avx512').length, 0);
  assert.equal(targetsOf('MiniLM 1x8', 'avx512_bf16', 'bf16'), [{ against: 'onnxruntime fp32', times: 6 }]);
  assert.equal(targetsOf('MiniLM 1x8', 'avx2', 'bf16'), []);
  assert.equal(targetsOf('MiniLM 1x8', 'scalar', 'fp32'), []);
  assert.equal(targetsOf('MiniLM 32x128', 'avx2_vnni', 'int8'), [
    { against: 'onnxruntime fp32', times: 1.95 },
    { against: 'onnxruntime int8', times: 1.38 },
    { against: 'ctranslate2 int8', times: 1.3 },
  ]);
});

t('compares int8 with onnxruntime int8 as well, and loading with its time', () => {
  const short = { ...row, case: '1x8', timings: { int8: timing(10), 'onnxruntime fp32': timing(120), 'onnxruntime int8': timing(20) } };
  const found = verdicts(short, 'int8', 'int8', 'avx512');
  assert.equal(
    found.map(({ against, ratio, target, met }) => [against, ratio, target, met]),
    [
      ['onnxruntime fp32', 12, 11, true],
      ['onnxruntime int8', 2, 3, false],
    ],
  );
  const timings = { 'bertha fp32': timing(59), 'bertha fp32, cached weights': timing(31), 'onnxruntime fp32': timing(100) };
  assert.equal(
    loadVerdicts({ threads: 1, timings }).map(({ engine, met }) => [engine, met]),
    [
      ['bertha fp32', true],
      ['bertha fp32, cached weights', false],
    ],
  );
  assert.equal(loadVerdicts({ threads: 1, timings: { 'bertha fp32': timing(1) } }), []);
});

t('prints ratio, share of the peak and targets of a row', () => {
  const engines: Results['engines'] = ['bertha', 'onnxruntime'].map((name) => {
    return { name: `${name} fp32`, version: '1', precision: 'fp32', isRival: name !== 'bertha' } satisfies Partial<Engine>;
  });
  const machine = { instructionSet: 'avx512' } as Results['machine'];
  const text = formatRow(row, { machine, engines, peak: { fp32: 1000 } });
  assert.match(text, 'MiniLM 256 mixed texts, 2 threads, text to vector');
  assert.match(text, /bertha fp32 .* 100\.0 ms .* 2560 texts\/s .* 3\.90x arrival 1\.90x best .*50% of peak met 3\.8, MISSED 1\.95/);
});

t('finds the peak of every precision that the instruction set computes in', () => {
  const peak = ops.peak();
  const precisions = instructionSet === 'scalar' ? [] : ['fp32', 'fp16-weights', 'int8'];
  for (const precision of precisions) assert.ok(peak[precision]! > 1 && peak[precision]! < 1e5, `${precision}: ${peak[precision]}`);
  assert.is(Object.keys(peak).includes('bf16'), /bf16/.test(instructionSet));
  if (instructionSet === 'scalar') assert.equal(peak, {});
});

t('calls a checkout slower only beyond the tolerance and the noise, by median and minimum', () => {
  const of = (median: number, min = median) => ({ median, min });
  const slower = (again: ReturnType<typeof of>, own: ReturnType<typeof of>) =>
    judge({ base: of(100), 'base again': again, this: own }).isSlower;
  assert.is(slower(of(100), of(104)), true);
  assert.is(slower(of(100), of(102.9)), false);
  assert.is(slower(of(98), of(104.9)), false, 'the base lies 2 % from itself');
  assert.is(slower(of(98), of(106)), true);
  assert.is(slower(of(100), of(110, 101)), false, 'the fastest run was as fast');
});

t('counts the arithmetic of an encoder', () => {
  // all-MiniLM-L6-v2: 21.23 million for a token, and 9216 more for each token that it attends to.
  const miniLm = { layers: 6, hidden: 384, intermediate: 1536 };
  assert.ok(Math.abs(gigaFlops([128], miniLm) - (128 * (21.233664e6 + 9216 * 128)) / 1e9) < 1e-9);
});

t('writes a random BERT that loads', async () => {
  const folder = temporaryFolder();
  writeRandomBert(folder, { layers: 1, hidden: 24, intermediate: 40, heads: 2 }, defaultModelDirectory());
  const model = await loadModel(folder);
  const { lastHiddenState } = await model.forward(model.tokenizer.encode('hello world'));
  assert.equal(lastHiddenState.dims, [4, 24]);
  assert.ok(lastHiddenState.data.every(Number.isFinite));
  model.dispose();
});

t.run();
