// `npm run bench:server -- [--python PYTHON] [--connections 1,16,64,256] [--tokens 16,128] [--precision fp32,int8] [--threads N] [--seconds 1.5]
// [--rounds 3] [--minutes 12] [--engines fp32=RATIO,int8=RATIO]`: requests of one text at Bertha's server, at a Fastify handler over
// transformers.js and, with a PYTHON that has it, at infinity, in turns with the library itself; medians of the rounds. No round begins that would
// end after the minutes, and SIGINT or SIGTERM prints what there is. JSON is measured where targets are, with 1 and 64 connections. `--engines`:
// how many times as fast as the best rival `npm run bench` found the library at 128 tokens.
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTokenizer, systemInfo } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import { textsOf } from '../cases.js';
import { describeMachine } from '../machine.js';
import { installRivals, rivalVersion } from '../rivals.js';
import { Measurement, type Case } from './measurement.js';
import { tables } from './report.js';
import type { ServedPrecision } from './servers.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    connections: { type: 'string', default: '1,16,64,256' },
    tokens: { type: 'string', default: '16,128' },
    precision: { type: 'string', default: 'fp32,int8' },
    threads: { type: 'string', default: String(systemInfo().threads.pool) },
    seconds: { type: 'string', default: '1.5' },
    rounds: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '12' },
    engines: { type: 'string', default: '' },
  },
});
const numbers = (text: string): readonly number[] => text.split(',').map(Number);
const [threads, seconds, rounds, minutes] = [values.threads, values.seconds, values.rounds, values.minutes].map(Number) as [
  number,
  number,
  number,
  number,
];
const engines = new Map(values.engines.split(',').map((pair): [string, number] => [pair.split('=')[0]!, Number(pair.split('=')[1])]));
const kTexts = 64;

const begin = performance.now();
const secondsSince = (): number => (performance.now() - begin) / 1000;
installRivals();
const { cpu, instructionSet } = describeMachine();
const versions = ['@huggingface/transformers', 'fastify'].map((name) => `${name} ${rivalVersion(name)}`);
process.stdout.write(`${cpu} x ${cpus().length}, ${instructionSet}, ${threads} threads, node ${process.version}, ${versions.join(', ')}\n`);

const precisions = values.precision.split(',') as ServedPrecision[];
const cases: Case[] = [];
for (const precision of precisions)
  for (const tokens of numbers(values.tokens))
    for (const connections of numbers(values.connections)) cases.push({ precision, tokens, connections, texts: await textsFor(tokens) });
const measurement = await Measurement.start(cases, { threads, seconds, python: values.python });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, finish);
const started = secondsSince();
let longest = 0;
for (let round = 0; round < rounds && secondsSince() + longest < 60 * minutes; round++) {
  const before = secondsSince();
  await measurement.round(round);
  longest = Math.max(longest, secondsSince() - before);
  process.stderr.write(`round ${round + 1} of ${rounds}: ${longest.toFixed(0)} s\n`);
}
finish();

function finish(): never {
  process.stdout.write(
    `turns of ${seconds} s after ${started.toFixed(0)} s of starting and warming up, medians; ${secondsSince().toFixed(0)} s in all\n`,
  );
  process.stdout.write(tables(cases, measurement.turns, (precision) => engines.get(precision)));
  process.exit(0);
}

async function textsFor(tokens: number): Promise<readonly string[]> {
  const tokenizer = await loadTokenizer(defaultModelDirectory());
  const vocab = readFileSync(join(defaultModelDirectory(), 'vocab.txt'), 'utf8').split('\n');
  return textsOf(new Array<number>(kTexts).fill(tokens), vocab, tokenizer).texts;
}
