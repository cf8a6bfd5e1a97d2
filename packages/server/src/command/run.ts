import { connect } from 'node:net';
import { lstat, unlink } from 'node:fs/promises';
import { BerthaError } from 'bertha-encoder';
import { createServer, type BerthaServer } from '../server.js';
import { helpText, readCommandLine } from './flags.js';

/** What the command may do with the process it runs in. */
export interface CommandProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly on: (signal: NodeJS.Signals, listener: () => void) => void;
  readonly exit: (code: number) => void;
  readonly print: (text: string) => void;
}

const thisProcess: CommandProcess = {
  env: process.env,
  on: (signal, listener) => void process.on(signal, listener),
  exit: (code) => process.exit(code),
  print: (text) => void process.stderr.write(text),
};

/**
 * `bertha serve`: serves until SIGTERM or SIGINT, answers what has been asked, and returns the exit code. SIGHUP loads the models anew. A second signal
 * ends the process at once.
 *
 * Errors: BerthaError USAGE, and IO for an address that it cannot listen on.
 */
export async function runServer(args: readonly string[], { env, on, exit, print }: CommandProcess = thisProcess): Promise<number> {
  const { isHelp, options, logLevel, ignored } = readCommandLine(args, env);
  if (isHelp) {
    process.stdout.write(helpText());
    return 0;
  }
  if (ignored.length > 0) print(`bertha serve: ${ignored.join(', ')} changes nothing here.\n`);
  if (options.udsPath !== undefined) await removeStaleSocket(options.udsPath);
  const server = createServer({
    ...options,
    logger: { level: logLevel, redact: ['authorization', '*.authorization', '*.*.authorization'] },
  });
  const stopped = new Promise<void>((resolve) => {
    let signals = 0;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      on(signal, () => (signals++ === 0 ? resolve() : exit(signal === 'SIGTERM' ? 143 : 130)));
    }
  });
  on('SIGHUP', () => void reloadAll(server, print));
  let address: string;
  try {
    address = await server.listen();
  } catch (cause) {
    await server.close();
    throw new BerthaError('IO', `The server cannot listen: ${(cause as Error).message}`, { cause });
  }
  print(`bertha serves at ${address}; models are being loaded\n`);
  const failed = await Promise.race([server.ready, stopped]);
  if (failed !== undefined) {
    for (const { name, error } of failed) print(`error ${name} could not be loaded: ${error.message}\n`);
    if (server.models.length === 0) {
      await server.close();
      return 1;
    }
    print(`ready: ${server.models.join(', ')}\n`);
  }
  await stopped;
  await server.close();
  return 0;
}

async function reloadAll(server: BerthaServer, print: (text: string) => void): Promise<void> {
  for (const name of server.models) {
    await server
      .reload(name)
      .catch((error: Error) => print(`error ${name} could not be loaded anew, the old one stays: ${error.message}\n`));
  }
}

/** Removes the socket of a process that is gone: with one that answers, which is another server's, and with a file that is no socket, listening fails. */
async function removeStaleSocket(path: string): Promise<void> {
  const isSocket = await lstat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = connect(path, () => resolve(undefined)).on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.on('connect', () => socket.destroy());
  });
  if (code === 'ECONNREFUSED') await unlink(path).catch(() => undefined);
}
