import { importPackage } from './import-package.js';

/** What the command needs of the package bertha-server, which needs this one. */
interface ServerPackage {
  runServer(args: readonly string[]): Promise<number>;
}

const kPackage = 'bertha-server';

/** Serves models over HTTP until a signal ends it, and returns the exit code. The flags are those of the package. Errors: USAGE where it is not installed. */
export async function serve(args: readonly string[]): Promise<number> {
  const { runServer } = await importPackage<ServerPackage>(kPackage, 'bertha serve');
  // It ends by itself: what has been asked is answered first.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.removeAllListeners(signal);
  return runServer(args);
}
