// The commands of the pages on indexing, and of examples/index, are ones that `bertha` takes; what else they name is there.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { runIndex } from '../../packages/jobs/src/command/index-command.js';
import { runSearch } from '../../packages/jobs/src/command/search-command.js';
import { WorkMetrics } from '../../packages/jobs/src/queue/metrics.js';
import { suite } from '../support/suite.js';

const t = suite('pages and examples on indexing');
const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');

/** What `bertha COMMAND … --help` prints: it reads every flag before. */
async function helpFor([command, ...args]: readonly string[]): Promise<string> {
  const { write } = process.stdout;
  let text = '';
  process.stdout.write = (chunk: string | Uint8Array) => ((text += String(chunk)), true);
  try {
    await (command === 'search' ? runSearch : runIndex)([...args, '--help']);
  } finally {
    process.stdout.write = write;
  }
  return text;
}

/** A line as a shell splits it. */
function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g), (match) => match[1] ?? match[2] ?? match[3]!);
}

for (const [page, least] of [
  ['docs/index-on-many-machines.md', 4],
  ['docs/index-and-search.md', 5],
  ['README.md', 2],
  ['packages/jobs/README.md', 2],
] as const) {
  t(`${page}: every command is one that is taken`, async () => {
    const lines = Array.from(read(page).matchAll(/^(?:\$ )?npx bertha ((?:index|search) .*?)(?:\s+# .*)?$/gm), ([, line]) => line!);
    const ours = lines.filter((line) => line.startsWith('index') || line.includes('--store'));
    assert.ok(ours.length >= least, `${ours.length} commands`);
    for (const line of ours) assert.match(await helpFor(wordsOf(line)), /^Usage: bertha (?:index|search)/, line);
  });
}

t('docs/index-on-many-machines.md: the metrics are those of a worker', async () => {
  const served = await new WorkMetrics(async () => ({ waiting: 0, active: 0, delayed: 0, failed: 0 })).text();
  const named = new Set(Array.from(read('docs/index-on-many-machines.md').matchAll(/bertha_index_[a-z_]+/g), ([name]) => name));
  assert.ok(named.size >= 6);
  for (const name of named) assert.match(served, `# TYPE ${name} `, name);
});

t('examples/index: commands, ports, paths and times of compose and Kubernetes fit each other', async () => {
  const [compose, kubernetes, dockerfile] = ['compose.yaml', 'kubernetes.yaml', 'Dockerfile'].map((name) => read(`examples/index/${name}`));
  for (const text of [compose!, kubernetes!]) {
    const commands = Array.from(text.matchAll(/(?:command|args): \[(.*)\]/g), ([, list]) => wordsOf(list!.replaceAll(/',\s*'/g, "' '")));
    const ours = commands.filter(([program]) => program !== 'redis-server');
    assert.equal([commands.length, ours.length], [3, 2]);
    for (const args of ours) assert.match(await helpFor(['index', ...args]), /^Usage: bertha index/, args.join(' '));
    // The producer's store is on what the workers have mounted, and both know the same queue.
    const queues = new Set(ours.map((args) => args[args.indexOf('--queue') + 1]));
    assert.is(queues.size, 1);
    const host = new URL([...queues][0]!).hostname;
    assert.match(text, new RegExp(`^ *${host}:$|\\bname: ${host}\\b`, 'm'));
  }
  const grace = Number(/terminationGracePeriodSeconds: (\d+)/.exec(kubernetes!)?.[1]);
  assert.ok(grace > 25 && Number(/stop_grace_period: (\d+)s/.exec(compose!)?.[1]) > 25);
  for (const [, port] of kubernetes!.matchAll(/(?:containerPort|port): (9\d+)/g)) assert.is(port, '9400');
  assert.match(kubernetes!, /path: \/livez/);
  const program = /bertha-encoder\/(dist\/cli\/main\.js)/.exec(dockerfile!)?.[1];
  const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> };
  assert.ok(Object.values(bin).some((path) => path.endsWith(program!)));
  assert.ok(existsSync(root + program!));
});

t.run();
