// `npm run check:clients -- [--python PYTHON]... [--only TEXT]`: starts `bertha serve` and points the real clients at it, those of npm and, with
// PYTHON, those of PyPI. Every call has to give what the library itself says, to the bit, and to tell its user of a refusal. Prints a table and ends
// with 1 where a call failed. The npm clients are installed below test/adapters, where they are not there yet; what a PYTHON needs stands in
// requirements.txt, and in requirements-frameworks.txt for an environment of its own, since the two exclude each other: give both.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '../soak/serve-process.js';
import type { Check, Served } from '../../test/adapters/clients/client.js';
import { clientModels, expectedOf } from './expected.js';
import { tableOf, type Outcome } from './report.js';

const { values } = parseArgs({
  options: { python: { type: 'string', multiple: true, default: [] }, only: { type: 'string', default: '' } },
});
const root = fileURLToPath(new URL('../../', import.meta.url));
const adapters = join(root, 'test', 'adapters');
const npmFiles = ['clients/openai', 'clients/ai-sdk', 'clients/cohere', 'clients/huggingface', 'further-clients/checks'];
const key = 'test-key';

install(adapters, []);
install(join(adapters, 'further-clients'), ['--legacy-peer-deps']);
const models = Object.entries(clientModels).flatMap(([name, path]) => ['--model', `${name}=${join(root, path)}`]);
const server = await startServer(['--api-key', key, '--log-level', 'warn', ...models]);
const served: Served = { address: `http://127.0.0.1:${server.port}`, key, expected: await expectedOf(root) };
const outcomes: Outcome[] = [];
for (const file of npmFiles) outcomes.push(...(await checkFile(file)));
for (const python of values.python) outcomes.push(...(await checkPython(python)));
server.terminate();
await server.ended;
const counted = uninstalledAway(outcomes);
process.stdout.write(tableOf(counted));
process.exit(counted.length === 0 || counted.some(({ error }) => error !== undefined) ? 1 : 0);

/** npm ci, where the folder has no packages yet. */
function install(folder: string, options: readonly string[]): void {
  if (existsSync(join(folder, 'node_modules'))) return;
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--omit=optional', '--loglevel=error', ...options];
  const { status } = spawnSync('npm', args, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

async function checkFile(file: string): Promise<Outcome[]> {
  const { checks } = (await import(pathToFileURL(join(adapters, `${file}.ts`)).href)) as { readonly checks: readonly Check[] };
  const folder = join(adapters, file.startsWith('further') ? 'further-clients' : '.');
  const found: Outcome[] = [];
  for (const { client, route, what, run } of checks) {
    if (!client.includes(values.only)) continue;
    const error = await run(served).then(
      () => undefined,
      (reason: Error) => reason.message,
    );
    found.push({ client, version: versionOf(folder, client), route, what, error });
  }
  return found;
}

function versionOf(folder: string, name: string): string {
  return (JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as { readonly version: string }).version;
}

/** The clients of a Python: a line of JSON each on its standard output. */
async function checkPython(python: string): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-clients-'));
  const file = join(folder, 'served.json');
  writeFileSync(file, JSON.stringify(served));
  const program = fileURLToPath(new URL('check_clients.py', import.meta.url));
  const child = spawn(python, [program, file, values.only], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | string | null>((resolve) =>
    child.once('close', resolve).once('error', (error) => resolve(error.message)),
  );
  rmSync(folder, { recursive: true });
  const found = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Outcome);
  if (code === 0) return found;
  return [...found, { client: python, version: '', route: '', what: 'check_clients.py', error: `ended with ${code}` }];
}

/** Leaves out what one Python lacks and another has. */
function uninstalledAway(all: readonly Outcome[]): readonly Outcome[] {
  const installed = new Set(all.filter(({ version }) => version !== 'none').map(({ client }) => client));
  return all.filter(({ client, version }) => version !== 'none' || !installed.has(client));
}
