// `npm run bench:vectors -- --only memory`: the memory that a training takes beside what was computed before it began. Each training has
// a process of its own (this file, with the request as its argument): a process gives little back, so that a second would hide behind the first.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trainFastText, trainGloVe, trainWord2Vec } from '../../src/word-vectors/index.js';
import { writeDrawnCorpus } from './corpora.js';

const kWarmUpWords = ['warm', 'up', 'the', 'pool'];

interface Request {
  readonly trainer: 'skip-gram' | 'fasttext' | 'glove';
  readonly corpus: string;
  readonly threads: number;
}

function train({ trainer, threads }: Request, corpus: string | readonly (readonly string[])[], vectorSize: number) {
  const common = { threads, vectorSize, minCount: 1, epochs: 1 };
  if (trainer === 'glove') return trainGloVe(corpus, common);
  return trainer === 'fasttext' ? trainFastText(corpus, common) : trainWord2Vec(corpus, common);
}

/** A field of /proc/self/status, in bytes. */
function statusOf(field: 'VmHWM' | 'VmRSS'): number {
  return 1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))![1]);
}

/** Bytes resident at most during a training less those at its start, and what its report says of the tables. */
async function measureOwn(request: Request): Promise<{ readonly resident: number; readonly computed: number }> {
  await train(request, [kWarmUpWords], 16);
  writeFileSync('/proc/self/clear_refs', '5'); // the peak begins anew
  const before = statusOf('VmRSS');
  const { report } = await train(request, request.corpus, 300);
  return { resident: statusOf('VmHWM') - before, computed: report.tableBytes };
}

/** Prints a table. */
export async function measureMemory(folder: string, threads: number, vocabulary: number): Promise<void> {
  const corpus = join(folder, 'memory.txt');
  await writeDrawnCorpus(corpus, vocabulary);
  process.stdout.write(`\nPeak memory beside what was computed beforehand, ${vocabulary} words x 300; target within 10 %.\n\n`);
  process.stdout.write('| trainer | peak less start | computed | ratio |\n|---|---|---|---|\n');
  for (const trainer of ['skip-gram', 'fasttext', 'glove'] as const) {
    const argument = JSON.stringify({ trainer, corpus, threads } satisfies Request);
    const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), argument], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) throw new Error(`Expected ${trainer} to be trained in a process of its own, which ended with ${status}`);
    const { resident, computed } = JSON.parse(stdout) as { resident: number; computed: number };
    const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
    process.stdout.write(`| ${[trainer, megabytes(resident), megabytes(computed), (resident / computed).toFixed(3)].join(' | ')} |\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await measureOwn(JSON.parse(process.argv[2]!) as Request)));
}
