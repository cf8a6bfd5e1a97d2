// Loads servers: answers each line of JSON, a `Load`, with another, a `Loaded`. A process of its own, so that its processor time is known.
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, requestBytes, type Requests } from './connection.js';
import { processorSeconds } from './processor.js';
import type { Load, Loaded } from './turn.js';

const kStartMs = 150;
const kLongestStartMs = 10_000;

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await load(JSON.parse(line) as Load))}\n`);
}

/** Sends until every connection has had an answer and for a moment, counts the answers of some seconds, and waits for those that are on their way. */
async function load({ port, path, bodies, connections, seconds, width, pid }: Load): Promise<Loaded> {
  const host = '127.0.0.1';
  const bytes = bodies.map((body) => requestBytes(`${host}:${port}`, path, body));
  const requests: Requests = { host, port, bytes, isRight: (body) => widthOf(body) === width };
  const times: number[] = [];
  let [failed, answers, isCounting] = [0, 0, false];
  const onAnswer = (ms: number, isRight: boolean): void => {
    answers++;
    if (!isRight) failed++;
    else if (isCounting) times.push(ms);
  };
  const all = Array.from({ length: connections }, (_, i) => new Connection(requests, i, onAnswer));
  all.forEach((each) => each.open());
  for (const end = performance.now() + kLongestStartMs; performance.now() < end && answers < connections;) await sleep(kStartMs);
  await sleep(kStartMs);
  const [own, server, begin] = [process.cpuUsage(), processorSeconds(pid), performance.now()];
  isCounting = true;
  await sleep(1000 * seconds);
  isCounting = false;
  const spent = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(own);
  const ofServer = processorSeconds(pid) - server;
  await Promise.all(all.map((each) => each.close()));
  times.sort((a, b) => a - b);
  const quantile = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN;
  const count = Math.max(1, times.length);
  return {
    perSecond: times.length / spent,
    p50: quantile(0.5),
    p99: quantile(0.99),
    failed,
    serverMs: (1000 * ofServer) / count,
    loadMs: (user + system) / 1000 / count,
  };
}

/** Numbers in the vector of an answer, which is a list or float32 in base64. */
function widthOf(body: string): number {
  const { data } = JSON.parse(body) as { data: readonly { embedding: string | readonly number[] }[] };
  const { embedding } = data[0]!;
  return typeof embedding === 'string' ? Buffer.from(embedding, 'base64').length / Float32Array.BYTES_PER_ELEMENT : embedding.length;
}
