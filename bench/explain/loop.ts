import { monitorEventLoopDelay } from 'node:perf_hooks';
import { explain, explainSimilarity, mapTexts } from '../../src/explain/index.js';
import { loadEmbedder, loadModel } from '../../src/index.js';

const kTargetMs = 5;
/** Work is repeated until it has taken so long: a percentile of few looks is chance. */
const kLeastMs = 4000;
const kMap = 300;

const row = (verdict: string, name: string, ...numbers: readonly string[]): string =>
  `${verdict.padEnd(6)}${name.padEnd(50)}${numbers.map((each) => each.padStart(10)).join('')}`;

/** The delay of the event loop while `work` runs, again and again. */
async function delayOf(name: string, work: () => Promise<unknown>): Promise<boolean> {
  const first = monitorEventLoopDelay({ resolution: 1 });
  first.enable();
  await work();
  first.disable();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const begin = performance.now();
  let times = 0;
  delay.enable();
  for (; performance.now() - begin < kLeastMs; times++) await work();
  delay.disable();
  const eachMs = (performance.now() - begin) / times;
  // A timer of a millisecond is what the histogram measures; the rest of it is delay.
  const show = (nanoseconds: number): string => Math.max(0, nanoseconds / 1e6 - 1).toFixed(1);
  const [p99, max, firstMax] = [delay.percentile(99), delay.max, first.max].map(show) as [string, string, string];
  const isGood = Number(p99) <= kTargetMs;
  console.log(row(isGood ? 'ok' : 'above', name, `${eachMs.toFixed(0)} ms`, `${times}`, p99, max, firstMax));
  return isGood;
}

/** Prints how long the event loop is held up while texts are explained and mapped. */
export async function measureLoop(texts: readonly string[]): Promise<void> {
  const [one, two] = [0, 1].map((i) => textOf(texts, 6 * i)) as [string, string];
  const [model, embedder] = [await loadModel(undefined, { task: 'text-classification' }), await loadEmbedder()];
  const tokens = [one, two].map((text) => embedder.tokenizer.encode(text).ids.length).join(' and ');
  console.log(
    `delay of the event loop in ms, beyond a timer's own of 1 (target: p99 of ${kTargetMs}); texts of ${tokens} tokens, all threads`,
  );
  console.log(row('', '', 'each', 'times', 'p99', 'max', 'first max'));
  const work: Readonly<Record<string, () => Promise<unknown>>> = {
    'integrated gradients, 64 steps': () => explain(model, one, { steps: 64 }),
    'integrated gradients of a similarity, 64 steps': () => explainSimilarity(embedder, one, two, { steps: 64 }),
    'Shapley values, 2 pairs': () => explain(model, one, { method: 'shapley', units: 'tokens', pairs: 2 }),
    [`map of ${kMap} texts`]: () => mapTexts(embedder, texts.slice(0, kMap)),
    [`map of ${texts.length} texts`]: () => mapTexts(embedder, texts),
    [`map of ${texts.length} texts by UMAP`]: () => mapTexts(embedder, texts, { method: 'umap' }),
  };
  let areGood = true;
  for (const [name, run] of Object.entries(work)) areGood = (await delayOf(name, run)) && areGood;
  console.log(areGood ? `every p99 is within ${kTargetMs} ms` : `FAILED: a p99 above ${kTargetMs} ms`);
  if (!areGood) process.exitCode = 1;
  model.dispose();
  embedder.dispose();
}

const textOf = (texts: readonly string[], first: number): string => texts.slice(first, first + 6).join('. ');
