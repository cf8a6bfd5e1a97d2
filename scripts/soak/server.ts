// `npm run soak:server -- [--seconds 1800] [--connections 24]`: mixed traffic at `bertha serve`, then SIGTERM under load. Of ten requests one
// is malformed and one is given up by its client, one in twenty is read slowly. Ends with 1 where the server erred, kept memory, descriptors
// or requests, or answered later and later.
import { parseArgs } from 'node:util';
import { Traffic } from './traffic.js';
import { startServer } from './serve-process.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1800' }, connections: { type: 'string', default: '24' } } });
const [seconds, connections] = [values.seconds, values.connections].map(Number) as [number, number];
const kWindows = 10;

const server = await startServer();
const traffic = new Traffic(server.port, connections);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

await traffic.run(Math.min(10, seconds / 6)); // warm caches, workspaces and the event loop's code
print('| s | requests | p50 ms | p99 ms | memory MiB | descriptors |\n|---|---|---|---|---|---|');
const windows = [];
for (let i = 1; i <= kWindows; i++) {
  const { count, p50, p99 } = await traffic.run(seconds / kWindows);
  const window = { count, p50, p99, ...(await server.settled()) };
  windows.push(window);
  print(
    `| ${((i * seconds) / kWindows).toFixed(0)} | ${count} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${window.memory.toFixed(0)} | ${window.descriptors} |`,
  );
}

const drain = await traffic.drain(() => server.terminate());
const exit = await server.ended;
print(
  `\nafter SIGTERM: ${drain.answered} requests answered, ${drain.refused} refused, ${drain.lost} lost; exit code ${exit.code}, signal ${exit.signal}`,
);

const problems = [...traffic.problems];
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
const [early, late] = [windows.slice(0, 3), windows.slice(-3)];
const [first, last] = [early, late].map((each) => median(each.map(({ memory }) => memory))) as [number, number];
if (last > 1.1 * first + 16) problems.push(`Expected memory to stay near ${first.toFixed(0)} MiB but received ${last.toFixed(0)}`);
const grown = late.at(-1)!.descriptors - early[0]!.descriptors;
if (grown > 4) problems.push(`Expected as many descriptors as at the start but received ${grown} more`);
const [before, after] = [early, late].map((each) => median(each.map(({ p99 }) => p99))) as [number, number];
if (after > 3 * before + 20) problems.push(`Expected a p99 near ${before.toFixed(1)} ms but received ${after.toFixed(1)}`);
if (drain.lost > 0) problems.push(`Expected an answer to every accepted request but ${drain.lost} had none`);
if (exit.code !== 0) problems.push(`Expected exit code 0 but received ${exit.code ?? exit.signal}: ${exit.said}`);
problems.forEach((problem) => print(problem));
print(problems.length === 0 ? 'no problem' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
