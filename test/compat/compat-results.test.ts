import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { pipeline, Tensor, type TaskName } from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('compat results');

interface Case {
  readonly task: TaskName;
  readonly model: string;
  readonly args: readonly unknown[];
  readonly result: unknown;
}
const { cases } = JSON.parse(readFileSync(golden('compat/pipelines.json'), 'utf8')) as { readonly cases: readonly Case[] };
/** The references are sums in float32, in another order. */
const kTolerance = 2e-5;

/** Where a result differs from what transformers.js gave; keys that it lacks, such as start and end, are not looked at. */
function differences(actual: unknown, expected: unknown, place = 'result'): string[] {
  if (typeof expected === 'number')
    return typeof actual === 'number' && Math.abs(actual - expected) <= kTolerance ? [] : [`${place}: ${String(actual)}, not ${expected}`];
  if (typeof expected !== 'object' || expected === null)
    return actual === expected ? [] : [`${place}: ${String(actual)}, not ${String(expected)}`];
  const found = (actual instanceof Tensor ? { ...actual, data: Array.from(actual.data as Float32Array) } : actual) as Record<
    string,
    unknown
  >;
  const lengths = [found, expected].map((each) => (Array.isArray(each) ? each.length : undefined));
  if (lengths[0] !== lengths[1]) return [`${place}: ${lengths[0]} entries, not ${lengths[1]}`];
  return Object.entries(expected).flatMap(([key, value]) => differences(found[key], value, `${place}.${key}`));
}

for (const { task, model, args, result } of cases) {
  t(`${task} ${model} ${JSON.stringify(args)} is what transformers.js gives`, async () => {
    const run = await pipeline(task, golden('tiny', model));
    const actual = await (run as unknown as (...given: readonly unknown[]) => Promise<unknown>)(...args);
    await run.dispose();
    assert.equal(differences(actual, result), []);
  });
}

t.run();
