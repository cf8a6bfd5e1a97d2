import { readFileSync } from 'node:fs';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { assertSameBits } from '../support/compare.js';
import { instructionSet, trainingOps } from '../support/devices.js';
import { keptColumns, philox } from '../support/philox.js';
import { Random } from '../support/random.js';

const t = suite(`Philox and dropout ${instructionSet}`);

interface Known {
  readonly philox_4x32_10: readonly { readonly counter: number[]; readonly key: number[]; readonly words: number[] }[];
  readonly dropout: readonly {
    readonly seed: number;
    readonly micro_step: number;
    readonly site: number;
    readonly head: number;
    readonly p: number;
    readonly threshold: number;
    readonly rows: readonly number[];
    readonly width: number;
    readonly kept: readonly string[];
  }[];
}

/** The output of make_training_golden.py (numerics/README.md), with the known answers of Random123. */
const known = JSON.parse(readFileSync(goldenTraining('random.json'), 'utf8')) as Known;

const ones = (count: number) => new Float32Array(count).fill(1);
const scaleOf = (threshold: number) => Math.fround(65536 / (65536 - threshold));

t('the reference gives the known answers', () => {
  for (const { counter, key, words } of known.philox_4x32_10) assert.equal(philox(counter, key), words);
});

t('keeps what the golden masks keep', () => {
  for (const { seed, micro_step, site, head, p, threshold, rows, width, kept } of known.dropout) {
    const key = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)] as const;
    assert.is(Math.round(65536 * p), threshold);
    rows.forEach((row, i) => {
      const factors = trainingOps.dropout(ones(width), null, 1, width, row, {
        key,
        microStep: micro_step,
        site: site + 65536 * head,
        threshold,
      });
      assert.is(Array.from(factors, (factor) => (factor === 0 ? 0 : 1)).join(''), kept[i], `seed ${seed}, row ${row}`);
      assert.ok(factors.every((factor) => factor === 0 || factor === scaleOf(threshold)));
    });
  }
});

t('draws the numbers of every width, of all 32 bits of a counter and of a key', () => {
  const random = new Random(1);
  for (const width of [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 129, 301]) {
    const key = [random.integer(0, 2 ** 32 - 1), random.integer(0, 2 ** 32 - 1)] as const;
    const [microStep, site, threshold] = [random.integer(0, 2 ** 32 - 1), random.integer(0, 2 ** 32 - 1), random.integer(1, 65535)];
    const firstRow = random.pick([0, 1, 255, 2 ** 31, 2 ** 32 - 4]);
    const actual = trainingOps.dropout(ones(3 * width), null, 3, width, firstRow, { key, microStep, site, threshold });
    const expected = [0, 1, 2].flatMap((row) =>
      keptColumns(firstRow + row, width, site, microStep, key, threshold).map((kept) => (kept ? scaleOf(threshold) : 0)),
    );
    assertSameBits(actual, Float32Array.from(expected), `width ${width}, row ${firstRow}`);
  }
});

t('scales what stays, adds the residual, and with threshold 0 changes nothing', () => {
  const random = new Random(2);
  const [rows, width, threshold] = [5, 37, 20000];
  const [x, residual] = [random.floats(rows * width), random.floats(rows * width)];
  const site = { key: [1, 2], microStep: 3, site: 4, threshold } as const;
  const factors = trainingOps.dropout(ones(rows * width), null, rows, width, 6, site);
  const expected = x.map((value, i) => Math.fround(value * factors[i]!));
  assertSameBits(trainingOps.dropout(x, null, rows, width, 6, site), expected, 'alone');
  const sums = expected.map((value, i) => Math.fround(value + residual[i]!));
  assertSameBits(trainingOps.dropout(x, residual, rows, width, 6, site), sums, 'with a residual');
  assertSameBits(trainingOps.dropout(x, null, rows, width, 6, { ...site, threshold: 0 }), x, 'no dropout');
  const added = x.map((value, i) => Math.fround(value + residual[i]!));
  assertSameBits(trainingOps.dropout(x, residual, rows, width, 6, { ...site, threshold: 0 }), added, 'no dropout, with a residual');
});

t('drops the share that p names', () => {
  for (const p of [0.1, 0.5, 0.9]) {
    const count = 1 << 17;
    const factors = trainingOps.dropout(ones(count), null, 128, count / 128, 0, {
      key: [7, 8],
      microStep: 0,
      site: 0,
      threshold: Math.round(65536 * p),
    });
    const dropped = factors.reduce((sum, factor) => sum + (factor === 0 ? 1 : 0), 0) / count;
    assert.ok(Math.abs(dropped - p) < 5 * Math.sqrt((p * (1 - p)) / count), `p ${p}: dropped ${dropped}`);
  }
});
t.run();
