// Loads a server: argv[2] is a `Load` as JSON. Prints a `Loaded` as one line of JSON. A process of its own, so that its processor time is known.
import { importRival } from '../rivals.js';
import type { Load, Loaded } from './turn.js';

interface Instance extends PromiseLike<{ readonly errors: number; readonly timeouts: number; readonly non2xx: number }> {
  on(event: 'response', listener: (client: unknown, status: number, bytes: number, ms: number) => void): void;
}
type Autocannon = (options: object) => Instance;

const { default: autocannon } = (await importRival('autocannon')) as { default: Autocannon };
const { url, path, bodies, connections, seconds } = JSON.parse(process.argv[2]!) as Load;
const headers = { 'content-type': 'application/json' };

/** One run; the milliseconds of each answer. */
async function run(duration: number): Promise<{ readonly times: number[]; readonly failed: number; readonly seconds: number }> {
  const times: number[] = [];
  const begin = performance.now();
  const requests = bodies.map((body) => ({ method: 'POST', path, headers, body }));
  const instance = autocannon({ url, connections, duration, requests, timeout: 60 });
  instance.on('response', (_client, status, _bytes, ms) => status === 200 && times.push(ms));
  const { errors, timeouts, non2xx } = await instance;
  return { times, failed: errors + timeouts + non2xx, seconds: (performance.now() - begin) / 1000 };
}

await run(Math.min(1, seconds));
const before = process.cpuUsage();
const { times, failed, seconds: spent } = await run(seconds);
const { user, system } = process.cpuUsage(before);
times.sort((a, b) => a - b);
const quantile = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN;
const loaded: Loaded = {
  perSecond: times.length / spent,
  p50: quantile(0.5),
  p99: quantile(0.99),
  failed,
  processor: (user + system) / 1e6 / spent,
};
process.stdout.write(`${JSON.stringify(loaded)}\n`);
