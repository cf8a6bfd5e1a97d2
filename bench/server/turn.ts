import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What is asked of a server. */
export interface Load {
  readonly url: string;
  readonly path: string;
  /** Each connection sends these in turn. */
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

/** What came of it. */
export interface Loaded {
  readonly perSecond: number;
  /** Milliseconds from request to answer. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that were no 200, and requests without an answer. */
  readonly failed: number;
  /** Cores that the load generator itself was using. */
  readonly processor: number;
}

const run = promisify(execFile);

/** Runs a program of this folder and parses the line of JSON that it prints. */
export async function runProgram<T>(name: string, argument: object): Promise<T> {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const { stdout } = await run(process.execPath, ['--import', 'tsx', file, JSON.stringify(argument)], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as T;
}
