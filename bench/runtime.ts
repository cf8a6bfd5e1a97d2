// `npm run bench:runtime [-- CASE...]`: how Bertha behaves inside a service, beside onnxruntime-node where it is installed. Each case runs
// in a process of its own; the table at the end says which targets are met. Give it a quiet machine.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '../src/runtime/addon.js';
import { describeMachine } from './machine.js';
import { runtimeCases } from './runtime-cases.js';

type Numbers = Readonly<Record<string, number>>;

/** What the numbers of the cases have to be. A missing case gives no verdict. */
const isAvx512 = loadAddon().isa().chosen.startsWith('avx512');
const targets: readonly {
  readonly what: string;
  readonly of: readonly string[];
  readonly limit: string;
  met(...cases: readonly Numbers[]): boolean;
}[] = [
  {
    what: 'event-loop p99 while embedding 2,000 texts',
    of: ['loop bertha', 'loop idle'],
    limit: 'idle + 2 ms',
    met: (b, idle) => b!['p99']! <= idle!['p99']! + 2,
  },
  {
    what: 'interactive p99, 16 tokens, beside 10,000 bulk texts',
    of: ['interactive'],
    limit: isAvx512 ? '5 ms' : '10 ms',
    met: (n) => n!['p99']! <= (isAvx512 ? 5 : 10),
  },
  { what: 'throughput of 64 concurrent single texts', of: ['concurrency'], limit: '>= 90 % of one call', met: (n) => n!['ratio']! >= 0.9 },
  { what: '2 threads in bulk', of: ['scaling'], limit: '>= 1.9x', met: (n) => n!['bulkRatio']! >= 1.9 },
  { what: '2 threads for one text of 32 tokens', of: ['scaling'], limit: '>= 1.6x', met: (n) => n!['latencyRatio']! >= 1.6 },
  {
    what: '2 threads beside a busy neighbour, to 1 thread',
    of: ['neighbour'],
    limit: '<= 1.15x',
    met: (n) => Math.max(n!['latencyRatio']!, n!['bulkRatio']!) <= 1.15,
  },
  {
    what: 'resident memory after 1,000 texts',
    of: ['memory bertha', 'memory onnxruntime'],
    limit: '<= onnxruntime',
    met: (b, o) => b!['loadedMb']! <= o!['loadedMb']!,
  },
  { what: 'memory per text, over 9,000 texts', of: ['memory bertha'], limit: '< 1 KB', met: (n) => n!['kbPerEmbed']! < 1 },
  { what: 'memory per load and dispose, over 200', of: ['memory bertha'], limit: '< 1 MB', met: (n) => n!['mbPerCycle']! < 1 },
  { what: 'longest turn while 200,000 waiting calls are aborted', of: ['aborts'], limit: '< 20 ms', met: (n) => n!['max']! < 20 },
  { what: 'processor time from 100 ms after the last call, in 2 s', of: ['idle'], limit: '< 10 ms', met: (n) => n!['cpuMs']! < 10 },
];

const mark = 'result ';

function runCase(name: string): Numbers | undefined {
  const args = ['--expose-gc', '--import', 'tsx', fileURLToPath(import.meta.url), '--case', name];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 24 });
  const line = stdout.split('\n').find((each) => each.startsWith(mark));
  if (line !== undefined) return JSON.parse(line.slice(mark.length)) as Numbers;
  process.stdout.write(`${name}: failed (${status}): ${stderr.trim().split('\n').at(0)}\n`);
  return undefined;
}

function show(numbers: Numbers): string {
  return Object.entries(numbers)
    .map(([name, value]) => `${name} ${Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)}`)
    .join(', ');
}

async function main(): Promise<void> {
  const [first, name] = process.argv.slice(2);
  if (first === '--case') {
    process.stdout.write(`${mark}${JSON.stringify(await runtimeCases[name!]!())}\n`);
    process.exit(0); // a rival's threads may go on
  }
  const { cpu, instructionSet } = describeMachine();
  process.stdout.write(`${cpu}, ${instructionSet}, Node.js ${process.version}\n\n`);
  const wanted = process.argv.slice(2);
  const results = new Map<string, Numbers>();
  for (const each of Object.keys(runtimeCases)) {
    if (wanted.length > 0 && !wanted.some((part) => each.includes(part))) continue;
    const numbers = runCase(each);
    if (numbers === undefined) continue;
    results.set(each, numbers);
    process.stdout.write(`${each.padEnd(20)} ${show(numbers)}\n`);
  }
  process.stdout.write('\n');
  let missed = 0;
  for (const { what, of, limit, met } of targets) {
    const numbers = of.map((each) => results.get(each));
    if (numbers.some((each) => each === undefined)) continue;
    const isMet = met(...(numbers as Numbers[]));
    missed += isMet ? 0 : 1;
    process.stdout.write(`${isMet ? 'met   ' : 'MISSED'} ${what}: ${limit}\n`);
  }
  process.exitCode = missed > 0 ? 1 : 0;
}

await main();
