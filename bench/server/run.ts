// `npm run bench:server -- [--python PYTHON] [--connections 1,16,64,256] [--tokens 16,128] [--precision fp32,int8] [--threads N]
// [--seconds S] [--rounds N]`: requests of one text at Bertha's server, at a Fastify handler over transformers.js and, with a PYTHON that has
// it, at infinity, in turns; and the library without a server.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTokenizer, systemInfo } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import { textsOf } from '../cases.js';
import { describeMachine } from '../machine.js';
import { installRivals, rivalVersion } from '../rivals.js';
import { startServers, type Served, type ServedPrecision } from './servers.js';
import { runProgram, type Load, type Loaded } from './turn.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    connections: { type: 'string', default: '1,16,64,256' },
    tokens: { type: 'string', default: '16,128' },
    precision: { type: 'string', default: 'fp32,int8' },
    threads: { type: 'string', default: String(systemInfo().threads.pool) },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
  },
});
const numbers = (text: string): readonly number[] => text.split(',').map(Number);
const [threads, seconds, rounds] = [values.threads, values.seconds, values.rounds].map(Number) as [number, number, number];
const kTexts = 64;

/** A server at one load: what it was asked, and the medians of its turns. */
interface Row extends Loaded {
  readonly server: Served;
  readonly encoding: 'float' | 'base64';
  /** Cores that the server used. */
  readonly cores: number;
}

installRivals();
const { cpu, instructionSet } = describeMachine();
const versions = ['@huggingface/transformers', 'fastify', 'autocannon'].map((name) => `${name} ${rivalVersion(name)}`);
const sets = `${rounds} turns of ${seconds} s, medians`;
process.stdout.write(
  `${cpu} x ${cpus().length}, ${instructionSet}, ${threads} threads, node ${process.version}, ${versions.join(', ')}; ${sets}\n`,
);
for (const precision of values.precision.split(',') as ServedPrecision[]) {
  const servers = await startServers(precision, threads, values.python);
  for (const tokens of numbers(values.tokens)) await measureTexts(servers, precision, tokens);
  servers.forEach((server) => server.stop());
}
process.exit(0);

async function measureTexts(servers: readonly Served[], precision: ServedPrecision, tokens: number): Promise<void> {
  const tokenizer = await loadTokenizer(defaultModelDirectory());
  const vocab = readFileSync(join(defaultModelDirectory(), 'vocab.txt'), 'utf8').split('\n');
  const { texts } = textsOf(new Array<number>(kTexts).fill(tokens), vocab, tokenizer);
  process.stdout.write(`\n${precision}, ${tokens} tokens\n`);
  process.stdout.write(
    '| connections | server | requests/s | p50 ms | p99 ms | failed | cores of it | cores of the load | against the best rival |\n',
  );
  process.stdout.write('|---|---|---|---|---|---|---|---|---|\n');
  const library: { p50: number; perSecond: number }[] = [];
  for (const connections of numbers(values.connections)) {
    const turns = new Map<string, Row[]>();
    for (let round = 0; round < rounds; round++) {
      if (connections === 1 || connections === 64) library.push(await runProgram('library.ts', { texts, precision, threads, seconds }));
      const rotated = servers.map((_, i) => servers[(i + round) % servers.length]!);
      for (const server of rotated) {
        for (const encoding of server.isRival ? (['float'] as const) : (['base64', 'float'] as const)) {
          const row = await takeTurn(server, encoding, texts, connections);
          const key = `${server.name}, ${encoding}`;
          turns.set(key, [...(turns.get(key) ?? []), row]);
        }
      }
    }
    report(connections, turns, library);
  }
}

async function takeTurn(server: Served, encoding: Row['encoding'], texts: readonly string[], connections: number): Promise<Row> {
  const bodies = texts.map((input) => JSON.stringify({ input, model: 'm', encoding_format: encoding }));
  server.resume();
  const [before, begin] = [server.processor(), performance.now()];
  const loaded = await runProgram<Loaded>('load.ts', { url: server.url, path: server.path, bodies, connections, seconds } satisfies Load);
  const cores = (server.processor() - before) / ((performance.now() - begin) / 1000);
  server.pause();
  return { ...loaded, server, encoding, cores };
}

function report(
  connections: number,
  turns: ReadonlyMap<string, readonly Row[]>,
  library: readonly { p50: number; perSecond: number }[],
): void {
  const rows = [...turns].map(([name, each]) => ({ name, ...medians(each), server: each[0]!.server }));
  const best = Math.max(...rows.filter(({ server }) => server.isRival).map(({ perSecond }) => perSecond));
  const fastest = Math.min(...rows.filter(({ server }) => server.isRival).map(({ p99 }) => p99));
  for (const { name, server, perSecond, p50, p99, failed, cores, processor } of rows) {
    const ratio = server.isRival ? '' : `${(perSecond / best).toFixed(2)}x requests, ${(fastest / p99).toFixed(2)}x p99`;
    const numbers = [perSecond.toFixed(0), p50.toFixed(3), p99.toFixed(2), failed, cores.toFixed(2), processor.toFixed(2), ratio];
    process.stdout.write(`| ${[connections, name, ...numbers].join(' | ')} |\n`);
  }
  const own = rows.filter(({ server }) => !server.isRival);
  const [p50, perSecond] = [median(library.map((each) => each.p50)), median(library.map((each) => each.perSecond))];
  if (connections === 1) {
    const over = own.map((row) => `${row.name.split(', ')[1]} ${signed(row.p50 - p50)} ms`);
    process.stdout.write(`\nThe library alone: p50 ${p50.toFixed(3)} ms; over HTTP: ${over.join(', ')}\n\n`);
  }
  if (connections === 64) {
    const shares = own.map((row) => `${row.name.split(', ')[1]} ${((100 * row.perSecond) / perSecond).toFixed(0)} %`);
    process.stdout.write(`\nThe library's bulk calls: ${perSecond.toFixed(0)} texts/s; of it over HTTP: ${shares.join(', ')}\n\n`);
  }
}

function medians(rows: readonly Row[]): Omit<Row, 'server' | 'encoding'> {
  const of = (key: 'perSecond' | 'p50' | 'p99' | 'failed' | 'cores' | 'processor'): number => median(rows.map((row) => row[key]));
  return {
    perSecond: of('perSecond'),
    p50: of('p50'),
    p99: of('p99'),
    failed: of('failed'),
    cores: of('cores'),
    processor: of('processor'),
  };
}

function signed(ms: number): string {
  return `${ms < 0 ? '' : '+'}${ms.toFixed(3)}`;
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1]!;
}
