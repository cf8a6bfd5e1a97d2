import { importPackage } from './import-package.js';

/** What the commands need of the package bertha-jobs, which needs this one. */
interface JobsPackage {
  runIndex(args: readonly string[]): Promise<number>;
  runSearch(args: readonly string[]): Promise<number>;
}

const kPackage = 'bertha-jobs';

/** Fills a store and returns the exit code. The flags are those of the package. Errors: USAGE where it is not installed. */
export async function index(args: readonly string[]): Promise<number> {
  const { runIndex } = await importPackage<JobsPackage>(kPackage, 'bertha index');
  // It ends by itself: what is being written is written to its end.
  for (const signal of ['SIGTERM', 'SIGINT']) process.removeAllListeners(signal);
  return runIndex(args);
}

/** Searches a store and returns the exit code. Errors: USAGE where the package is not installed. */
export async function searchStore(args: readonly string[]): Promise<number> {
  const { runSearch } = await importPackage<JobsPackage>(kPackage, 'bertha search --store');
  return runSearch(args);
}

/** Whether a command line searches a store, whose flags are the package's. */
export function isStoreSearch([command, ...args]: readonly string[]): boolean {
  const beforeDashes = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  return command === 'search' && beforeDashes.some((arg) => /^(?:--store(?:=|$)|-s)/.test(arg));
}
