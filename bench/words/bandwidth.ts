// What the memory gives a program that only reads: the yardstick of a search over all rows.
import { Worker } from 'node:worker_threads';

/** Well beyond the caches. */
const kBytes = 96 << 20;
const kPasses = 12;

// Equal buffers are compared to their end, by the C library's memcmp: it reads both and writes nothing.
const kReader = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { bytes, passes } = workerData;
  const [a, b] = [Buffer.alloc(bytes, 1), Buffer.alloc(bytes, 1)];
  a.equals(b);
  parentPort.postMessage('ready');
  parentPort.once('message', () => {
    const times = [];
    for (let pass = 0; pass < passes; pass++) {
      const begin = performance.now();
      if (!a.equals(b)) throw new Error('Expected equal buffers');
      times.push(performance.now() - begin);
    }
    parentPort.postMessage(times);
  });
`;

/** Bytes a second that `threads` read together: the sum of what each reads in the median of its passes. */
export async function measureReadBandwidth(threads: number): Promise<number> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(kReader, { eval: true, workerData: { bytes: kBytes, passes: kPasses } }),
  );
  const heard = (worker: Worker): Promise<unknown> =>
    new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await Promise.all(workers.map(heard));
  const answers = workers.map(heard);
  for (const worker of workers) worker.postMessage('go');
  const times = (await Promise.all(answers)) as readonly (readonly number[])[];
  await Promise.all(workers.map((worker) => worker.terminate()));
  const medianOf = (each: readonly number[]): number => each.toSorted((a, b) => a - b)[each.length >> 1]!;
  return times.reduce((sum, each) => sum + (2 * kBytes) / (medianOf(each) / 1000), 0);
}
