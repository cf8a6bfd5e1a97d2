import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { golden, temporaryFolder } from '../support/checkpoint-files.js';
import { filesOf, hubHash, HubServer, serve } from '../support/hub-server.js';
import { eventually, runChild, smallModel } from '../support/library.js';

const id = 'org/model';
const weights = 'model.safetensors';
const folder = golden('sentence', 'normalize');

interface Place {
  readonly server: HubServer;
  readonly environment: Record<string, string>;
  readonly blobs: string;
  readonly locks: string;
}

async function withHub(body: (place: Place) => Promise<void>): Promise<void> {
  const server = await HubServer.start(id, filesOf(folder));
  const home = temporaryFolder();
  const hub = path.join(home, 'hub');
  const environment = { HF_HOME: home, HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: '', HF_HUB_OFFLINE: '', HF_TOKEN: '' };
  try {
    await body({
      server,
      environment,
      blobs: path.join(hub, 'models--org--model', 'blobs'),
      locks: path.join(hub, '.locks', 'models--org--model'),
    });
  } finally {
    await server.stop();
  }
}

/** Loads and embeds; prints the first numbers. */
const useModel = `
const embedder = await loadEmbedder(${JSON.stringify(id)});
console.log('vector', (await embedder.embed('hello guitar')).vector.slice(0, 3).join(' '));
embedder.dispose();`;

const network = suite('network');

network('is not touched by a whole run with a local model', () =>
  withHub(async ({ server, environment }) => {
    const { code, output } = await runChild(
      `
import dgram from 'node:dgram';
import { readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import dns from 'node:dns';
const bertha = await import(library);
const touched = [];
const watch = (object, name) => {
  const original = object[name];
  object[name] = function (...values) { touched.push(name); return Reflect.apply(original, this, values); };
};
watch(net.Socket.prototype, 'connect');
watch(net.Server.prototype, 'listen');
watch(dgram, 'createSocket');
watch(dns, 'lookup');
watch(globalThis, 'fetch');
const sockets = () => readdirSync('/proc/self/fd').filter((fd) => { try { return readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; } }).length;
const before = process.platform === 'linux' ? sockets() : 0;
for (const model of [realModel, smallModel]) {
  const embedder = await loadEmbedder(model);
  await embedder.embed(Array.from({ length: 100 }, (_, i) => 'text number ' + i));
  embedder.embedSync('hello');
  embedder.dispose();
  await bertha.loadTokenizer(model);
  await bertha.inspectModel(model);
  const run = await bertha.pipeline('feature-extraction', model);
  await run('hello');
  await run.dispose();
}
const model = await bertha.loadModel(${JSON.stringify(golden('tiny', 'bert-mlm'))});
await bertha.fillMask(model, ['hello [MASK]']);
model.dispose();
bertha.systemInfo();
const after = process.platform === 'linux' ? sockets() : 0;
console.log('local', JSON.stringify(touched), after - before);
await fetch(process.env.HF_ENDPOINT).then((response) => response.text());
console.log('watched', touched.includes('connect') && touched.includes('fetch'));`,
      { environment },
    );
    assert.is(code, 0, output);
    assert.match(output, 'local [] 0');
    assert.match(output, 'watched true');
    assert.is(server.seen.length, 1);
  }),
);

network.run();

const processes = suite('hub processes');

processes('download every file once when several begin together, and all load the model', () =>
  withHub(async ({ server, environment, blobs, locks }) => {
    server.fault = (request, response, body) => {
      if (!request.url!.startsWith(`/${weights}`)) return false;
      setTimeout(() => serve(request, response, body), 1500);
      return true;
    };
    const ended = await Promise.all(Array.from({ length: 3 }, () => runChild(useModel, { environment })));
    for (const { code, output } of ended) assert.is(code, 0, output);
    assert.is(new Set(ended.map(({ output }) => output)).size, 1);
    assert.is(server.seenByStore.length, 1);
    assert.equal(readdirSync(locks), []);
    assert.ok(readdirSync(blobs).every((name) => /^[0-9a-f]+$/.test(name)));
    for (const [name, content] of server.files) {
      const blob = path.join(blobs, hubHash(content, name.endsWith('.safetensors')));
      if (existsSync(blob)) assert.equal(readFileSync(blob), content);
    }
  }),
);

processes('leave a lock and a piece behind when killed, and the next one goes on at once', () =>
  withHub(async ({ server, environment, blobs, locks }) => {
    const half = server.files.get(weights)!.length >> 1;
    server.fault = (request, response, body) => {
      if (!request.url!.startsWith(`/${weights}`)) return false;
      response.writeHead(200, { 'content-length': body.length }).write(body.subarray(0, half));
      return true;
    };
    const child = runChild(`console.log('begins');${useModel}`, {
      environment,
      onLine: (line, kill) => {
        if (line !== 'begins') return;
        const hasPiece = (): boolean => existsSync(blobs) && readdirSync(blobs).some((name) => name.endsWith('.incomplete'));
        void eventually('a request for the weights', () => server.seenByStore.length > 0 && hasPiece())
          .then(() => new Promise((resolve) => setTimeout(resolve, 300)))
          .then(() => kill('SIGKILL'));
      },
    });
    assert.is((await child).signal, 'SIGKILL');
    assert.is(readdirSync(locks).length, 1);
    server.fault = () => false;
    const { code, output, ms } = await runChild(useModel, { environment });
    assert.is(code, 0, output);
    assert.ok(ms < 12_000, `${ms} ms`);
    assert.match(server.seenByStore.at(-1)!.range!, /^bytes=[1-9]\d*-$/);
    assert.equal(readdirSync(locks), []);
  }),
);

processes.run();

const cli = suite('cli download');

function bertha(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [cliProgram, ...args], { env: { ...process.env, NO_COLOR: '1', ...environment } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end();
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

cli('prints the directory, which every command then takes by its id', () =>
  withHub(async ({ server, environment }) => {
    const { code, stdout, stderr } = await bertha(['download', id], environment);
    assert.equal([code, stderr], [0, '']);
    const directory = stdout.trimEnd();
    assert.match(directory, /models--org--model\/snapshots\/[0-9a-f]{40}$/);
    const { length } = server.seen;
    const byId = await bertha(['embed', '--model', id, '--format', 'jsonl', 'hello'], environment);
    assert.equal(byId, await bertha(['embed', '--model', smallModel, '--format', 'jsonl', 'hello'], environment));
    assert.is((await bertha(['tokenize', '--model', id, 'hello'], environment)).code, 0);
    assert.match((await bertha(['inspect', id], environment)).stdout, directory);
    assert.is(server.seen.length, length);
  }),
);

cli('takes a revision and a cache, and says what is wrong', () =>
  withHub(async ({ environment }) => {
    const cacheDir = temporaryFolder();
    const { stdout } = await bertha(['download', id, '--revision', 'refs/pr/1', '--cache-dir', cacheDir, '--verify'], environment);
    assert.ok(stdout.startsWith(cacheDir));
    const missing = await bertha(['download', 'org/other'], environment);
    assert.is(missing.code, 1);
    assert.match(missing.stderr, /error HUB_NOT_FOUND: /);
    assert.is((await bertha(['download'], environment)).code, 2);
    assert.is((await bertha(['download', id, '--revision', '../x'], environment)).code, 2);
  }),
);

cli.run();
