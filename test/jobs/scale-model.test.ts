import * as assert from 'uvu/assert';
import { saturation, simulate, type UnitCosts } from '../../bench/jobs/scale-model.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const t = suite('scale model');
const costs: UnitCosts = { queueS: 0.001, storeS: 0.1, storeAtOnce: 1, computeS: 1, texts: 100 };

const point = (workers: number, changed: Partial<UnitCosts> = {}) => {
  const random = new Random(workers);
  return simulate(workers, { ...costs, ...changed }, 2, 400 * workers, () => random.next());
};

t('one worker with two units computes all the time while the store takes less than the processors', () => {
  const { textsPerS, busy, efficiency } = point(1);
  assert.ok(busy.compute > 0.99, `${busy.compute}`);
  assert.ok(Math.abs(textsPerS - 100) < 2, `${textsPerS}`);
  assert.ok(Math.abs(efficiency - textsPerS / 100) < 1e-9);
});

t('a store that takes a tenth of a unit is full at ten workers, and more do no more', () => {
  assert.is(saturation(1, 0.1), 10);
  const [eight, sixteen, many] = [point(8), point(16), point(64)];
  assert.ok(eight.efficiency > 0.93, `${eight.efficiency}`);
  assert.ok(sixteen.busy.store > 0.99);
  // 10 units a second is what the store can write.
  for (const { textsPerS } of [sixteen, many]) assert.ok(Math.abs(textsPerS - 1000) < 15, `${textsPerS}`);
});

t('a store that writes four units at once carries four times as many workers', () => {
  assert.is(saturation(1, 0.1, 4), 40);
  assert.ok(point(32, { storeAtOnce: 4 }).efficiency > 0.93);
  assert.ok(Math.abs(point(64, { storeAtOnce: 4 }).textsPerS - 4000) < 60);
});

t('a slow queue is what workers wait for', () => {
  const { busy, textsPerS } = point(16, { queueS: 0.2, storeS: 0.001 });
  assert.ok(busy.queue > 0.99);
  assert.ok(Math.abs(textsPerS - 500) < 10, `${textsPerS}`);
});

t.run();
