import { BerthaError } from '../../errors.js';
import { isCodedError } from '../../realms.js';

/** What the command needs of the package bertha-server, which needs this one. */
interface ServerPackage {
  runServer(args: readonly string[]): Promise<number>;
}

const kPackage = 'bertha-server';

/** Serves models over HTTP until a signal ends it, and returns the exit code. The flags are those of the package. Errors: USAGE where it is not installed. */
export async function serve(args: readonly string[]): Promise<number> {
  const { runServer } = await importServer();
  // It ends by itself: what has been asked is answered first.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.removeAllListeners(signal);
  return runServer(args);
}

async function importServer(): Promise<ServerPackage> {
  try {
    return (await import(kPackage)) as ServerPackage;
  } catch (cause) {
    if (!isCodedError(cause) || cause.code !== 'ERR_MODULE_NOT_FOUND' || !cause.message.includes(`'${kPackage}'`)) throw cause;
    throw new BerthaError('USAGE', `bertha serve is in a package of its own: npm i ${kPackage}`, { cause });
  }
}
